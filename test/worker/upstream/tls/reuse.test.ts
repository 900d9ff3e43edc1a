// Which connections and sessions requests share, and which they must not; the secrets of each in `proxy_ssl_key_log`.

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { Authority, type Certificate } from '../../../support/certificates.ts'
import { serverConf, TestEngine } from '../../../support/engine.ts'
import { rawRequest } from '../../../support/raw-client.ts'
import { SecureBackend } from '../../../support/secure-backend.ts'
import { eventually } from '../../../support/wait.ts'

let authority: Authority
let clients: Certificate[]
let backend: SecureBackend
let old: SecureBackend
let engine: TestEngine | null = null

const CLOSING = 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok'

beforeAll(async () => {
  authority = await Authority.create()
  const certificate = await authority.issue('a.test')
  const asking = { ...certificate, requestCert: true, rejectUnauthorized: false, ca: authority.cert }
  clients = [await authority.issue('client one'), await authority.issue('client two')]
  backend = await SecureBackend.start(asking)
  old = await SecureBackend.start({ ...asking, maxVersion: 'TLSv1.2' })
  await Promise.all(
    clients.flatMap(({ cert, key }, index) => [
      writeFile(join(authority.folder, `client${index + 1}.crt`), cert),
      writeFile(join(authority.folder, `client${index + 1}.key`), key),
    ]),
  )
})

