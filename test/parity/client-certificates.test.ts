// Certificates of clients: who is let in, what the others are told, and what the log says, by nginx 1.22 and by weir.

import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Authority, type Certificate } from '../support/certificates.ts'
import { closingRequest, opensslClient } from '../support/openssl-client.ts'
import { nginxMissing, type RunningProxy, startNginx, startWeir } from '../support/proxy.ts'
import { eventually } from '../support/wait.ts'

const run = promisify(execFile)

const SERVERS: Record<string, string> = {
  on: 'ssl_verify_client on;',
  optional: 'ssl_verify_client optional;',
  'no ca': 'ssl_verify_client optional_no_ca;',
  pages: 'ssl_verify_client on; error_page 495 /495; error_page 496 =403 /496;',
  revoked: 'ssl_verify_client on; ssl_crl %CRL%;',
  unnamed: 'ssl_verify_client on; ssl_client_certificate %OTHER%; ssl_trusted_certificate %CA%;',
  ...Object.fromEntries(
    [0, 1, 2].map((depth) => [`depth ${depth}`, `ssl_verify_client optional; ssl_verify_depth ${depth};`]),
  ),
  ...Object.fromEntries(
    [0, 1].map((depth) => [
      `whole depth ${depth}`,
      `ssl_verify_client optional; ssl_verify_depth ${depth}; ssl_client_certificate %CHAIN%;`,
    ]),
  ),
  'no ca, whole depth 0':
    'ssl_verify_client optional_no_ca; ssl_verify_depth 0; ssl_client_certificate %CHAIN%;',
}
const NAMES = Object.keys(SERVERS)

const server = (port: number, text: string) => `
  server {
    listen 127.0.0.1:%PORT${port}% ssl http2;
    server_name localhost;
    ssl_certificate %CERT%;
    ssl_certificate_key %KEY%;
    ${text.includes('ssl_client_certificate') ? '' : 'ssl_client_certificate %CA%;'}
    ${text}
    location / { return 200 "in: $ssl_client_verify\\n"; }
    location /495 { return 200 "page: $ssl_client_verify $ssl_client_s_dn\\n"; }
    location /496 { return 200 "page: $ssl_client_verify\\n"; }
  }`
const NAMED = NAMES.length + 1
const STRICT = NAMED + 1
const CONF = `worker_processes 1; error_log logs/error.log info; events {}
  http { access_log off; ssl_protocols TLSv1.2 TLSv1.3; ssl_session_tickets off;
  ${NAMES.map((name, index) => server(index + 1, SERVERS[name]!)).join('')}
  ssl_certificate %CERT%; ssl_certificate_key %KEY%; ssl_client_certificate %CA%;
  server { listen 127.0.0.1:%PORT${NAMED}% ssl; server_name a.example; return 200 "a\\n"; }
  server { listen 127.0.0.1:%PORT${NAMED}% ssl; server_name b.example bb.example; ssl_verify_client on;
    error_page 421 =200 /421; location / { return 200 "b\\n"; } location /421 { return 200 "page of b\\n"; } }
  server { listen 127.0.0.1:%PORT${NAMED}% ssl; server_name c.example; return 200 "c\\n"; }
  server { listen 127.0.0.1:%PORT${STRICT}% ssl; server_name d.example; ssl_verify_client on; return 200 "d\\n"; }
  server { listen 127.0.0.1:%PORT${STRICT}% ssl; server_name e.example; ssl_verify_client on;
    ssl_client_certificate %OTHER%; return 200 "e\\n"; }
}`

