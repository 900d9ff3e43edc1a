// One request per connection, for machines without wrk: a number of clients, each of which connects, asks, reads to
// the end and connects again. Run as a process of its own: reconnect.ts PORT PATH CLIENTS SECONDS; prints JSON.

import { connect } from 'node:net'
import { percentile } from '../statistics.ts'
import { HOST, type LoadResult } from './load.ts'

const [port, path, clients, seconds] = process.argv.slice(2) as [string, string, string, string]
const request = `GET ${path} HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`
const started = performance.now()
const deadline = started + Number(seconds) * 1000
const latencies: number[] = []
let errors = 0
let busy = Number(clients)

function exchange(): void {
  const begun = performance.now()
  let status = ''
  const socket = connect(Number(port), '127.0.0.1')
  socket.on('connect', () => socket.write(request))
  socket.on('data', (chunk: Buffer) => {
    if (status === '') status = chunk.toString('latin1', 9, 12)
  })
  socket.on('error', () => {})
  socket.on('close', () => {
    const now = performance.now()
    if (status === '200') latencies.push(now - begun)
    else errors++
    if (now < deadline) exchange()
    else if (--busy === 0) report()
  })
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
