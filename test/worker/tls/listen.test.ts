// `listen ... ssl` with real clients: who is shown which certificate, what may be spoken, what is resumed, and what
// becomes of those that speak no TLS or stop in the middle of it.

import { once } from 'node:events'
import { connect as connectPlain } from 'node:net'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Authority, type Certificate } from '../../support/certificates.ts'
import { TestEngine } from '../../support/engine.ts'
import { Peer } from '../../support/peer.ts'
import { eventually } from '../../support/wait.ts'

let authority: Authority
let a: Certificate
let b: Certificate
let rsa: Certificate
let engine: TestEngine | null = null
const sockets: TLSSocket[] = []

beforeAll(async () => {
  authority = await Authority.create()
  ;[a, b, rsa] = await Promise.all([
    authority.issue('a.test', { names: ['a.test', '*.a.test'] }),
    authority.issue('b.test'),
    authority.issue('a.test', { key: 'rsa' }),
  ])
})
afterAll(() => authority.remove())
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await eventually('end of all connections', () => engine === null || engine.stats.active === 0)
  // Nothing is left counted.
  if (engine !== null)
    expect([engine.stats.waiting, engine.stats.reading, engine.stats.writing]).toEqual([0, 0, 0])
  await engine?.stop()
  engine = null
})

const files = ({ certFile, keyFile }: Certificate): string =>
  `ssl_certificate ${certFile}; ssl_certificate_key ${keyFile};`

/** A configuration of these servers, which all listen on the port. */
function conf(servers: string[], http = ''): string {
  const blocks = servers.map((text) => `server { listen 127.0.0.1:%PORT% ssl; ${text} }`)
  return `error_log logs/error.log info; events {} http { access_log logs/access.log; ${http} ${blocks.join(' ')} }`
}

const answer = (text: string): string => `location / { return 200 "${text}"; }`

async function start(servers: string[], http = ''): Promise<TestEngine> {
  engine = await TestEngine.start(conf(servers, http))
  return engine
}

/** A handshake that went through. */
async function shake(options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({
    port: engine!.port,
    host: '127.0.0.1',
    ca: authority.cert,
    servername: 'a.test',
    ...options,
  })
  sockets.push(socket)
  await once(socket, 'secureConnect')
  return socket
}

/** The code of the error that a handshake fails with. */
async function refusal(options: ConnectionOptions): Promise<string> {
  const socket = connect({ port: engine!.port, host: '127.0.0.1', rejectUnauthorized: false, ...options })
  sockets.push(socket)
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException]
  return error.code ?? error.message
}