describe.skipIf(nginxMissing !== null)('certificates of clients', () => {
  let authority: Authority
  let other: Authority
  let nginx: RunningProxy
  let weir: RunningProxy
  const clients: Record<string, string[]> = { none: [] }

  beforeAll(async () => {
    ;[authority, other] = await Promise.all([Authority.create('Clients'), Authority.create('Others')])
    const certificate = await authority.issue('localhost')
    const first = await authority.intermediate('First')
    const second = await first.intermediate('Second')
    const revoked = await authority.issue('revoked')
    await authority.revoke(revoked)
    const chain = join(authority.folder, 'chain.pem')
    await writeFile(chain, second.cert + first.cert)
    const trusted = join(authority.folder, 'trusted.pem')
    await writeFile(trusted, first.cert + authority.cert)
    const own = ({ certFile, keyFile }: Certificate) => ['-cert', certFile, '-key', keyFile]
    clients.good = own(await authority.issue('good'))
    clients.expired = own(await authority.issue('expired', { from: -9, until: -1 }))
    clients.revoked = own(revoked)
    clients.stranger = own(await other.issue('stranger'))
    clients.self = own(other)
    clients['behind one'] = [...own(await first.issue('behind one')), '-cert_chain', first.certFile]
    clients['behind two'] = [...own(await second.issue('behind two')), '-cert_chain', chain]
    clients.incomplete = own(await second.issue('incomplete'))
    // OpenSSL finds its way through whatever is sent in whatever order.
    const mixed = join(authority.folder, 'mixed.pem')
    await writeFile(mixed, other.cert + authority.cert + first.cert + second.cert)
    clients['behind two, mixed up'] = [...own(await second.issue('mixed')), '-cert_chain', mixed]
    const doubled = join(authority.folder, 'doubled.pem')
    await writeFile(doubled, first.cert + other.cert + first.cert)
    clients['behind one, twice'] = [...own(await first.issue('twice')), '-cert_chain', doubled]
    for (const [name, subject, extension] of [
      ['critical', '/CN=critical', '1.2.3.4=critical,ASN1:UTF8String:x'],
      ['nameless', '/', 'subjectAltName=critical,DNS:nameless'],
      ['unfit', '/CN=unfit', 'extendedKeyUsage=serverAuth'],
    ] as const) {
      clients[name] = await odd(authority, name, subject, extension)
    }
    const vars = {
      ...{ CERT: certificate.certFile, KEY: certificate.keyFile, CA: authority.certFile },
      ...{ CRL: await authority.revocations(), OTHER: other.certFile, CHAIN: trusted },
    }
    nginx = await startNginx(CONF, { vars })
    weir = await startWeir(CONF.replaceAll('ssl http2;', 'ssl; http2 on;'), { vars })
  })
  afterAll(() => Promise.all([nginx?.stop(), weir?.stop(), authority?.remove(), other?.remove()]))

  /** What `proxy` answers and logs; `until`: what its log has to say first. */
  async function ask(
    proxy: RunningProxy,
    port: number,
    args: readonly string[],
    request?: string,
  ): Promise<string[]> {
    const before = proxy.errorLog.length
    const { answer } = await opensslClient(proxy.ports[port]!, args, request)
    const log = () =>
      proxy.errorLog
        .slice(before)
        .split('\n')
        .filter((line) => /client (SSL|sent|attempted)/.test(line))
        .map((line) => line.replace(/^.*\[(\w+)\] .*?\*\d+ /, '[$1] '))
    if (/ 4\d\d |page/.test(answer)) await eventually('the log', () => log().length > 0)
    const told = answer
      .replace(/\r\nDate: [^\r]*/, '')
      .replace(/(nginx|weir)\/[\d.]+/g, 'PRODUCT')
      .replace(/\r\nContent-Length: \d+/, '')
    // nginx says it twice of a request without a host.
    return [told, ...new Set(log())]
  }

  async function same(port: number, args: readonly string[], request?: string): Promise<string> {
    const expected = await ask(nginx, port, args, request)
    const actual = await ask(weir, port, args, request)
    expect(actual).toEqual(expected)
    expect(actual[0]).not.toBe('')
    return actual.join('\n')
  }

  const table: [string, string][] = [
    ...['on', 'optional', 'no ca', 'pages'].flatMap((name) =>
      ['none', 'good', 'expired', 'stranger', 'self', 'incomplete'].map((client): [string, string] => [
        name,
        client,
      ]),
    ),
    ...['critical', 'nameless', 'unfit'].map((client): [string, string] => ['pages', client]),
    ...['none', 'good', 'revoked'].map((client): [string, string] => ['revoked', client]),
    ...['good', 'stranger'].map((client): [string, string] => ['unnamed', client]),
    ...NAMES.filter((name) => name.includes('depth')).flatMap((name) =>
      ['good', 'behind one', 'behind two', 'behind two, mixed up', 'behind one, twice'].map(
        (client): [string, string] => [name, client],
      ),
    ),
  ]
  it.each(table)('server %s, client %s', async (name, client) => {
    for (const version of ['-tls1_2', '-tls1_3'])
      await same(NAMES.indexOf(name), [version, ...clients[client]!])
  })

  it('are asked for by the names of the authorities that may be told', async () => {
    for (const name of ['on', 'no ca', 'unnamed']) {
      const names = (proxy: RunningProxy) => acceptable(proxy.ports[NAMES.indexOf(name)]!)
      const expected = await names(nginx)
      expect(await names(weir)).toBe(expected)
      expect(expected).toContain(name === 'unnamed' ? 'Others' : 'Clients')
    }
  })

  it.each([
    ['the server of SNI', 'b.example', 'b.example', true],
    ['another name of the same server', 'b.example', 'bb.example', true],
    ['the server, SNI naming another', 'a.example', 'b.example', false],
    ['another server, SNI naming it', 'b.example', 'a.example', true],
    ['a server without SNI', '', 'b.example', false],
    ['a server, SNI naming nobody known', 'x.example', 'b.example', false],
    ['one of two servers that do not mind', 'a.example', 'c.example', false],
  ])('are not got around by asking for %s', async (_what, name, host, certificate) => {
    const args = [
      ...(name === '' ? ['-noservername'] : ['-servername', name]),
      ...(certificate ? clients.good! : []),
    ]
    await same(NAMED - 1, args, closingRequest(host))
  })

  it.each([
    ['another server', 'e.example', 'stranger'],
    ['it', 'd.example', 'good'],
    ['nobody', '', 'good'],
  ])(
    'are not got around by asking the default server for no host, SNI naming %s',
    async (_, name, client) => {
      const args = [...(name === '' ? ['-noservername'] : ['-servername', name]), ...clients[client]!]
      const told = await same(STRICT - 1, args, 'GET / HTTP/1.0\r\n\r\n')
      expect(told).toContain(name === '' ? ' 200 ' : ' 421 ')
    },
  )

  it.each(['none', 'good', 'expired'])('are asked for over HTTP/2 too: %s', async (client) => {
    const [nginxTold, weirTold] = await Promise.all(
      [nginx, weir].map((proxy) => curl(proxy.ports[NAMES.indexOf('on')]!, clients[client]!)),
    )
    expect(weirTold).toBe(nginxTold)
    expect(weirTold).toContain('HTTP/2 ')
  })
})

