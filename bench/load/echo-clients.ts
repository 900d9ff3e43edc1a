// Opens WebSockets, and on each sends a message, waits for its echo, and sends the next. Run as a process of its own:
// echo-clients.ts PORT PATH COUNT BYTES SECONDS; says "ready" before it measures, and prints JSON behind. Any answer
// that is not the message is an error.

import { connect } from 'node:net'
import { acceptKey, clientFrame, serverFrame } from '../frames.ts'
import { percentile } from '../statistics.ts'
import { HOST, type LoadResult } from './load.ts'

const [port, path, count, bytes, seconds] = process.argv.slice(2) as [string, string, string, string, string]
const KEY = Buffer.from('a key of 16 byte').toString('base64')
const HEAD = [
  `GET ${path} HTTP/1.1`,
  `Host: ${HOST}`,
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  `Sec-WebSocket-Key: ${KEY}`,
]
const payload = Buffer.alloc(Number(bytes), 'message ')
const message = clientFrame(payload, Buffer.from([1, 2, 3, 4]))
const echo = serverFrame(payload)

/** Milliseconds, of the messages while it is measured. */
const latencies: number[] = []
let opened = 0
let errors = 0
let measuring = false
const sendFirst: (() => void)[] = []

function open(): void {
  let head = ''
  let speaking = false
  let sent = 0
  let received = 0
  const socket = connect(Number(port), '127.0.0.1')
  const send = (): void => {
    sent = performance.now()
    socket.write(message)
  }
  socket.setNoDelay(true)
  socket.on('connect', () => socket.write(`${HEAD.join('\r\n')}\r\n\r\n`))
  socket.on('error', () => {})
  socket.on('close', () => {
    errors++
    if (!measuring) fail('a WebSocket ended before it was measured')
  })
  socket.on('data', (chunk: Buffer) => {
    if (!speaking) {
      head += chunk.toString('latin1')
      if (!head.includes('\r\n\r\n')) return
      if (!head.startsWith('HTTP/1.1 101 ') || !head.includes(acceptKey(KEY))) fail(`no WebSocket: ${head}`)
      speaking = true
      sendFirst.push(send)
      if (++opened === Number(count)) measure()
      return
    }
    const end = received + chunk.length
    if (end > echo.length || echo.compare(chunk, 0, chunk.length, received, end) !== 0) errors++
    received = end
    if (received < echo.length) return
    received = 0
    latencies.push(performance.now() - sent)
    send()
  })
}

function measure(): void {
  console.log('ready')
  measuring = true
  const started = performance.now()
  for (const send of sendFirst) send()
  setTimeout(() => {
    const result: LoadResult = {
      requests: latencies.length,
      seconds: (performance.now() - started) / 1000,
      p50: percentile(latencies, 0.5),
      p99: percentile(latencies, 0.99),
      errors,
    }
    console.log(JSON.stringify(result))
    process.exit(0)
  }, Number(seconds) * 1000)
}

function fail(reason: string): never {
  console.error(`${reason} (${opened} of ${count} were open)`)
  process.exit(1)
}

for (let client = 0; client < Number(count); client++) open()
