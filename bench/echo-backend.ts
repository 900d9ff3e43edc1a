// The backend of the websocket scenario: sends every message back. Run as a process of its own: echo-backend.ts PORT; says
// "ready" when it listens. Frames are handled by hand, so that it is not the backend that is measured.

import { createServer } from 'node:net'
import { acceptKey, echoes } from './frames.ts'

const port = Number(process.argv[2])

createServer({ noDelay: true }, (socket) => {
  let head = ''
  let open = false
  let rest: Buffer | null = null
  socket.on('data', (bytes: Buffer) => {
    if (!open) {
      head += bytes.toString('latin1')
      if (!head.endsWith('\r\n\r\n')) return
      const key = /\r\nSec-WebSocket-Key: ([^\r]*)/i.exec(head)?.[1] ?? ''
      const upgrade = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
      socket.write(`${upgrade}Sec-WebSocket-Accept: ${acceptKey(key)}\r\n\r\n`)
      open = true
      return
    }
    const all: Buffer = rest === null ? bytes : Buffer.concat([rest, bytes])
    const { frames, used } = echoes(all)
    rest = used === all.length ? null : all.subarray(used)
    if (frames.length > 0) socket.write(frames)
  })
  socket.on('error', () => {})
}).listen({ port, host: '127.0.0.1', backlog: 4096 }, () => console.log('ready'))
