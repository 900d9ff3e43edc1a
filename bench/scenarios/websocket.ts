// Conversations over WebSockets: short messages that each wait for their echo.

import type { MessagesScenario } from '../scenario.ts'

export const websocket: MessagesScenario = {
  kind: 'messages',
  name: 'websocket',
  title: '64 WebSockets, 64-byte messages echoed one by one (figures are of a message and its echo)',
  path: '/echo',
  connections: 64,
  bytes: 64,
  target: 1,
}