/** A certificate with this subject and this extension. */
async function odd(
  { folder, certFile, keyFile }: Authority,
  name: string,
  subject: string,
  extension: string,
) {
  const [cert, key, request, extra] = ['crt', 'key', 'csr', 'ext'].map((end) =>
    join(folder, `${name}.${end}`),
  )
  const make = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', subject]
  await run('openssl', ['req', ...make, '-keyout', key!, '-out', request!])
  await writeFile(extra!, `${extension}\n`)
  const sign = ['-CA', certFile, '-CAkey', keyFile, '-set_serial', '77', '-days', '9', '-extfile', extra!]
  await run('openssl', ['x509', '-req', '-in', request!, ...sign, '-out', cert!])
  return ['-cert', cert!, '-key', key!]
}

/** The authorities that a server tells clients of. */
function acceptable(port: number): Promise<string> {
  return new Promise((resolve) => {
    const args = ['s_client', '-connect', `127.0.0.1:${port}`]
    const client = execFile('openssl', args, (_error, text) => {
      resolve(/Acceptable client certificate CA names\n(.*?)\nRequested/s.exec(text)?.[1] ?? 'none')
    })
    client.stdin!.end('Q\n')
  })
}

function curl(port: number, args: readonly string[]): Promise<string> {
  const own = args.length === 0 ? [] : ['--cert', args[1]!, '--key', args[3]!]
  return new Promise((resolve) => {
    execFile('curl', ['-sik', '--http2', ...own, `https://127.0.0.1:${port}/`], (_error, text) => {
      resolve(
        text.replace(/\r\n(date|content-length): [^\r]*/g, '').replace(/(nginx|weir)\/[\d.]+/g, 'PRODUCT'),
      )
    })
  })
}
