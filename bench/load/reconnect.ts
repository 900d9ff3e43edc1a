// One request per connection, for machines without wrk: a number of clients, each of which connects, asks, reads the
// answer and connects again. Run as a process of its own: reconnect.ts PORT PATH CLIENTS SECONDS; prints JSON.

import { connect } from 'node:net'
import { percentile } from '../statistics.ts'
import { HOST, type LoadResult } from './load.ts'

/** Milliseconds without a byte after which an exchange has failed. */
const TIMEOUT = 10_000
const [port, path, clients, seconds] = process.argv.slice(2) as [string, string, string, string]
const request = `GET ${path} HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`
const started = performance.now()
const deadline = started + Number(seconds) * 1000
const latencies: number[] = []
let errors = 0
let busy = Number(clients)

function exchange(): void {
  const begun = performance.now()
  let answer = ''
  let answered = false
  const socket = connect(Number(port), '127.0.0.1')
  socket.setTimeout(TIMEOUT, () => socket.destroy())
  socket.on('connect', () => socket.write(request))
  socket.on('data', (chunk: Buffer) => {
    answer += chunk.toString('latin1')
    answered = complete(answer)
    // As wrk does: whoever is first closes.
    if (answered) socket.destroy()
  })
  socket.on('error', () => {})
  socket.on('close', () => {
    const now = performance.now()
    if (answered && answer.startsWith('200', 9)) latencies.push(now - begun)
    else errors++
    if (now < deadline) exchange()
    else if (--busy === 0) report()
  })
}

function complete(answer: string): boolean {
  const end = answer.indexOf('\r\n\r\n')
  if (end < 0) return false
  const length = /\r\ncontent-length: *(\d+)/i.exec(answer)
  return length !== null && answer.length >= end + 4 + Number(length[1])
}

function report(): void {
  const result: LoadResult = {
    requests: latencies.length,
    seconds: (performance.now() - started) / 1000,
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
    errors,
  }
  console.log(JSON.stringify(result))
}

for (let client = 0; client < Number(clients); client++) exchange()
