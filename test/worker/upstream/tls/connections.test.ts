// Connections by TLS beside everything else that connections to backends have: local addresses, names that are looked
// up, reloads, clients that are slow.

import { createHash, randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { Authority, type Certificate } from '../../../support/certificates.ts'
import { DnsServer } from '../../../support/dns-server.ts'
import { serverConf, TestEngine } from '../../../support/engine.ts'
import { rawRequest } from '../../../support/raw-client.ts'
import { SecureBackend } from '../../../support/secure-backend.ts'

let authority: Authority
let clients: Certificate[]
let backend: SecureBackend
let dns: DnsServer
let engine: TestEngine

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

beforeAll(async () => {
  authority = await Authority.create()
  const asking = { requestCert: true, rejectUnauthorized: false, ca: authority.cert }
  backend = await SecureBackend.start({ ...(await authority.issue('a.test')), ...asking })
  clients = [await authority.issue('client one'), await authority.issue('client two')]
  dns = await DnsServer.start()
})

afterEach(async () => {
  backend.reset()
  backend.answer = (socket) => socket.write(OK)
  await engine.stop()
})

afterAll(async () => {
  await backend.stop()
  await dns.stop()
  await authority.remove()
})

function conf(body: string, http = ''): string {
  return serverConf(body, http)
}

async function start(body: string, http = ''): Promise<void> {
  const vars = { BACKEND: backend.address, BACKPORT: backend.port, CERTS: authority.folder, DNS: dns.port }
  engine = await TestEngine.start(conf(body, http), vars)
}

async function ask(target = '/'): Promise<string> {
  const { bytes } = await rawRequest(engine.port, `GET ${target} HTTP/1.1\r\nHost: h\r\n\r\n`)
  return bytes.toString('latin1')
}

it('proxy_bind, https, is where the connection comes from', async () => {
  const from: (string | undefined)[] = []
  backend.answer = (socket) => {
    from.push(socket.remoteAddress)
    socket.write(OK)
  }
  await start(
    'location / { proxy_bind 127.0.0.3; proxy_pass https://%BACKEND%; } location /b { proxy_pass https://%BACKEND%; }',
  )
  for (const target of ['/', '/b', '/']) expect(await ask(target)).toContain('200 OK')
  expect(from).toEqual(['127.0.0.3', '127.0.0.1', '127.0.0.3'])
  expect(backend.connections).toBe(2)
})

it('proxy_pass with a name that the resolver knows, has that name checked', async () => {
  dns.names.set('a.test', { records: [{ type: 'A', value: '127.0.0.1' }] })
  dns.names.set('b.test', { records: [{ type: 'A', value: '127.0.0.1' }] })
  await start(`resolver 127.0.0.1:%DNS% ipv6=off; proxy_ssl_verify on; proxy_ssl_server_name on;
    proxy_ssl_trusted_certificate %CERTS%/ca.crt; location / { proxy_pass https://$arg_name:%BACKPORT%; }`)
  expect(await ask('/?name=a.test')).toContain('200 OK')
  expect(await ask('/?name=b.test')).toContain('502 Bad')
  expect(engine.errorLog).toContain('upstream SSL certificate does not match "b.test" while SSL handshaking')
  expect(backend.requests.map(({ serverName }) => serverName)).toEqual(['a.test'])
})

it('sticky, https, sends requests of a client to the server its cookie names', async () => {
  await start(
    'location / { proxy_pass https://up; }',
    'upstream up { server %BACKEND%; server 127.0.0.1:1; sticky cookie s; }',
  )
  const answers = [await ask(), await ask()]
  expect(answers.filter((answer) => /Set-Cookie: s=/i.test(answer))).toHaveLength(2)
  expect(backend.requests).toHaveLength(2)
})

it('a reload reads the certificate anew, and uses no connection made with the one before', async () => {
  const body = `proxy_ssl_certificate %CERTS%/reloaded.crt; proxy_ssl_certificate_key %CERTS%/reloaded.key;
    location / { proxy_pass https://%BACKEND%; }`
  const write = async ({ cert, key }: Certificate) => {
    await writeFile(join(authority.folder, 'reloaded.crt'), cert)
    await writeFile(join(authority.folder, 'reloaded.key'), key)
  }
  await write(clients[0]!)
  await start(body)
  await ask()
  await write(clients[1]!)
  await ask()
  engine.load(conf(body))
  await ask()
  expect(backend.requests.map(({ client }) => client)).toEqual(['client one', 'client one', 'client two'])
})

it('a client that reads slowly gets a large response whole, and holds the backend back', async () => {
  const content = randomBytes(20_000_000)
  let drained = false
  backend.answer = (socket) => {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${content.length}\r\n\r\n`)
    socket.write(content, () => (drained = true))
  }
  await start('proxy_buffering off; location / { proxy_pass https://%BACKEND%; }')
  const client = connect(engine.port, '127.0.0.1')
  const hash = createHash('sha256')
  let length = 0
  let head = ''
  const done = Promise.withResolvers<void>()
  client.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n')
  client.on('data', (bytes: Buffer) => {
    let part = bytes
    if (length === 0 && !head.includes('\r\n\r\n')) {
      head += bytes.toString('latin1')
      if (!head.includes('\r\n\r\n')) return
      expect(drained).toBe(false)
      part = Buffer.from(head.slice(head.indexOf('\r\n\r\n') + 4), 'latin1')
    }
    hash.update(part)
    length += part.length
    client.pause()
    setImmediate(() => client.resume())
    if (length === content.length) done.resolve()
  })
  await done.promise
  expect(hash.digest('hex')).toBe(createHash('sha256').update(content).digest('hex'))
  client.destroy()
})

it('many requests at a time, each with a body, come and go whole', async () => {
  backend.answer = (socket, { text }) => {
    const body = text.slice(text.indexOf('\r\n\r\n') + 4)
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`, 'latin1')
  }
  await start('location / { proxy_pass https://up; }', 'upstream up { server %BACKEND%; keepalive 8; }')
  const bodies = Array.from({ length: 40 }, (_, index) => randomBytes(1000 + index * 997).toString('hex'))
  const answers = await Promise.all(
    bodies.map(async (body) => {
      const head = `POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${body.length}\r\n\r\n`
      return (await rawRequest(engine.port, head + body)).bytes.toString('latin1')
    }),
  )
  const contents = answers.map((answer) => answer.slice(answer.indexOf('\r\n\r\n') + 4))
  expect(contents.map((content, index) => content === bodies[index])).toEqual(bodies.map(() => true))
})
