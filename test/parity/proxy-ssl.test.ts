// Backends that speak TLS, badly or not at all, and what `proxy_ssl_*` makes of them: what the client gets and what the
// error log says.

import { writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { Authority, type Certificate } from '../support/certificates.ts'
import { SecureBackend, type SecureRequest } from '../support/secure-backend.ts'
import { describeParity } from './compare.ts'
import { get, MODERN, type ParityCases, request } from './requests.ts'

/**
 * What nginx has by default since 1.27.3. Without sessions: nginx 1.22 resumes those of other settings, whatever they
 * check, and with whichever certificate they were made.
 */
const PROTOCOLS = 'proxy_ssl_protocols TLSv1.2 TLSv1.3; proxy_ssl_session_reuse off;'
const LOGGING = `
  log_format parity '$request: $status body=$body_bytes_sent upstream="$upstream_addr" $upstream_status $proxy_host:$proxy_port';
  access_log logs/access.log parity;${MODERN} ${PROTOCOLS}`

const NAMES = `${LOGGING}
  upstream secure { server %SECURE%; }
  upstream mixed { server %PLAIN% max_fails=0; server %SECURE% backup; }
  server {
    listen 127.0.0.1:%PORT%;
    location / { proxy_pass https://%SECURE%; }
    location /plain { proxy_pass https://%PLAIN%; }
    location /eof { proxy_pass https://%EOF%; }
    location /reset { proxy_pass https://%RESET%; }
    location /silent { proxy_connect_timeout 100ms; proxy_pass https://%SILENT%; }
    location /refused { proxy_pass https://%REFUSED%; }
    location /next { proxy_pass https://mixed; }
    location /not_next { proxy_next_upstream timeout; proxy_pass https://mixed; }
    location /old { proxy_ssl_protocols TLSv1.3; proxy_pass https://%OLD%; }
    location /old12 { proxy_pass https://%OLD%; }
    location /ciphers { proxy_ssl_ciphers ECDHE-ECDSA-AES256-GCM-SHA384; proxy_pass https://%OLD%; }
    location /asking { proxy_pass https://%ASKING%; }
    location /asking12 { proxy_ssl_protocols TLSv1.2; proxy_pass https://%ASKING%; }
    location /shown { proxy_ssl_certificate %CERTS%/client.crt; proxy_ssl_certificate_key %CERTS%/client.key;
      proxy_pass https://%ASKING%; }
    location /locked { proxy_ssl_certificate %CERTS%/client.crt; proxy_ssl_certificate_key %CERTS%/locked.key;
      proxy_ssl_password_file %CERTS%/passwords; proxy_pass https://%ASKING%; }
    location /variable { proxy_ssl_certificate %CERTS%/$arg_c.crt; proxy_ssl_certificate_key %CERTS%/$arg_c.key;
      proxy_pass https://%ASKING%; }
    location /empty { proxy_ssl_certificate $arg_c; proxy_ssl_certificate_key $arg_c; proxy_pass https://%ASKING%; }
    location /sni { proxy_ssl_server_name on; proxy_pass https://secure; }
    location /sni/name { proxy_ssl_server_name on; proxy_ssl_name $arg_n; proxy_pass https://secure; }
    location /sni/address { proxy_ssl_server_name on; proxy_pass https://%SECURE%; }
    location /scheme { proxy_pass $arg_s://%SECURE%; }
    location /uri/ { proxy_pass https://secure/base/; }
    location /socket { proxy_pass https://unix:%CERTS%/backend.sock:/base; }
    location /length { proxy_http_version 1.0; proxy_pass https://%SECURE%; }
    location /broken/ { proxy_buffering off; proxy_pass https://%BROKEN%/; }
    location /command { proxy_ssl_conf_command Ciphersuites TLS_CHACHA20_POLY1305_SHA256; proxy_pass https://%SECURE%; }
    location /command12 { proxy_ssl_conf_command MaxProtocol TLSv1.2; proxy_pass https://%SECURE%; }
  }
`

const names: ParityCases = [
  { name: 'a request', send: get('/') },
  { name: 'a request with a body', send: `${request('POST', '/', 'Content-Length: 3')}abc` },
  { name: 'kept connections', send: [get('/'), get('/')], until: 2, logged: 2 },
  { name: 'a backend without TLS', send: get('/plain?a=b', 'Referer: http://r.test/') },
  { name: 'the end in the handshake', send: get('/eof') },
  { name: 'a reset in the handshake', send: get('/reset') },
  { name: 'silence in the handshake', send: get('/silent') },
  { name: 'nobody there', send: get('/refused') },
  { name: 'the next server', send: get('/next') },
  { name: 'the next server, POST', send: `${request('POST', '/next', 'Content-Length: 3')}abc` },
  { name: 'no next server', send: get('/not_next') },
  { name: 'no protocol in common', send: get('/old') },
  { name: 'an older protocol', send: get('/old12') },
  { name: 'no cipher in common', send: get('/ciphers') },
  { name: 'no certificate where one is wanted, TLS 1.3', send: get('/asking') },
  { name: 'no certificate where one is wanted, TLS 1.2', send: get('/asking12') },
  { name: 'a certificate', send: get('/shown') },
  { name: 'a certificate with an encrypted key', send: get('/locked') },
  { name: 'a certificate from a variable', send: get('/variable?c=client') },
  { name: 'a certificate from a variable, no file', send: get('/variable?c=none') },
  { name: 'a certificate from a variable, no certificate', send: get('/variable?c=broken') },
  { name: 'a certificate from a variable, another key', send: get('/variable?c=wrong') },
  { name: 'a certificate from a variable, no key', send: get('/variable?c=keyless') },
  { name: 'a certificate from a variable, empty', send: get('/empty') },
  { name: 'SNI', send: get('/sni') },
  { name: 'SNI, a variable', send: get('/sni/name?n=x.test') },
  { name: 'SNI, a variable with a port', send: get('/sni/name?n=x.test:80') },
  { name: 'SNI, a variable that is empty', send: get('/sni/name') },
  { name: 'SNI, an address', send: get('/sni/name?n=127.0.0.2') },
  { name: 'SNI, an IPv6 address', send: get('/sni/name?n=[::1]:9') },
  { name: 'SNI, the address of proxy_pass', send: get('/sni/address') },
  { name: 'a scheme from a variable', send: get('/scheme?s=https') },
  { name: 'a scheme from a variable, in capitals', send: get('/scheme?s=HTTPS') },
  { name: 'a URI', send: get('/uri/x?y') },
  { name: 'a unix socket', send: get('/socket/x') },
  { name: 'a response until the end', send: get('/length') },
  { name: 'the end in place of a response', send: get('/broken/end') },
  { name: 'the end of the connection in place of a response', send: get('/broken/cut') },
  { name: 'the end within a head', send: get('/broken/end/head') },
  { name: 'the end within content', send: get('/broken/end/length'), until: 'close' },
  { name: 'the end of the connection within content', send: get('/broken/cut/length'), until: 'close' },
  { name: 'the end within chunks', send: get('/broken/end/chunks'), until: 'close' },
  { name: 'content until the end', send: get('/broken/end/rest') },
  { name: 'content until the end of the connection', send: get('/broken/cut/rest') },
  { name: 'a command for the ciphers of TLS 1.3', send: get('/command') },
  { name: 'a command for the protocol', send: get('/command12') },
]

const VERIFY = `${LOGGING}
  proxy_ssl_verify on; proxy_ssl_name a.test; proxy_ssl_trusted_certificate %CERTS%/ca.crt; proxy_ssl_server_name on;
  upstream secure { server %SECURE%; }
  upstream two { server %EXPIRED%; server %SECURE% backup; }
  server {
    listen 127.0.0.1:%PORT%;
    location / { proxy_pass https://secure; }
    location /name { proxy_ssl_name $arg_n; proxy_pass https://secure; }
    location /self { proxy_pass https://%SELF%; }
    location /expired { proxy_pass https://%EXPIRED%; }
    location /next { proxy_pass https://two; }
    location /depth1/1 { proxy_pass https://%ONE%; }
    location /depth0/1 { proxy_ssl_verify_depth 0; proxy_pass https://%ONE%; }
    location /depth0/0 { proxy_ssl_verify_depth 0; proxy_pass https://secure; }
    location /depth1/2 { proxy_ssl_verify_depth 1; proxy_pass https://%TWO%; }
    location /depth2/2 { proxy_ssl_verify_depth 2; proxy_pass https://%TWO%; }
    location /cut { proxy_ssl_verify_depth 2; proxy_pass https://%CUT%; }
    location /cut/1 { proxy_ssl_trusted_certificate %CERTS%/with-one.crt; proxy_pass https://%CUT%; }
    location /cut/2 { proxy_ssl_trusted_certificate %CERTS%/with-one.crt; proxy_ssl_verify_depth 2;
      proxy_pass https://%CUT%; }
    location /crl { proxy_ssl_crl %CRL%; proxy_pass https://secure; }
    location /crl/revoked { proxy_ssl_crl %CRL%; proxy_pass https://%REVOKED%; }
    location /crl/missing { proxy_ssl_crl %CRL%; proxy_pass https://%ONE%; }
    location /off { proxy_ssl_verify off; proxy_pass https://%SELF%; }
  }
`

const verify: ParityCases = [
  ...['/', '/self', '/expired', '/next', '/depth1/1', '/depth0/1', '/depth0/0', '/depth1/2', '/depth2/2'],
  ...[
    '/crl',
    '/crl/revoked',
    '/cut',
    '/cut/1',
    '/cut/2',
    '/crl/missing',
    '/off',
    '/name?n=b.test',
    '/name?n=A.TEST:1',
    '/name',
    '/name?n=x.wild.test',
  ],
  ...['/name?n=wild.test', '/name?n=a.b.wild.test', '/name?n=127.0.0.1'],
].map((target) => ({ name: target, send: get(target) }))

const stops: (() => unknown)[] = []
afterAll(async () => {
  for (const stop of stops) await stop()
})

/** Says what it was told, and ends a connection where nginx 1.0 would not keep it either. */
function tell(backend: SecureBackend): void {
  backend.answer = (socket, { text, serverName, protocol, cipher, client }: SecureRequest) => {
    const body = JSON.stringify({ line: text.split('\r\n')[0], serverName, protocol, cipher, client })
    if (text.includes('HTTP/1.0')) socket.end(`HTTP/1.0 200 OK\r\n\r\n${body}`, 'latin1')
    else socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`, 'latin1')
  }
}

async function secure(
  { cert, key }: Certificate,
  options: Parameters<typeof SecureBackend.start>[0] = {},
  path?: string,
): Promise<string> {
  const backend = await SecureBackend.start({ cert, key, ...options }, path)
  tell(backend)
  stops.push(() => backend.stop())
  return path ?? backend.address
}

const PARTS: Readonly<Record<string, string>> = {
  head: 'HTTP/1.1 200 OK\r\nContent-',
  length: 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart',
  chunks: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n',
  rest: 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\npart',
}

/** Breaks responses off, as the URI says: with close_notify or without. */
async function broken(certificate: Certificate): Promise<string> {
  const backend = await SecureBackend.start({ cert: certificate.cert, key: certificate.key })
  backend.answer = (socket, { text }) => {
    const [, how, part = ''] = /^GET \/(\w+)\/?(\w*)/.exec(text)!
    const beneath = (socket as unknown as { _parent: Socket })._parent
    // Time for the part to be read on its own.
    socket.write(PARTS[part] ?? '', 'latin1', () =>
      setTimeout(() => {
        if (how === 'end') socket.end()
        else beneath.end()
      }, 20),
    )
  }
  stops.push(() => backend.stop())
  return backend.address
}

async function rawServer(what: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('data', () => what(socket))
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  stops.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function authority(): Promise<Authority> {
  const made = await Authority.create()
  stops.push(() => made.remove())
  return made
}

describeParity('proxy_ssl_* and backends', NAMES, names, {
  vars: async () => {
    const ca = await authority()
    const own = await ca.issue('a.test')
    const client = await ca.issue('client')
    const other = await ca.issue('other')
    const { createPrivateKey } = await import('node:crypto')
    const locked = createPrivateKey(client.key).export({
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase: 'second',
    })
    const files: Record<string, string> = {
      'client.crt': client.cert,
      'client.key': client.key,
      'locked.key': String(locked),
      passwords: 'first\n\nsecond\n',
      'broken.crt': 'nothing',
      'broken.key': client.key,
      'wrong.crt': client.cert,
      'wrong.key': other.key,
      'keyless.crt': client.cert,
    }
    for (const [name, text] of Object.entries(files)) await writeFile(join(ca.folder, name), text)
    const asking = { requestCert: true, rejectUnauthorized: true, ca: ca.cert }
    await secure(own, {}, join(ca.folder, 'backend.sock'))
    return {
      CERTS: ca.folder,
      SECURE: await secure(own),
      OLD: await secure(own, { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' }),
      ASKING: await secure(own, asking),
      BROKEN: await broken(own),
      PLAIN: await rawServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
      EOF: await rawServer((socket) => socket.end()),
      RESET: await rawServer((socket) => socket.resetAndDestroy()),
      SILENT: await rawServer(() => {}),
    }
  },
})

describeParity('proxy_ssl_verify', VERIFY, verify, {
  vars: async () => {
    const ca = await authority()
    const one = await ca.intermediate('One')
    const two = await one.intermediate('Two')
    const chain = async (signer: Authority, ...links: Authority[]): Promise<Certificate> => {
      const own = await signer.issue('a.test')
      return { ...own, cert: [own, ...links].map(({ cert }) => cert).join('') }
    }
    const revoked = await ca.issue('a.test')
    await ca.revoke(revoked)
    await writeFile(join(ca.folder, 'with-one.crt'), ca.cert + one.cert)
    return {
      CERTS: ca.folder,
      SECURE: await secure(await ca.issue('a.test', { names: ['a.test', '*.wild.test'] })),
      SELF: await secure(await authority()),
      EXPIRED: await secure(await ca.issue('a.test', { from: -9, until: -1 })),
      ONE: await secure(await chain(one, one)),
      TWO: await secure(await chain(two, two, one)),
      CUT: await secure(await chain(two, two)),
      REVOKED: await secure(revoked),
      CRL: await ca.revocations(),
    }
  },
})
