// `proxy_pass https://...`: what it asks, and which name it tells a backend (`proxy_ssl_name`, `proxy_ssl_server_name`).

import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { Authority, type Certificate } from '../../../support/certificates.ts'
import { serverConf, TestEngine } from '../../../support/engine.ts'
import { rawRequest } from '../../../support/raw-client.ts'
import { SecureBackend } from '../../../support/secure-backend.ts'

let authority: Authority
let certificate: Certificate
let backend: SecureBackend
let local: SecureBackend
let engine: TestEngine | null = null

beforeAll(async () => {
  authority = await Authority.create()
  certificate = await authority.issue('a.test', { names: ['a.test', '*.wild.test'] })
  backend = await SecureBackend.start(certificate)
  local = await SecureBackend.start(certificate, join(authority.folder, 'backend.sock'))
})

afterEach(async () => {
  backend.reset()
  local.reset()
  await engine?.stop()
  engine = null
})

afterAll(async () => {
  await backend.stop()
  await local.stop()
  await authority.remove()
})

async function start(body: string, http = ''): Promise<TestEngine> {
  const vars = { BACKEND: backend.address, BACKPORT: backend.port, AUTHORITY: authority.folder }
  engine = await TestEngine.start(serverConf(body, http), vars)
  return engine
}

async function ask(request = 'GET /x?y HTTP/1.1\r\nHost: h.test\r\n\r\n'): Promise<string> {
  return (await rawRequest(engine!.port, request)).bytes.toString('latin1')
}

it('proxy_pass, https, speaks TLS 1.3 to the backend, without SNI', async () => {
  await start('location / { proxy_pass https://%BACKEND%; }')
  expect(await ask()).toMatch(/^HTTP\/1\.1 200 OK\r\n.*\r\n\r\nok$/s)
  expect(backend.requests).toEqual([
    {
      text: `GET /x?y HTTP/1.1\r\nHost: ${backend.address}\r\n\r\n`,
      connection: 0,
      serverName: '',
      protocol: 'TLSv1.3',
      cipher: 'TLS_AES_256_GCM_SHA384',
      reused: false,
      client: '',
      alpn: '',
    },
  ])
})

it('proxy_ssl_server_name on, sends the host of proxy_pass, but no address', async () => {
  const http = 'upstream up.test { server %BACKEND%; }'
  await start(
    `proxy_ssl_server_name on; proxy_set_header Connection close;
     location /up { proxy_pass https://up.test; } location / { proxy_pass https://%BACKEND%; }`,
    http,
  )
  await ask('GET /up HTTP/1.1\r\nHost: h\r\n\r\n')
  await ask()
  expect(backend.requests.map(({ serverName }) => serverName)).toEqual(['up.test', ''])
})

it.for([
  ['a constant', 'b.test', 'b.test'],
  ['with a port', 'b.test:8443', 'b.test'],
  ['a variable with a port', '$http_host', 'h.test'],
  ['an address', '127.0.0.1', ''],
  ['an address with a port', '127.0.0.1:99', ''],
  ['an IPv6 address', '[::1]:99', ''],
  ['empty', '$arg_none', ''],
  ['$proxy_host', '$proxy_host', ''],
])('proxy_ssl_name, %s, is what SNI says', async ([, name, expected]) => {
  await start(
    `proxy_ssl_server_name on; proxy_ssl_name ${name}; location / { proxy_pass https://%BACKEND%; }`,
  )
  expect(await ask('GET / HTTP/1.1\r\nHost: h.test:81\r\n\r\n')).toContain('200 OK')
  expect(backend.requests[0]!.serverName).toBe(expected)
})

it('proxy_ssl_name, too long for SNI, answers 500', async () => {
  await start('proxy_ssl_server_name on; proxy_ssl_name $arg_n; location / { proxy_pass https://%BACKEND%; }')
  expect(await ask(`GET /?n=${'a'.repeat(256)} HTTP/1.1\r\nHost: h\r\n\r\n`)).toContain('500 Internal')
  expect(engine!.errorLog).toContain('[error]')
  expect(backend.connections).toBe(0)
})

it('proxy_pass with variables, goes to either scheme', async () => {
  await start('location / { proxy_pass $arg_scheme://%BACKEND%; proxy_ssl_server_name on; }')
  expect(await ask('GET /?scheme=https HTTP/1.1\r\nHost: h\r\n\r\n')).toContain('200 OK')
  expect(await ask('GET /?scheme=http HTTP/1.1\r\nHost: h\r\n\r\n')).toContain('502 Bad')
  expect(await ask('GET /?scheme=ftp HTTP/1.1\r\nHost: h\r\n\r\n')).toContain('500 Internal')
  expect(engine!.errorLog).toContain(`invalid URL prefix in "ftp://${backend.address}"`)
})

it('proxy_pass, to a unix socket, speaks TLS there', async () => {
  await start('location / { proxy_pass https://unix:%AUTHORITY%/backend.sock:/base; }')
  expect(await ask()).toContain('200 OK')
  expect(local.requests[0]!.text).toBe('GET /basex?y HTTP/1.1\r\nHost: localhost\r\n\r\n')
})

it('$proxy_host and $proxy_port, https, have 443 for the port that is not written', async () => {
  await start(
    `location / { proxy_pass https://name.test; add_header X "$proxy_host|$proxy_port" always; }
     location /q { proxy_pass https://127.0.0.1:80; add_header X "$proxy_host|$proxy_port" always; }
     location /r { proxy_pass https://127.0.0.1:443; add_header X "$proxy_host|$proxy_port" always; }`,
    'upstream name.test { server 127.0.0.1:1; }',
  )
  expect(await ask()).toContain('\r\nX: name.test|443\r\n')
  expect(await ask('GET /q HTTP/1.1\r\nHost: h\r\n\r\n')).toContain('\r\nX: 127.0.0.1:80|80\r\n')
  expect(await ask('GET /r HTTP/1.1\r\nHost: h\r\n\r\n')).toContain('\r\nX: 127.0.0.1|443\r\n')
})

it('proxy_pass, https, is in the error log as the URL that was asked', async () => {
  await start('location / { proxy_pass https://127.0.0.1:1; }')
  await ask()
  expect(engine!.errorLog).toContain('upstream: "https://127.0.0.1:1/x?y", host: "h.test"')
  expect(engine!.errorLog).toContain(
    'connect() failed (111: Connection refused) while connecting to upstream',
  )
})

it('proxy_redirect default, https, finds the URL of proxy_pass', async () => {
  backend.answer = (socket) =>
    socket.write(
      `HTTP/1.1 302 Found\r\nLocation: https://${backend.address}/b/z\r\nContent-Length: 0\r\n\r\n`,
    )
  await start('location /a/ { proxy_pass https://%BACKEND%/b/; }')
  expect(await ask('GET /a/ HTTP/1.1\r\nHost: h\r\n\r\n')).toContain('/a/z\r\n')
})