/** What is answered to a request on the connection, head and all. */
function ask(socket: TLSSocket, host = 'a.test'): Promise<string> {
  return exchange(socket, `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
}

async function exchange(socket: TLSSocket, request: string): Promise<string> {
  let text = ''
  socket.on('data', (bytes) => (text += bytes.toString('latin1')))
  socket.write(request)
  await once(socket, 'end')
  return text
}

async function logged(text: string): Promise<void> {
  await eventually(text, () => engine!.errorLog.includes(text)).catch(() => {
    throw new Error(`no "${text}" in: ${engine!.errorLog}`)
  })
}

describe('certificates by SNI', () => {
  const SERVERS = () => [
    `server_name other.test; ${files(b)} ${answer('default $scheme $https')}`,
    `server_name .a.test; ${files(a)} ${answer('a')}`,
    `server_name ~^re\\.; ${files(a)} ${answer('re')}`,
  ]

  it.each([
    ['a.test', 'a.test', 'a'],
    ['A.TEST', 'a.test', 'a'],
    ['deep.a.test', 'a.test', 'a'],
    ['re.anything', 'a.test', 're'],
    ['unknown.test', 'b.test', 'default https on'],
  ])('%s is shown that of %s', async (servername, subject, text) => {
    await start(SERVERS())
    const socket = await shake({ servername, rejectUnauthorized: false })
    expect(socket.getPeerCertificate().subject.CN).toBe(subject)
    expect(await ask(socket, servername)).toContain(`\r\n\r\n${text}`)
  })

  it('without a name is that of the default server', async () => {
    await start(SERVERS())
    const socket = await shake({ servername: '', rejectUnauthorized: false })
    expect(socket.getPeerCertificate().subject.CN).toBe('b.test')
  })

  it('does not make that server the one for requests without a host, or to one that nobody has', async () => {
    await start(SERVERS())
    expect(await ask(await shake(), 'nobody.test')).toMatch(/default https on$/)
    expect(await exchange(await shake(), 'GET / HTTP/1.0\r\n\r\n')).toMatch(/default https on$/)
  })

  it('leaves the server to Host', async () => {
    await start(SERVERS())
    expect(await ask(await shake(), 'other.test')).toMatch(/default https on$/)
  })

  it('a server without one uses that of the default server', async () => {
    await start([`server_name a.test; ${files(a)} ${answer('a')}`, `server_name b.test; ${answer('b')}`])
    const socket = await shake({ servername: 'b.test', rejectUnauthorized: false })
    expect(socket.getPeerCertificate().subject.CN).toBe('a.test')
    expect(await ask(socket, 'b.test')).toMatch(/b$/)
  })
})

describe('keys of two types', () => {
  it.each([
    ['ECDSA', 'ECDHE-ECDSA-AES128-GCM-SHA256'],
    ['RSA', 'ECDHE-RSA-AES128-GCM-SHA256'],
  ])('a client that knows %s only gets such a certificate, with its chain', async (type, ciphers) => {
    await start([`${files(a)} ${files(rsa)} ${answer('')}`])
    const socket = await shake({ ciphers, maxVersion: 'TLSv1.2' })
    expect(socket.getCipher().name).toContain(type)
    expect(socket.authorized).toBe(true)
  })
})

describe('protocols and ciphers', () => {
  const at = (version: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'): ConnectionOptions => ({
    minVersion: version,
    maxVersion: version,
    ciphers: 'ALL:@SECLEVEL=0',
  })

  it('are TLS 1.2 and 1.3 by default', async () => {
    await start([`${files(a)} ${answer('')}`])
    expect((await shake({ maxVersion: 'TLSv1.2' })).getProtocol()).toBe('TLSv1.2')
    expect((await shake()).getProtocol()).toBe('TLSv1.3')
    expect(await refusal(at('TLSv1.1'))).toBe('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION')
    await logged('SSL_do_handshake() failed (SSL: error:0A000102:SSL routines::unsupported protocol')
  })

  it('are those of ssl_protocols, gaps and all', async () => {
    await start([`${files(a)} ssl_protocols TLSv1.1 TLSv1.3; ssl_ciphers ALL:@SECLEVEL=0; ${answer('')}`])
    expect((await shake(at('TLSv1.1'))).getProtocol()).toBe('TLSv1.1')
    expect((await shake()).getProtocol()).toBe('TLSv1.3')
    expect(await refusal(at('TLSv1.2'))).toContain('ERR_SSL')
  })

  it('differ from server to server', async () => {
    await start([
      `server_name a.test; ${files(a)} ssl_protocols TLSv1.2; ${answer('')}`,
      `server_name b.test; ${files(b)} ssl_protocols TLSv1.3; ${answer('')}`,
    ])
    expect((await shake()).getProtocol()).toBe('TLSv1.2')
    expect((await shake({ servername: 'b.test' })).getProtocol()).toBe('TLSv1.3')
  })

  it('prefer the order of the server only where it says so', async () => {
    const ciphers = 'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384'
    const own = 'ssl_ciphers ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256;'
    await start([
      `server_name a.test; ${files(a)} ${own} ${answer('')}`,
      `server_name b.test; ${files(b)} ${own} ssl_prefer_server_ciphers on; ${answer('')}`,
    ])
    const older = { maxVersion: 'TLSv1.2', ciphers } as const
    expect((await shake(older)).getCipher().name).toContain('AES128')
    expect((await shake({ ...older, servername: 'b.test' })).getCipher().name).toContain('AES256')
  })

  it('have the groups of ssl_ecdh_curve', async () => {
    await start([`${files(a)} ssl_ecdh_curve secp384r1; ${answer('')}`])
    expect((await shake({ ecdhCurve: 'P-384' })).getEphemeralKeyInfo()).toMatchObject({ name: 'secp384r1' })
    expect(await refusal({ ecdhCurve: 'X25519' })).toContain('ERR_SSL')
  })

  it('in TLS 1.3 have the suites of ssl_conf_command', async () => {
    await start([`${files(a)} ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256; ${answer('')}`])
    expect((await shake()).getCipher().name).toBe('TLS_AES_128_GCM_SHA256')
  })

  it('agree on http/1.1 by ALPN, on h2 where http2 is on, and on nothing else', async () => {
    await start([
      `server_name a.test; ${files(a)} ${answer('')}`,
      `server_name b.test; ${files(b)} http2 on; ${answer('')}`,
    ])
    const ALPNProtocols = ['h2', 'http/1.1']
    expect((await shake({ ALPNProtocols })).alpnProtocol).toBe('http/1.1')
    expect((await shake({ ALPNProtocols, servername: 'b.test' })).alpnProtocol).toBe('h2')
    expect(await refusal({ ALPNProtocols: ['h2'], servername: 'a.test' })).toContain(
      'NO_APPLICATION_PROTOCOL',
    )
  })
})

describe('sessions', () => {
  /** A session of a first connection, or whether it is gone on with. */
  async function resume(version: 'TLSv1.2' | 'TLSv1.3', options: ConnectionOptions = {}): Promise<boolean> {
    const first = await shake({ maxVersion: version })
    let session: Buffer | null = null
    first.on('session', (bytes: Buffer) => (session = bytes))
    await ask(first)
    const second = await shake({ maxVersion: version, session: session ?? first.getSession()!, ...options })
    return second.isSessionReused()
  }

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('of %s go on with tickets', async (version) => {
    await start([`${files(a)} ${answer('')}`])
    expect(await resume(version)).toBe(true)
  })

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('of %s do not without', async (version) => {
    await start([`${files(a)} ssl_session_tickets off; ${answer('')}`])
    expect(await resume(version)).toBe(false)
  })

  it('go on after a reload', async () => {
    await start([`${files(a)} ${answer('')}`])
    const first = await shake({ maxVersion: 'TLSv1.2' })
    engine!.load(conf([`${files(a)} ${answer('')}`]))
    const second = await shake({ maxVersion: 'TLSv1.2', session: first.getSession()! })
    expect(second.isSessionReused()).toBe(true)
  })

  it('do not go on with another certificate', async () => {
    await start([`${files(a)} ${answer('')}`])
    const first = await shake({ maxVersion: 'TLSv1.2' })
    engine!.load(conf([`${files(rsa)} ${answer('')}`]))
    const second = await shake({ maxVersion: 'TLSv1.2', session: first.getSession()! })
    expect(second.isSessionReused()).toBe(false)
  })
})

describe('a reload', () => {
  it('has new certificates for new connections, while old ones live on', async () => {
    await start([`${files(a)} ${answer('old')}`])
    const old = await shake({ rejectUnauthorized: false })
    engine!.load(conf([`${files(b)} ${answer('new')}`]))
    const fresh = await shake({ rejectUnauthorized: false })
    expect(fresh.getPeerCertificate().subject.CN).toBe('b.test')
    expect(await ask(old)).toMatch(/new$/)
  })
})

describe('ssl_reject_handshake', () => {
  it('ends the handshakes of those who ask for that server', async () => {
    await start(['ssl_reject_handshake on;', `server_name a.test; ${files(a)} ${answer('a')}`])
    expect(await refusal({ servername: 'unknown.test' })).toBe('ERR_SSL_TLSV1_UNRECOGNIZED_NAME')
    await logged('handshake rejected while SSL handshaking, client: 127.0.0.1, server: 127.0.0.1:')
    expect(await ask(await shake())).toMatch(/a$/)
  })
})

describe('what is no TLS', () => {
  async function raw(bytes: string, options: { end?: boolean } = {}): Promise<Peer> {
    const peer = await Peer.connect(engine!.port)
    await peer.send(bytes)
    if (options.end) peer.end()
    return peer
  }

  it('is answered by 400 where it is HTTP', async () => {
    await start([`${files(a)} ${answer('a')}`])
    const peer = await raw('GET /x HTTP/1.1\r\nHost: a.test\r\n\r\n')
    expect(await peer.untilEnd()).toMatch(
      /^HTTP\/1.1 400 Bad Request\r\n[\s\S]*Connection: close\r\n[\s\S]*The plain HTTP request was sent to HTTPS port/,
    )
    await logged(
      'client sent plain HTTP request to HTTPS port while reading client request headers, client: 127.0.0.1, server: , ' +
        'request: "GET /x HTTP/1.1", host: "a.test"',
    )
    peer.destroy()
  })

  it('may be sent elsewhere by error_page 497', async () => {
    await start([`${files(a)} error_page 497 =301 https://a.test$request_uri; ${answer('a')}`])
    const peer = await raw('GET /x?y HTTP/1.1\r\nHost: a.test\r\n\r\n')
    expect(await peer.untilEnd()).toMatch(/^HTTP\/1.1 301 [\s\S]*\r\nLocation: https:\/\/a\.test\/x\?y\r\n/)
    peer.destroy()
  })

  it('is refused by OpenSSL where it begins as a record', async () => {
    await start([`${files(a)} ${answer('a')}`])
    const peer = await raw('\x16\x09garbage that goes on')
    await peer.untilEnd()
    await logged(
      'SSL_do_handshake() failed (SSL: error:0A00010B:SSL routines::wrong version number) while SSL handshaking',
    )
    peer.destroy()
  })

  it.each([
    ['nothing', '', 'client closed connection while SSL handshaking, client: 127.0.0.1'],
    [
      'half a hello',
      '\x16\x03\x01\x02\0\x01',
      'peer closed connection in SSL handshake while SSL handshaking',
    ],
  ])('ends with %s, and is logged', async (_name, bytes, line) => {
    await start([`${files(a)} ${answer('a')}`])
    const peer = await raw(bytes, { end: true })
    await peer.untilEnd()
    await logged(line)
    peer.destroy()
  })

  it.each([
    ['nothing', ''],
    ['half a hello', '\x16\x03\x01\x02\0\x01'],
  ])('says %s for client_header_timeout, and is closed', async (_name, bytes) => {
    await start([`${files(a)} client_header_timeout 50ms; ${answer('a')}`])
    const peer = await raw(bytes)
    await peer.untilEnd()
    await logged('client timed out (110: Connection timed out) while SSL handshaking')
    peer.destroy()
  })

  it('stops within its hello for ssl_handshake_timeout, and is closed', async () => {
    await start([`${files(a)} ssl_handshake_timeout 50ms; ${answer('a')}`])
    const peer = await raw('\x16')
    await peer.untilEnd()
    await logged('client timed out (110: Connection timed out) while SSL handshaking')
    peer.destroy()
  })

  it('says nothing behind its hello for client_header_timeout, and is closed', async () => {
    await start([`${files(a)} client_header_timeout 50ms; ${answer('a')}`])
    const hello = await firstBytes()
    const peer = await raw(hello)
    await peer.untilEnd()
    expect(peer.count).toBeGreaterThan(100)
    await logged('client timed out (110: Connection timed out) while SSL handshaking')
    peer.destroy()
  })

  it('resets in the middle of the handshake, and leaves nothing', async () => {
    await start([`${files(a)} ${answer('a')}`])
    const peer = await raw(await firstBytes())
    await peer.when('answer', () => peer.count > 0)
    peer.destroy(true)
    await logged(
      'peer closed connection in SSL handshake (104: Connection reset by peer) while SSL handshaking',
    )
  })

  it('is a huge hello, and is refused', async () => {
    await start([`${files(a)} ${answer('a')}`])
    const record = `\x16\x03\x01\x40\0${'\0'.repeat(16384)}`
    const peer = await raw(`\x16\x03\x01\x40\0\x01\x02\0\0${'\0'.repeat(16380)}${record.repeat(9)}`)
    await peer.untilEnd()
    await logged('SSL_do_handshake() failed')
    peer.destroy(true)
  })

  it('a byte at a time is TLS all the same', async () => {
    await start([`${files(a)} ${answer('a')}`])
    const hello = await firstBytes()
    const peer = await Peer.connect(engine!.port)
    for (const byte of hello) await peer.send(byte)
    await peer.when('the answer', () => peer.count > 500)
    expect(peer.received.startsWith('\x16\x03\x03')).toBe(true)
    peer.destroy()
    await logged('peer closed connection in SSL handshake')
  })

  /** The hello of a client for a.test, latin1. */
  async function firstBytes(): Promise<string> {
    const server = await import('node:net').then(({ createServer }) => createServer().listen(0, '127.0.0.1'))
    await once(server, 'listening')
    const accepted = once(server, 'connection')
    const { port } = server.address() as { port: number }
    const client = connect({ socket: connectPlain(port, '127.0.0.1'), servername: 'a.test' })
    client.on('error', () => {})
    const [socket] = await accepted
    const [bytes] = (await once(socket, 'data')) as [Buffer]
    client.destroy()
    socket.destroy()
    server.close()
    return bytes.toString('latin1')
  }
})
