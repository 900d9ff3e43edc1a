// TLS towards clients, side by side with nginx: which handshakes come about and with which certificate, what is answered
// on them, what happens to those that speak something else, and what the logs say of all that.

import { once } from 'node:events'
import { connect as connectPlain } from 'node:net'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Authority, type Certificate } from '../support/certificates.ts'
import { nginxMissing, type RunningProxy, startNginx, startWeir } from '../support/proxy.ts'
import { eventually } from '../support/wait.ts'
import { answerLines, errorLines } from './normalise.ts'

let authority: Authority
const pair: { nginx?: RunningProxy; weir?: RunningProxy } = {}

const files = ({ certFile, keyFile }: Certificate): string =>
  `ssl_certificate ${certFile}; ssl_certificate_key ${keyFile};`

/** What became of one connection. */
interface Outcome {
  /** Common name and type of the key of the certificate shown. */
  certificate?: string
  protocol?: string | null
  alpn?: string | false | null
  answer?: string[]
  /** Code of the error the client met. */
  error?: string | undefined
  log: string[]
}

/** Sends bytes over TLS, as they are where there are none of it, and waits for the end. */
async function visit(proxy: RunningProxy, port: number, exchange: Exchange): Promise<Outcome> {
  const before = proxy.errorLog.length
  const outcome: Outcome = { log: [] }
  const raw = connectPlain(proxy.ports[port - 1]!, '127.0.0.1')
  await once(raw, 'connect')
  if (exchange.proxy !== undefined) raw.write(exchange.proxy)
  const socket =
    exchange.tls === undefined
      ? raw
      : connect(
          { socket: raw, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'], ...exchange.tls },
          function (this: TLSSocket) {
            const { subject, bits } = this.getPeerCertificate()
            outcome.certificate = `${subject.CN} ${bits}`
            outcome.protocol = this.getProtocol()
            outcome.alpn = this.alpnProtocol
          },
        )
  let bytes = ''
  socket.on('data', (chunk: Buffer) => (bytes += chunk.toString('latin1')))
  socket.on('error', (error: NodeJS.ErrnoException) => (outcome.error ??= error.code))
  const closed = new Promise((done) => socket.once('close', done))
  const send = (exchange.send ?? '').replace(/%PORT%/g, String(proxy.ports[port - 1]))
  if (send !== '') socket.write(Buffer.from(send, 'latin1'))
  if (exchange.end) socket.end()
  await closed
  raw.destroy()
  // Whether a plain connection ends with a reset depends on how much of it has been read.
  if (exchange.tls === undefined) delete outcome.error
  if (bytes.startsWith('HTTP/')) outcome.answer = answerLines(bytes, proxy)
  const log = (): string => proxy.errorLog.slice(before)
  const { logs = '' } = exchange
  await eventually(`log of ${proxy.kind}`, () => log().includes(logs), 3000).catch(() => {})
  // Those lines are left out elsewhere: when they come depends on who is faster.
  const ends = [...log().matchAll(/((?:client|peer) closed connection (?:in|while) SSL.*):\d+/g)].map(
    ([, line]) => line!,
  )
  outcome.log = [...errorLines(log(), proxy, true), ...ends]
  return outcome
}

interface Exchange {
  /** Default: no TLS. */
  tls?: ConnectionOptions
  /** Bytes in front of everything. */
  proxy?: string
  send?: string
  /** The client ends its side behind that. */
  end?: true
  /** Part of a line of the error log to wait for. */
  logs?: string
}

const GET = 'GET /page HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n'
const get = (host: string, path = '/page'): string =>
  `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`

describe.skipIf(nginxMissing !== null)('TLS towards clients', () => {
  beforeAll(async () => {
    authority = await Authority.create()
    const [a, rsa, b] = await Promise.all([
      authority.issue('a.test'),
      authority.issue('a.test', { key: 'rsa' }),
      authority.issue('b.test'),
    ])
    const report =
      'return 200 "$scheme $https $server_name $server_port $host $ssl_server_name|$proxy_protocol_addr";'
    const conf = `events { worker_connections 64; } http {
      ssl_protocols TLSv1.2 TLSv1.3;
      server { listen 127.0.0.1:%PORT% ssl; server_name b.test; ${files(b)} location / { ${report} } }
      server { listen 127.0.0.1:%PORT% ssl; server_name a.test *.wild.test; ${files(a)} ${files(rsa)}
        location / { ${report} }
        location /r { return 301 /elsewhere; }
        location /rel { rewrite ^ /other permanent; } }
      server { listen 127.0.0.1:%PORT% ssl; server_name ~^re\\d; ${files(a)} location / { ${report} } }
      server { listen 127.0.0.1:%PORT% ssl; server_name bare.test; location / { ${report} } }
      server { listen 127.0.0.1:%PORT2% ssl; ssl_reject_handshake on; }
      server { listen 127.0.0.1:%PORT2% ssl; server_name a.test; ${files(a)} location / { ${report} } }
      server { listen 127.0.0.1:%PORT3% ssl proxy_protocol; ${files(a)} location / { ${report} } }
      server { listen 127.0.0.1:%PORT4% ssl; ${files(a)} error_page 497 https://$host:%PORT4%$request_uri;
        location / { ${report} } }
      server { listen 127.0.0.1:%PORT5% ssl; ${files(a)} ssl_ciphers ECDHE-ECDSA-AES256-GCM-SHA384;
        ssl_ecdh_curve prime256v1; location / { ${report} } }
    }`
    ;[pair.nginx, pair.weir] = await Promise.all([startNginx(conf), startWeir(conf)])
  })
  afterAll(async () => {
    await Promise.all([pair.nginx?.stop(), pair.weir?.stop(), authority?.remove()])
  })

  it.for<[string, Exchange, number?]>([
    ['SNI of the default server', { tls: { servername: 'b.test' }, send: get('b.test') }],
    ['SNI of another', { tls: { servername: 'a.test' }, send: GET }],
    ['SNI in capitals', { tls: { servername: 'A.TEST' }, send: GET }],
    ['SNI under a wildcard', { tls: { servername: 'x.wild.test' }, send: get('x.wild.test') }],
    ['SNI that fits a regular expression', { tls: { servername: 're1.test' }, send: get('re1.test') }],
    ['SNI that nobody has', { tls: { servername: 'nobody.test' }, send: get('nobody.test') }],
    ['SNI of a server without certificate', { tls: { servername: 'bare.test' }, send: get('bare.test') }],
    ['no SNI', { tls: {}, send: GET }],
    ['SNI with a Host of another server', { tls: { servername: 'a.test' }, send: get('b.test') }],
    ['SNI with a Host that nobody has', { tls: { servername: 'a.test' }, send: get('nobody.test') }],
    ['no SNI with a Host that nobody has', { tls: {}, send: get('nobody.test') }],
    ['an invalid SNI', { tls: { servername: 'a..test' }, send: GET }],
    ['TLS 1.2', { tls: { servername: 'a.test', maxVersion: 'TLSv1.2' }, send: GET }],
    [
      'RSA only',
      {
        tls: { servername: 'a.test', maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' },
        send: GET,
      },
    ],
    [
      'ECDSA only',
      {
        tls: { servername: 'a.test', maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' },
        send: GET,
      },
    ],
    [
      'a version that is too old',
      {
        tls: { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' },
        logs: 'SSL_do_handshake',
      },
    ],
    [
      'no common cipher',
      { tls: { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' }, logs: 'SSL_do_handshake' },
      5,
    ],
    ['no common group', { tls: { ecdhCurve: 'X25519' }, logs: 'SSL_do_handshake' }, 5],
    ['no common protocol in ALPN', { tls: { ALPNProtocols: ['h2'] }, logs: 'SSL_do_handshake' }],
    [
      'a client that trusts nobody',
      { tls: { rejectUnauthorized: true, maxVersion: 'TLSv1.2' }, logs: 'SSL_do_handshake' },
    ],
    [
      'a client of TLS 1.3 that trusts nobody',
      { tls: { rejectUnauthorized: true }, logs: 'SSL_read() failed' },
    ],
    ['a redirect', { tls: { servername: 'a.test' }, send: get('a.test', '/r') }],
    [
      'a redirect for a Host with a port',
      { tls: { servername: 'a.test' }, send: get('a.test:%PORT%', '/r') },
    ],
    ['a rewritten redirect', { tls: { servername: 'a.test' }, send: get('a.test', '/rel') }],
    ['a bad request', { tls: { servername: 'a.test' }, send: 'GET / HTTP/1.1\r\nHost: a b\r\n\r\n' }],
    ['a rejected name', { tls: { servername: 'nobody.test' }, logs: 'handshake rejected' }, 2],
    ['a rejected handshake without a name', { tls: {}, logs: 'handshake rejected' }, 2],
    ['a name that is not rejected', { tls: { servername: 'a.test' }, send: GET }, 2],
    [
      'the PROXY protocol in front',
      { proxy: 'PROXY TCP4 192.0.2.7 192.0.2.8 1000 2000\r\n', tls: { servername: 'a.test' }, send: GET },
      3,
    ],
    ['no PROXY protocol in front', { send: GET, logs: 'broken header' }, 3],
    ['SNI without a Host', { tls: { servername: 'a.test' }, send: 'GET / HTTP/1.0\r\n\r\n' }],
    ['HTTP', { send: GET, logs: 'plain HTTP' }],
    ['HTTP without Host', { send: 'GET / HTTP/1.0\r\n\r\n', logs: 'plain HTTP' }],
    ['HTTP with error_page', { send: GET, logs: 'plain HTTP' }, 4],
    ['HTTP that is none', { send: 'hello\r\n\r\n' }],
    ['HTTP/2', { send: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' }],
    [
      'HTTP behind the PROXY protocol',
      { proxy: 'PROXY TCP4 192.0.2.7 192.0.2.8 1000 2000\r\n', send: GET, logs: 'plain HTTP' },
      3,
    ],
    ['a record of garbage', { send: '\x16\x09garbage that goes on', logs: 'SSL_do_handshake' }],
    [
      'an SSLv2 hello',
      { send: '\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10', end: true, logs: 'SSL handshaking' },
    ],
    ['nothing', { end: true, logs: 'SSL handshaking' }],
    ['half a hello', { send: '\x16\x03\x01\x02\x00\x01', end: true, logs: 'SSL handshaking' }],
  ])('%s', async ([, exchange, port = 1]) => {
    const expected = await visit(pair.nginx!, port, exchange)
    expect(await visit(pair.weir!, port, exchange)).toEqual(expected)
  })
})
