// Content both ways through TLS, and responses that end in every way.

import { createHash, randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { Authority } from '../../../support/certificates.ts'
import { serverConf, TestEngine } from '../../../support/engine.ts'
import { rawRequest } from '../../../support/raw-client.ts'
import { SecureBackend } from '../../../support/secure-backend.ts'

let authority: Authority
let backend: SecureBackend
let engine: TestEngine

beforeAll(async () => {
  authority = await Authority.create()
  backend = await SecureBackend.start(await authority.issue('a.test'))
})

afterEach(async () => {
  backend.reset()
  await engine.stop()
})

afterAll(async () => {
  await backend.stop()
  await authority.remove()
})

async function start(body: string): Promise<void> {
  engine = await TestEngine.start(serverConf(body), { BACKEND: backend.address })
}

it.for(['on', 'off'])('proxy_buffering %s, https, a large response arrives whole', async (buffering) => {
  const content = randomBytes(3_000_000)
  backend.answer = (socket) => {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${content.length}\r\n\r\n`, 'latin1')
    socket.write(content)
  }
  await start(`proxy_buffering ${buffering}; location / { proxy_pass https://%BACKEND%; }`)
  const { bytes } = await rawRequest(engine.port, 'GET / HTTP/1.1\r\nHost: h\r\n\r\n')
  const body = bytes.subarray(bytes.indexOf('\r\n\r\n') + 4)
  expect(sum(body)).toBe(sum(content))
})

it.for(['on', 'off'])('proxy_request_buffering %s, https, a large body arrives whole', async (buffering) => {
  const content = randomBytes(2_000_000)
  backend.answer = (socket, { text }) => {
    const body = Buffer.from(text.slice(text.indexOf('\r\n\r\n') + 4), 'latin1')
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 64\r\n\r\n${sum(body)}`, 'latin1')
  }
  await start(
    `client_max_body_size 0; proxy_request_buffering ${buffering}; location / { proxy_pass https://%BACKEND%; }`,
  )
  const head = `POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${content.length}\r\n\r\n`
  const { bytes } = await rawRequest(engine.port, [head, content], { methods: ['POST'] })
  expect(bytes.toString('latin1')).toMatch(new RegExp(`${sum(content)}$`))
})

it('a response until the end of the connection, with close_notify, is complete', async () => {
  backend.answer = (socket) => socket.end('HTTP/1.0 200 OK\r\n\r\nwhole', 'latin1')
  await start('location / { proxy_pass https://%BACKEND%; }')
  const { bytes } = await rawRequest(engine.port, 'GET / HTTP/1.1\r\nHost: h\r\n\r\n')
  expect(bytes.toString('latin1')).toMatch(/5\r\nwhole\r\n0\r\n\r\n$/)
})

it('a response until the end of the connection, without close_notify, is complete as in nginx', async () => {
  backend.answer = (socket) => {
    const raw = (socket as unknown as { _parent: import('node:net').Socket })._parent
    socket.write('HTTP/1.0 200 OK\r\n\r\nwhole', 'latin1', () => raw.end())
  }
  await start('location / { proxy_pass https://%BACKEND%; }')
  const { bytes } = await rawRequest(engine.port, 'GET / HTTP/1.1\r\nHost: h\r\n\r\n')
  expect(bytes.toString('latin1')).toMatch(/5\r\nwhole\r\n0\r\n\r\n$/)
  expect(engine.errorLog).not.toContain('[error]')
})

it('a response that says its length and breaks off, is not complete', async () => {
  backend.answer = (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf', 'latin1')
  await start('location / { proxy_pass https://%BACKEND%; }')
  const { bytes, closed } = await rawRequest(engine.port, 'GET / HTTP/1.1\r\nHost: h\r\n\r\n', {
    until: 'close',
  })
  expect(bytes.toString('latin1')).toMatch(/half$/)
  expect(closed).toBe(true)
  expect(engine.errorLog).toContain('upstream prematurely closed connection while reading upstream')
})

it.for([
  ['', 'reading response header from upstream'],
  ['HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart', 'reading upstream'],
  // nginx takes it for the end of the content.
  ['HTTP/1.0 200 OK\r\n\r\npart', 'reading upstream'],
])('a reset behind %j, is no end', async ([part, doing]) => {
  backend.answer = (socket) => {
    const beneath = (socket as unknown as { _parent: import('node:net').Socket })._parent
    socket.write(part!, 'latin1', () => setTimeout(() => beneath.resetAndDestroy(), 20))
  }
  await start('proxy_buffering off; location / { proxy_pass https://%BACKEND%; }')
  const { bytes, closed } = await rawRequest(engine.port, 'GET / HTTP/1.1\r\nHost: h\r\n\r\n', {
    until: part === '' ? 1 : 'close',
  })
  if (part === '') expect(bytes.toString('latin1')).toContain('502 Bad Gateway')
  else expect(bytes.toString('latin1')).toMatch(/part(\r\n)?$/)
  expect(closed).toBe(part !== '')
  expect(engine.errorLog).toContain(`recv() failed (104: Connection reset by peer) while ${doing}`)
})

it('an upgrade, https, tunnels bytes both ways', async () => {
  backend.answer = (socket) => {
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: upgrade\r\n\r\nhello',
      'latin1',
    )
    socket.removeAllListeners('data')
    socket.on('data', (bytes: Buffer) => socket.write(bytes))
  }
  await start(`location / { proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;
    proxy_pass https://%BACKEND%; }`)
  const client = connect(engine.port, '127.0.0.1')
  const content = randomBytes(400_000)
  let received = Buffer.alloc(0)
  const done = Promise.withResolvers<void>()
  client.on('data', (bytes: Buffer) => {
    received = Buffer.concat([received, bytes])
    if (received.length === received.indexOf('\r\n\r\n') + 4 + 5 + content.length) done.resolve()
  })
  client.write('GET / HTTP/1.1\r\nHost: h\r\nUpgrade: echo\r\nConnection: upgrade\r\n\r\n')
  await new Promise((resolve) => client.once('data', resolve))
  client.write(content)
  await done.promise
  expect(received.toString('latin1', 0, 12)).toBe('HTTP/1.1 101')
  const body = received.subarray(received.indexOf('\r\n\r\n') + 4)
  expect(body.toString('latin1', 0, 5)).toBe('hello')
  expect(sum(body.subarray(5))).toBe(sum(content))
  client.destroy()
  expect(await engine.logged(1)).toHaveLength(1)
})

function sum(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
