// $ssl_* by nginx 1.22 and by weir, for the same client with the same arguments.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Authority, type Certificate } from '../support/certificates.ts'
import { type OpensslAnswer, opensslClient } from '../support/openssl-client.ts'
import { nginxMissing, type RunningProxy, startNginx, startWeir } from '../support/proxy.ts'

/** Those that nginx 1.22 has and that do not differ from one connection to the next. */
const NAMES = `ssl_alpn_protocol ssl_cipher ssl_ciphers ssl_client_cert ssl_client_escaped_cert
  ssl_client_fingerprint ssl_client_i_dn ssl_client_i_dn_legacy ssl_client_raw_cert ssl_client_s_dn
  ssl_client_s_dn_legacy ssl_client_serial ssl_client_v_end ssl_client_v_remain ssl_client_v_start ssl_client_verify
  ssl_curve ssl_curves ssl_early_data ssl_protocol ssl_server_name ssl_session_reused`.split(/\s+/)

const values = NAMES.map((name) => `${name}=[$${name}]`).join('\\n')
const server = (more: string, port: string) => `
  server {
    listen 127.0.0.1:%PORT${port}%${more === 'plain' ? '' : ' ssl'};
    server_name localhost;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_certificate %CERT%;
    ssl_certificate_key %KEY%;
    ssl_client_certificate %CA%;
    ssl_crl %CRL%;
    ${more === 'plain' ? '' : more}
    location / { return 200 "${values}\\nid=[$ssl_session_id]\\n"; }
  }`
const CONF = `worker_processes 1; events {} http { log_format t "$ssl_client_s_dn|$ssl_protocol|$ssl_ciphers"; access_log logs/access.log t;
  ${server('ssl_verify_client optional_no_ca; ssl_session_tickets off;', '')}
  ${server('ssl_verify_client off; ssl_session_tickets off; ssl_session_cache shared:one:1m;', '2')}
  ${server('plain', '3')} }`

describe.skipIf(nginxMissing !== null)('the variables of TLS', () => {
  let authority: Authority
  let other: Authority
  const proxies: RunningProxy[] = []
  const clients: Record<string, Certificate> = {}

  beforeAll(async () => {
    ;[authority, other] = await Promise.all([Authority.create('Clients'), Authority.create('Others')])
    const certificate = await authority.issue('localhost')
    clients.good = await authority.issue(
      '/C=DE/ST=Bayern/O=Weir, Inc./OU=a+b/CN=client "one"/emailAddress=a@b.example',
      {
        names: ['client'],
        key: 'rsa',
      },
    )
    clients.expired = await authority.issue('expired', { from: -9, until: -1 })
    clients.coming = await authority.issue('coming', { from: 3, until: 9 })
    clients.revoked = await authority.issue('revoked')
    clients.stranger = await other.issue('stranger')
    clients.self = other
    await authority.revoke(clients.revoked)
    const vars = {
      ...{ CERT: certificate.certFile, KEY: certificate.keyFile, CA: authority.certFile },
      CRL: await authority.revocations(),
    }
    proxies.push(await startNginx(CONF, { vars }))
    proxies.push(await startWeir(CONF, { vars }))
  })
  afterAll(() =>
    Promise.all([...proxies, authority, other].map((one) => ('stop' in one ? one.stop() : one.remove()))),
  )

  /** What both say to a client with these arguments. */
  async function both(
    args: readonly string[],
    port = 0,
  ): Promise<[expected: OpensslAnswer, actual: OpensslAnswer]> {
    const [nginx, weir] = proxies as [RunningProxy, RunningProxy]
    return [await opensslClient(nginx.ports[port]!, args), await opensslClient(weir.ports[port]!, args)]
  }

  const shape = ({ body }: OpensslAnswer) =>
    body
      .replace(/id=\[([^\]]*)\]/, (_, id) => `id of ${id.length}`)
      .replace(/(nginx|weir)\/[\d.]+/, 'PRODUCT')
  const own = (name: string) => ['-cert', clients[name]!.certFile, '-key', clients[name]!.keyFile]

  it.each([
    ['without anything special', []],
    ['of TLS 1.2', ['-tls1_2']],
    ['of TLS 1.3', ['-tls1_3']],
    ['with a server name in upper case', ['-servername', 'LOCALHOST']],
    ['with a server name that nobody has', ['-servername', 'other.example']],
    ['without a server name', ['-noservername']],
    ['with ALPN', ['-alpn', 'foo,http/1.1']],
    ['with one group', ['-groups', 'P-256']],
    ['with several groups', ['-groups', 'P-384:X448:ffdhe2048:P-521']],
    ['with few ciphers', ['-tls1_2', '-cipher', 'ECDHE-ECDSA-AES128-GCM-SHA256:AES128-SHA']],
    ['with all ciphers', ['-tls1_2', '-cipher', 'ALL:COMPLEMENTOFALL:@SECLEVEL=0']],
    ['that falls back', ['-tls1_2', '-fallback_scsv']],
  ])('are those of nginx for a client %s', async (_what, args) => {
    const [expected, actual] = await both(args)
    expect(shape(actual)).toBe(shape(expected))
    if (!args.includes('-fallback_scsv')) expect(shape(actual)).toContain('ssl_protocol=[TLSv1')
  })

  it.each(['good', 'expired', 'coming', 'revoked', 'stranger', 'self'])(
    'are those of nginx for a client whose certificate is %s',
    async (name) => {
      for (const version of ['-tls1_2', '-tls1_3']) {
        const [expected, actual] = await both([version, ...own(name)])
        expect(shape(actual)).toBe(shape(expected))
        expect(actual.answer).not.toBe('')
      }
    },
  )

  it.each(['-tls1_2', '-tls1_3'])('are those of nginx where a session goes on (%s)', async (version) => {
    const [nginx, weir] = proxies as [RunningProxy, RunningProxy]
    const bodies: string[] = []
    for (const proxy of [nginx, weir]) {
      const file = `${proxy.folder}/session${version}.pem`
      await opensslClient(proxy.ports[1]!, [version, '-sess_out', file])
      const answer = await opensslClient(proxy.ports[1]!, [version, '-sess_in', file])
      bodies.push(shape(answer))
    }
    expect(bodies[1]).toBe(bodies[0])
    expect(bodies[1]).toContain('ssl_session_reused=[r]')
  })

  it('are empty on a plain connection', async () => {
    const bodies = await Promise.all(
      proxies.map((proxy) => fetch(`http://127.0.0.1:${proxy.ports[2]}/`).then((answer) => answer.text())),
    )
    expect(bodies[1]).toBe(bodies[0])
  })
})
