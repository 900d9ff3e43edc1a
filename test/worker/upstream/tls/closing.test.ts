// How a connection to a backend ends: the bytes on the wire are looked at by a relay in between.

import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { Authority } from '../../../support/certificates.ts'
import { serverConf, TestEngine } from '../../../support/engine.ts'
import { rawRequest } from '../../../support/raw-client.ts'
import { SecureBackend } from '../../../support/secure-backend.ts'

const ALERT = 21

let authority: Authority
let backend: SecureBackend
let relay: Server
let engine: TestEngine
/** What the proxy sent, connection by connection, once it has ended each. */
let sent: Promise<Buffer>[]

beforeAll(async () => {
  authority = await Authority.create()
  backend = await SecureBackend.start({ ...(await authority.issue('a.test')), maxVersion: 'TLSv1.2' })
  relay = createServer({ allowHalfOpen: true }, (socket) => sent.push(pass(socket)))
  await new Promise<void>((done) => relay.listen(0, '127.0.0.1', done))
})

afterEach(async () => {
  backend.reset()
  await engine.stop()
})

afterAll(async () => {
  relay.close()
  await backend.stop()
  await authority.remove()
})

function pass(socket: Socket): Promise<Buffer> {
  const target = connect(backend.port, '127.0.0.1')
  const parts: Buffer[] = []
  socket.on('data', (bytes: Buffer) => {
    parts.push(bytes)
    target.write(bytes)
  })
  target.on('data', (bytes: Buffer) => socket.write(bytes))
  for (const end of [socket, target]) end.on('error', () => {})
  return new Promise((done) => {
    socket.once('end', () => {
      target.destroy()
      socket.end()
      done(Buffer.concat(parts))
    })
  })
}

/** Types of the TLS records in `bytes`. */
function records(bytes: Buffer): number[] {
  const types: number[] = []
  for (let at = 0; at < bytes.length; at += 5 + bytes.readUInt16BE(at + 3)) types.push(bytes[at]!)
  return types
}

async function start(settings: string, http = ''): Promise<void> {
  sent = []
  const vars = { RELAY: `127.0.0.1:${(relay.address() as AddressInfo).port}` }
  engine = await TestEngine.start(serverConf(`${settings} location / { proxy_pass https://up; }`, http), vars)
}

it('a connection that is not kept, ends with close_notify', async () => {
  await start('', 'upstream up { server %RELAY%; keepalive 0; }')
  const { bytes } = await rawRequest(engine.port, 'GET / HTTP/1.1\r\nHost: h\r\n\r\n')
  expect(bytes.toString('latin1')).toContain('200 OK')
  expect(records(await sent[0]!).at(-1)).toBe(ALERT)
})

it('a connection that has been kept long enough, ends with close_notify', async () => {
  await start('', 'upstream up { server %RELAY%; keepalive_timeout 20ms; }')
  await rawRequest(engine.port, 'GET / HTTP/1.1\r\nHost: h\r\n\r\n')
  expect(records(await sent[0]!).at(-1)).toBe(ALERT)
})

it('a response that its client does not wait for, ends with close_notify', async () => {
  backend.answer = (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart')
  await start('', 'upstream up { server %RELAY%; }')
  const client = connect(engine.port, '127.0.0.1')
  client.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n')
  await new Promise((done) => client.once('data', done))
  client.destroy()
  expect(records(await sent[0]!).at(-1)).toBe(ALERT)
})
