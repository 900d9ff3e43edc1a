// Handshakes that do not come about: what the client gets, what the log says, and who is asked next.

import type { AddressInfo } from 'node:net'
import { createServer, type Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { Authority, type Certificate } from '../../../support/certificates.ts'
import { serverConf, TestEngine } from '../../../support/engine.ts'
import { RawBackend } from '../../../support/raw-backend.ts'
import { rawRequest } from '../../../support/raw-client.ts'
import { SecureBackend } from '../../../support/secure-backend.ts'

let authority: Authority
let certificate: Certificate
let backend: SecureBackend
let old: SecureBackend
let asking: SecureBackend
let plain: RawBackend
let engine: TestEngine | null = null
const vars: Record<string, string | number> = {}
const closers: (() => void)[] = []

/** A server that does `what` once the first bytes of a connection are there. */
async function rawServer(what: (socket: Socket) => void): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => what(socket))
    closers.push(() => socket.destroy())
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  closers.push(() => server.close())
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

beforeAll(async () => {
  authority = await Authority.create()
  certificate = await authority.issue('a.test')
  backend = await SecureBackend.start(certificate)
  old = await SecureBackend.start({
    ...certificate,
    maxVersion: 'TLSv1.2',
    ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256',
  })
  asking = await SecureBackend.start({
    ...certificate,
    requestCert: true,
    rejectUnauthorized: true,
    ca: authority.cert,
  })
  plain = await RawBackend.start()
  plain.answer = { bytes: 'HTTP/1.1 400 Bad Request\r\n\r\n', when: 'connect' }
  Object.assign(vars, {
    BACKEND: backend.address,
    OLD: old.address,
    ASKING: asking.address,
    PLAIN: plain.address,
    EOF: await rawServer((socket) => socket.end()),
    RESET: await rawServer((socket) => socket.resetAndDestroy()),
    SILENT: await rawServer(() => {}),
    GARBAGE: await rawServer((socket) => socket.write(Buffer.from('160303000502000001ff', 'hex'))),
  })
})

afterEach(async () => {
  for (const server of [backend, old, asking]) server.reset()
  await engine?.stop()
  engine = null
})

afterAll(async () => {
  for (const close of closers) close()
  await Promise.all([backend, old, asking, plain].map((server) => server.stop()))
  await authority.remove()
})

async function start(body: string, http = ''): Promise<TestEngine> {
  const conf = serverConf(body, http).replace(
    /log_format short '[^']*'/,
    () => "log_format short '$status $upstream_status $weir_reason $upstream_connect_time'",
  )
  return (engine = await TestEngine.start(conf, vars))
}

async function ask(request = 'GET / HTTP/1.1\r\nHost: h\r\n\r\n'): Promise<string> {
  const { bytes } = await rawRequest(engine!.port, request)
  return bytes.toString('latin1')
}

it.for([
  [
    'PLAIN',
    '',
    'error',
    'SSL_do_handshake() failed (SSL: error:0A00010B:SSL routines::wrong version number)',
  ],
  ['EOF', '', 'error', 'peer closed connection in SSL handshake'],
  ['RESET', '', 'error', 'peer closed connection in SSL handshake (104: Connection reset by peer)'],
  [
    'OLD',
    'proxy_ssl_protocols TLSv1.3;',
    'error',
    'SSL_do_handshake() failed (SSL: error:0A00042E:SSL routines::tlsv1 alert protocol version:SSL alert number 70)',
  ],
  [
    'OLD',
    'proxy_ssl_ciphers ECDHE-ECDSA-AES256-GCM-SHA384;',
    'error',
    /SSL_do_handshake\(\) failed \(SSL: error:0A0004[0-9A-F]{2}:SSL routines::[^:]*:SSL alert number \d+\)/,
  ],
  [
    'GARBAGE',
    '',
    'error',
    /SSL_do_handshake\(\) failed \(SSL: error:0A00009F:SSL routines::length mismatch\)/,
  ],
] as const)(
  'a backend that is %s, with "%s", is a 502, logged as %s: %s',
  async ([name, settings, level, words]) => {
    await start(`${settings} location / { proxy_pass https://%${name}%; }`)
    expect(await ask()).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n/)
    const [line] = engine!.errorLog.split('\n')
    expect(line).toContain(`[${level}]`)
    if (typeof words === 'string')
      expect(line).toContain(` ${words} while SSL handshaking to upstream, client: `)
    else expect(line).toMatch(words)
    expect(line).toContain(`upstream: "https://${vars[name]}/"`)
    expect(await engine!.logged(1)).toEqual(['502 502 tls_handshake -'])
    expect(engine!.errorLog).toContain('weir: tls_handshake: the server and weir found no way to speak TLS')
  },
)