afterEach(async () => {
  for (const server of [backend, old]) server.reset()
  backend.answer = old.answer = (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
  await engine?.stop()
  engine = null
})

afterAll(async () => {
  await backend.stop()
  await old.stop()
  await authority.remove()
})

async function start(body: string, http = ''): Promise<TestEngine> {
  const vars = { BACKEND: backend.address, OLD: old.address, CERTS: authority.folder }
  return (engine = await TestEngine.start(serverConf(body, http), vars))
}

async function ask(target = '/', ...fields: string[]): Promise<string> {
  const lines = [`GET ${target} HTTP/1.1`, 'Host: h', ...fields]
  const { bytes } = await rawRequest(engine!.port, `${lines.join('\r\n')}\r\n\r\n`)
  return bytes.toString('latin1')
}

const connections = () => backend.requests.map(({ connection }) => connection)

it('keepalive, https, sends requests through one connection', async () => {
  await start('location / { proxy_pass https://up; }', 'upstream up { server %BACKEND%; keepalive 4; }')
  for (const target of ['/a', '/b', '/c']) expect(await ask(target)).toContain('200 OK')
  expect(connections()).toEqual([0, 0, 0])
})

it('keepalive, two places that say the same, share connections', async () => {
  const same = 'proxy_ssl_server_name on; proxy_ssl_name n.test; proxy_ssl_ciphers HIGH;'
  await start(
    `location /a { ${same} proxy_pass https://up; } location /b { ${same} proxy_pass https://up; }`,
    'upstream up { server %BACKEND%; }',
  )
  await ask('/a')
  await ask('/b')
  expect(connections()).toEqual([0, 0])
})

it.for([
  ['another proxy_ssl_name', 'proxy_ssl_name other.test;'],
  ['SNI', 'proxy_ssl_server_name on;'],
  ['other ciphers', 'proxy_ssl_ciphers HIGH;'],
  ['other protocols', 'proxy_ssl_protocols TLSv1.3;'],
  [
    'a certificate',
    'proxy_ssl_certificate %CERTS%/client1.crt; proxy_ssl_certificate_key %CERTS%/client1.key;',
  ],
  [
    'verification',
    'proxy_ssl_verify on; proxy_ssl_name a.test; proxy_ssl_trusted_certificate %CERTS%/ca.crt;',
  ],
  ['another command', 'proxy_ssl_conf_command Options -SessionTicket;'],
])('keepalive, %s, has connections of its own', async ([, settings]) => {
  await start(
    `location /a { proxy_pass https://up; } location /b { ${settings} proxy_pass https://up; }`,
    'upstream up { server %BACKEND%; }',
  )
  for (const target of ['/a', '/b', '/a', '/b']) expect(await ask(target)).toContain('200 OK')
  expect(connections()).toEqual([0, 1, 0, 1])
})

it('keepalive, a name that requests give, never has a request for another on its connection', async () => {
  await start(
    'proxy_ssl_server_name on; proxy_ssl_name $http_x_name; location / { proxy_pass https://up; }',
    'upstream up { server %BACKEND%; }',
  )
  for (const name of ['one.test', 'two.test', 'one.test:99', 'three.test', 'two.test']) {
    expect(await ask('/', `X-Name: ${name}`)).toContain('200 OK')
  }
  expect(backend.requests.map(({ serverName }) => serverName)).toEqual([
    'one.test',
    'two.test',
    'one.test',
    'three.test',
    'two.test',
  ])
  expect(connections()).toEqual([0, 1, 0, 2, 1])
})

it('keepalive, plain and TLS, never meet', async () => {
  await start(
    `location /a { proxy_pass https://up; } location /b { proxy_connect_timeout 1s; proxy_pass http://up; }
     location /c { proxy_pass $http_x_scheme://up; }`,
    'upstream up { server %BACKEND%; }',
  )
  expect(await ask('/a')).toContain('200 OK')
  expect(await ask('/b')).toContain('502 Bad')
  expect(await ask('/c', 'X-Scheme: http')).toContain('502 Bad')
  expect(await ask('/c', 'X-Scheme: https')).toContain('200 OK')
  expect(connections()).toEqual([0, 0])
})

it('proxy_ssl_certificate, with variables, shows the one of the request', async () => {
  const named =
    'proxy_ssl_certificate %CERTS%/$http_x_name.crt; proxy_ssl_certificate_key %CERTS%/$http_x_name.key;'
  await start(`${named} location / { proxy_pass https://up; }`, 'upstream up { server %BACKEND%; }')
  for (const name of ['client1', 'client2', 'client1'])
    expect(await ask('/', `X-Name: ${name}`)).toContain('200 OK')
  expect(backend.requests.map(({ client }) => client)).toEqual(['client one', 'client two', 'client one'])
  expect(connections()).toEqual([0, 1, 0])
})

it('proxy_ssl_certificate, a file that has changed, is read again', async () => {
  const named = 'proxy_ssl_certificate $http_x_dir/own.crt; proxy_ssl_certificate_key $http_x_dir/own.key;'
  await start(`${named} location / { proxy_pass https://up; }`, 'upstream up { server %BACKEND%; }')
  for (const { cert, key } of clients) {
    await writeFile(join(authority.folder, 'own.crt'), cert)
    await writeFile(join(authority.folder, 'own.key'), key)
    expect(await ask('/', `X-Dir: ${authority.folder}`)).toContain('200 OK')
  }
  expect(backend.requests.map(({ client }) => client)).toEqual(['client one', 'client two'])
})

it('proxy_ssl_certificate_cache, a file that has changed, is what it was', async () => {
  const named = 'proxy_ssl_certificate $http_x_dir/own.crt; proxy_ssl_certificate_key $http_x_dir/own.key;'
  await start(
    `${named} proxy_ssl_certificate_cache max=2; location / { proxy_pass https://up; }`,
    'upstream up { server %BACKEND%; }',
  )
  for (const { cert, key } of clients) {
    await writeFile(join(authority.folder, 'own.crt'), cert)
    await writeFile(join(authority.folder, 'own.key'), key)
    expect(await ask('/', `X-Dir: ${authority.folder}`)).toContain('200 OK')
  }
  expect(backend.requests.map(({ client }) => client)).toEqual(['client one', 'client one'])
})

it.for(['BACKEND', 'OLD'])(
  'proxy_ssl_session_reuse, %s, resumes sessions of the same settings',
  async (name) => {
    const server = name === 'OLD' ? old : backend
    server.answer = (socket) => socket.end(CLOSING)
    await start(`location / { proxy_pass https://%${name}%; }
    location /other { proxy_ssl_ciphers HIGH; proxy_pass https://%${name}%; }
    location /off { proxy_ssl_session_reuse off; proxy_pass https://%${name}%; }`)
    for (const target of ['/', '/', '/other', '/', '/other', '/off', '/off']) {
      expect(await ask(target)).toContain('200 OK')
    }
    expect(server.requests.map(({ reused }) => reused)).toEqual([
      false,
      true,
      false,
      true,
      true,
      false,
      false,
    ])
  },
)

it('proxy_ssl_session_reuse, a name that requests give, has sessions of its own', async () => {
  backend.answer = (socket) => socket.end(CLOSING)
  await start(
    'proxy_ssl_server_name on; proxy_ssl_name $http_x_name; location / { proxy_pass https://%BACKEND%; }',
  )
  for (const name of ['one.test', 'two.test', 'one.test']) await ask('/', `X-Name: ${name}`)
  expect(backend.requests.map(({ reused, serverName }) => [serverName, reused])).toEqual([
    ['one.test', false],
    ['two.test', false],
    ['one.test', true],
  ])
})

it.for(['TLSv1.2', 'TLSv1.3'])(
  'proxy_ssl_key_log, %s, has the secrets of each connection',
  async (protocol) => {
    await start(`proxy_ssl_protocols ${protocol}; proxy_ssl_key_log logs/keys.log;
    location / { proxy_pass https://%BACKEND%; }`)
    expect(await ask()).toContain('200 OK')
    const label = protocol === 'TLSv1.2' ? 'CLIENT_RANDOM' : 'CLIENT_TRAFFIC_SECRET_0'
    const text = await eventually('secrets', () => {
      const written = engine!.read('logs/keys.log')
      return written.includes(label) && written
    })
    for (const line of text.trimEnd().split('\n'))
      expect(line).toMatch(/^[A-Z0-9_]+ [0-9a-f]{64} [0-9a-f]{64,96}$/)
  },
)

it('a connection that the backend closed while it was kept, is replaced by another one', async () => {
  await start('location / { proxy_pass https://up; }', 'upstream up { server %BACKEND%; }')
  await ask()
  backend.dropConnections()
  expect(await ask()).toContain('200 OK')
  expect(connections()).toEqual([0, 1])
})
