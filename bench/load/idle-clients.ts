// Opens connections, has one request answered on each and then leaves them alone until its stdin ends, or closes
// each after its answer. Run as a process of its own: idle-clients.ts PORT PATH BODY_BYTES COUNT SOURCE_ADDRESS
// keep|close; says "ready" once every connection has had its answer.

import { connect } from 'node:net'
import { HOST } from './load.ts'

const AT_ONCE = 50
const [port, path, bodyBytes, count, localAddress, end] = process.argv.slice(2) as string[]
const request = `GET ${path} HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`
let opened = 0
let answered = 0

function open(): void {
  opened++
  let received = ''
  const socket = connect({ port: Number(port), host: '127.0.0.1', localAddress })
  socket.on('connect', () => socket.write(request))
  socket.on('error', (error) => fail(error.message))
  socket.on('end', () => fail('the proxy closed an idle connection'))
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1')
    const head = received.indexOf('\r\n\r\n')
    if (head < 0 || received.length < head + 4 + Number(bodyBytes)) return
    received = ''
    if (end === 'close') socket.destroy()
    if (++answered === Number(count)) console.log('ready')
    if (opened < Number(count)) open()
  })
}

function fail(reason: string): never {
  console.error(`${reason} (${answered} of ${count} were answered)`)
  process.exit(1)
}

process.stdin.resume().on('end', () => process.exit(0))
for (let client = 0; client < Math.min(AT_ONCE, Number(count)); client++) open()
