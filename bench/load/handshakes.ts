// One request per TLS connection: a number of clients, each of which connects, asks, reads the answer and connects again,
// with a whole handshake or by the session of a connection before. Run as a process of its own: handshakes.ts PORT PATH
// CLIENTS SECONDS whole|resumed; prints JSON.

import { connect, type SecureVersion } from 'node:tls'
import { percentile } from '../statistics.ts'
import { HOST } from './load.ts'

/** Milliseconds without a byte after which an exchange has failed. */
const TIMEOUT = 10_000
const VERSION: SecureVersion = 'TLSv1.3'
const [port, path, clients, seconds, kind] = process.argv.slice(2) as [string, string, string, string, string]
const resumes = kind === 'resumed'
const request = `GET ${path} HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`
const started = performance.now()
const deadline = started + Number(seconds) * 1000
const latencies: number[] = []
let errors = 0
let busy = Number(clients)

/** `session`: what the connection before was given. */
function exchange(session: Buffer | undefined): void {
  const begun = performance.now()
  let answer = ''
  let answered = false
  let next = session
  const socket = connect({
    port: Number(port),
    host: '127.0.0.1',
    servername: HOST,
    rejectUnauthorized: false,
    minVersion: VERSION,
    maxVersion: VERSION,
    ...(session === undefined ? {} : { session }),
  })
  socket.setTimeout(TIMEOUT, () => socket.destroy())
  socket.on('session', (ticket) => {
    if (resumes) next = ticket
  })
  socket.on('secureConnect', () => {
    // A session that was refused makes a whole handshake of it, which is not what is measured.
    if (session !== undefined && !socket.isSessionReused()) errors++
    socket.write(request)
  })
  socket.on('data', (chunk: Buffer) => {
    answer += chunk.toString('latin1')
    answered = complete(answer)
    if (answered) socket.destroy()
  })
  socket.on('error', () => {})
  socket.on('close', () => {
    const now = performance.now()
    if (answered && answer.startsWith('200', 9)) latencies.push(now - begun)
    else errors++
    if (now < deadline) exchange(next)
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
  const result = {
    requests: latencies.length,
    seconds: (performance.now() - started) / 1000,
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
    errors,
  }
  console.log(JSON.stringify(result))
}

for (let client = 0; client < Number(clients); client++) exchange(undefined)
