// What a connection costs while nothing happens on it.

import type { IdleScenario } from '../scenario.ts'

export const idle: IdleScenario = {
  kind: 'idle',
  name: 'idle',
  title: '10 000 idle keepalive connections',
  path: '/1k',
  connections: 10_000,
}
