// The backend of the WebSocket soak: echoes every message. Run as a process of its own: backend.ts; prints its port.

import type { AddressInfo } from 'node:net'
import { WebSocketServer } from 'ws'

const server = new WebSocketServer({
  port: 0,
  host: '127.0.0.1',
  backlog: 4096,
  perMessageDeflate: false,
  clientTracking: false,
})
server.on('listening', () => console.log(`port ${(server.address() as AddressInfo).port}`))
server.on('connection', (socket) => {
  socket.on('message', (message, isBinary) => socket.send(message, { binary: isBinary }))
  socket.on('error', () => socket.terminate())
})
