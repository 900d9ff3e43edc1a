// Pages that listen for news: many connections on which little happens, and that at once or never.

import type { StreamsScenario } from '../scenario.ts'

export const sse: StreamsScenario = {
  kind: 'streams',
  name: 'sse',
  title: '1000 event streams, an event a second on each (figures are of an event)',
  path: '/events',
  connections: 1000,
  interval: 1000,
}