it('proxy_connect_timeout, during the handshake, is a 504, and $upstream_connect_time waits for its end', async () => {
  await start('proxy_connect_timeout 50ms; location / { proxy_pass https://%SILENT%; }')
  expect(await ask()).toContain('504 Gateway Time-out')
  expect(engine!.errorLog).toContain('[error]')
  expect(engine!.errorLog).toContain(
    'upstream timed out (110: Connection timed out) while SSL handshaking to upstream, client: ',
  )
  expect(await engine!.logged(1)).toEqual(['504 504 tls_timeout -'])
})

it('a client that leaves during the handshake ends it', async () => {
  const left = Promise.withResolvers<void>()
  const waiting = Promise.withResolvers<void>()
  vars.WAITING = await rawServer((socket) => {
    waiting.resolve()
    socket.on('close', () => left.resolve())
    socket.on('end', () => socket.end())
  })
  await start('location / { proxy_pass https://%WAITING%; }')
  const client = engine!.connect()
  client.transport.receive('GET / HTTP/1.1\r\nHost: h\r\n\r\n')
  await waiting.promise
  client.transport.owner.onClose(null)
  await left.promise
  expect(await engine!.logged(1)).toEqual(['499 - - -'])
})

it('proxy_next_upstream, a handshake that fails, asks the next server', async () => {
  await start(
    'location / { proxy_pass https://up; } location /not { proxy_next_upstream timeout; proxy_pass https://up; }',
    'upstream up { server %PLAIN% max_fails=0; server %BACKEND% backup; }',
  )
  expect(await ask()).toContain('200 OK')
  expect(await ask('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab')).toContain('200 OK')
  expect(await ask('GET /not HTTP/1.1\r\nHost: h\r\n\r\n')).toContain('502 Bad')
  expect(backend.requests.map(({ text }) => text.split('\r\n')[0])).toEqual([
    'GET / HTTP/1.1',
    'POST / HTTP/1.1',
  ])
  const lines = await engine!.logged(3)
  expect(lines[0]).toMatch(/^200 502, 200 tls_handshake -, \d\.\d{3}$/)
})

it('max_fails, a certificate that is not trusted, takes the server out', async () => {
  await start(
    'proxy_ssl_verify on; proxy_ssl_trusted_certificate %CA%; location / { proxy_pass https://up; }'.replace(
      '%CA%',
      certificate.certFile,
    ),
    'upstream up { server %BACKEND%; server %OLD%; }',
  )
  expect(await ask()).toContain('502 Bad')
  expect(await ask()).toContain('502 Bad')
  expect(engine!.errorLog.match(/temporarily disabled/g)).toHaveLength(2)
  expect(engine!.errorLog).toContain('no live upstreams')
})

it('a backend that wants a certificate, refuses the request after the handshake, in nginx words', async () => {
  await start('location / { proxy_pass https://%ASKING%; }')
  expect(await ask()).toContain('502 Bad')
  expect(engine!.errorLog).toMatch(
    /\[(error|crit)\] .*SSL_read\(\) failed \(SSL: error:0A00045C:SSL routines::tlsv13 alert certificate required:SSL alert number 116\) while reading response header from upstream/,
  )
})
