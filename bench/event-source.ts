// The backend of the streams scenario: answers every request with an event stream that does not end, and writes an event
// on each of them every INTERVAL milliseconds, spread evenly over that time; an event is the time it was written at.
// Run as a process of its own: event-source.ts PORT INTERVAL; says "ready" when it listens.

import { createServer, type Socket } from 'node:net'

const [port, interval] = process.argv.slice(2).map(Number) as [number, number]
const HEAD =
  'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\nTransfer-Encoding: chunked\r\n\r\n'

/** The streams by the millisecond of the interval that they are written in. */
const turns = Array.from({ length: interval }, () => new Set<Socket>())
let opened = 0

createServer({ noDelay: true }, (socket) => {
  const turn = turns[opened++ % interval]!
  let head = ''
  socket.on('data', (bytes: Buffer) => {
    head += bytes.toString('latin1')
    if (!head.endsWith('\r\n\r\n')) return
    socket.write(HEAD)
    turn.add(socket)
  })
  socket.on('error', () => {})
  socket.on('close', () => turn.delete(socket))
}).listen({ port, host: '127.0.0.1', backlog: 4096 }, () => console.log('ready'))

let last = Math.floor(performance.now())
setInterval(() => {
  const now = Math.floor(performance.now())
  // A late timer makes up for what it has missed.
  for (; last < now; last++) for (const socket of turns[last % interval]!) writeEvent(socket)
}, 1)

function writeEvent(socket: Socket): void {
  const event = `data: ${process.hrtime.bigint()}\n\n`
  socket.write(`${event.length.toString(16)}\r\n${event}\r\n`)
}
