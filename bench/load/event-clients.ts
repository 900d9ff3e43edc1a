// Opens event streams, waits for an event on each, and then measures for some seconds how long events take from the
// backend's write to here: both read the clock of one machine. Run as a process of its own: event-clients.ts PORT PATH
// COUNT SECONDS; says "ready" before it measures, and prints JSON behind.

import { connect } from 'node:net'
import { percentile } from '../statistics.ts'
import { HOST, type LoadResult } from './load.ts'

const AT_ONCE = 50
const [port, path, count, seconds] = process.argv.slice(2) as [string, string, string, string]
const request = `GET ${path} HTTP/1.1\r\nHost: ${HOST}\r\nAccept: text/event-stream\r\n\r\n`
const EVENT = /data: (\d+)\n\n/g
/** Milliseconds, of the events while it is measured. */
const latencies: number[] = []
let opened = 0
let listening = 0
let measuring = false
let errors = 0

function open(): void {
  opened++
  let waiting = true
  let rest = ''
  const socket = connect(Number(port), '127.0.0.1')
  socket.on('connect', () => socket.write(request))
  // A stream that ends or breaks is an error at any time.
  socket.on('error', () => {})
  socket.on('close', () => {
    errors++
    if (!measuring) fail('a stream ended before it was measured')
  })
  socket.on('data', (bytes: Buffer) => {
    const now = process.hrtime.bigint()
    rest += bytes.toString('latin1')
    let end = 0
    for (const event of rest.matchAll(EVENT)) {
      end = event.index + event[0].length
      if (measuring) latencies.push(Number(now - BigInt(event[1]!)) / 1e6)
    }
    if (end === 0) return
    rest = rest.slice(end)
    if (!waiting) return
    waiting = false
    if (++listening === Number(count)) measure()
    else if (opened < Number(count)) open()
  })
}

function measure(): void {
  console.log('ready')
  measuring = true
  const started = performance.now()
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
  console.error(`${reason} (${listening} of ${count} had an event)`)
  process.exit(1)
}

for (let client = 0; client < Math.min(AT_ONCE, Number(count)); client++) open()
