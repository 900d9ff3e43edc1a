// What `-t` says of the directives about TLS towards clients: files that are missing or do not go together, values that
// OpenSSL does not take, and what Node cannot do.

import { execFile } from 'node:child_process'
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildCycle } from '../../../../src/shared/conf/build.ts'
import { parseText } from '../../../../src/shared/conf/parser.ts'
import { modules } from '../../../../src/worker/modules.ts'
import { Authority, type Certificate } from '../../../support/certificates.ts'

const run = promisify(execFile)
let authority: Authority
let a: Certificate
let b: Certificate
let folder: string

beforeAll(async () => {
  authority = await Authority.create()
  a = await authority.issue('a.test')
  b = await authority.issue('b.test', { key: 'rsa' })
  folder = authority.folder
  await writeFile(join(folder, 'passwords'), 'wrong\nright\n')
  await writeFile(join(folder, 'none'), 'nothing\n')
  await writeFile(join(folder, 'short.key'), 'x'.repeat(47))
  await writeFile(join(folder, '48.key'), 'x'.repeat(48))
  await writeFile(join(folder, '80.key'), 'x'.repeat(80))
  await run('openssl', [
    'ec',
    '-in',
    a.keyFile,
    '-aes128',
    '-passout',
    'pass:right',
    '-out',
    join(folder, 'secret.key'),
  ])
  await run('openssl', ['dhparam', '-out', join(folder, 'dh.pem'), '-dsaparam', '2048'])
})
afterAll(() => authority.remove())

function build(text: string) {
  const filled = text
    .replaceAll('PAIR', `ssl_certificate ${a.certFile}; ssl_certificate_key ${a.keyFile};`)
    .replaceAll('@other', b.keyFile)
    .replaceAll('@cert', a.certFile)
    .replaceAll('@key', a.keyFile)
    .replaceAll('%', folder)
  const tree = parseText(`events {} http { ${filled} }`, 'nginx.conf', `${folder}/`)
  return buildCycle(tree, modules, { prefix: `${folder}/`, confPrefix: `${folder}/` })
}

/** A server with a certificate and this beside it. */
const server = (text: string): string => `server { listen 1 ssl; PAIR ${text} }`

describe('is refused', () => {
  const SSL = 'listen 1 ssl;'

  it.each<[string, string, string]>([
    [
      'no certificate for listen ssl',
      `server { ${SSL} }`,
      'no "ssl_certificate" is defined for the "listen ... ssl" directive in nginx.conf:1',
    ],
    [
      'no certificate for the default server',
      `server { ${SSL} server_name a; } server { ${SSL} server_name b; PAIR }`,
      'no "ssl_certificate" is defined for the "listen ... ssl" directive in nginx.conf:1',
    ],
    [
      'no certificate beside a server that rejects handshakes',
      `server { ${SSL} ssl_reject_handshake on; } server { ${SSL} server_name b; }`,
      'no "ssl_certificate" is defined for the "listen ... ssl" directive in nginx.conf:1',
    ],
    [
      'a certificate without key',
      `server { ${SSL} ssl_certificate @cert; }`,
      'no "ssl_certificate_key" is defined for certificate "@cert"',
    ],
    [
      'a certificate that is missing',
      `server { ${SSL} ssl_certificate no.crt; ssl_certificate_key @key; }`,
      'cannot load certificate "%/no.crt": BIO_new_file() failed (SSL: error:80000002:system library::No such file or ' +
        'directory:calling fopen(%/no.crt, r) error:10000080:BIO routines::no such file)',
    ],
    [
      'a certificate that is none',
      `server { ${SSL} ssl_certificate none; ssl_certificate_key @key; }`,
      'cannot load certificate "%/none": PEM_read_bio_X509_AUX() failed (SSL: error:0480006C:PEM routines::no start ' +
        'line:Expecting: TRUSTED CERTIFICATE)',
    ],
    [
      'a key that is missing',
      `server { ${SSL} ssl_certificate @cert; ssl_certificate_key no.key; }`,
      'cannot load certificate key "%/no.key": BIO_new_file() failed (SSL: error:80000002:',
    ],
    [
      'a key that is none',
      `server { ${SSL} ssl_certificate @cert; ssl_certificate_key none; }`,
      'cannot load certificate key "%/none": PEM_read_bio_PrivateKey() failed (SSL: error:',
    ],
    [
      'a key of another certificate',
      `server { ${SSL} ssl_certificate @cert; ssl_certificate_key @other; }`,
      'SSL_CTX_use_PrivateKey("@other") failed (SSL: error:05800073:x509 certificate routines::key type mismatch)',
    ],
    [
      'a key of another certificate of its type',
      `server { ${SSL} ssl_certificate @cert; ssl_certificate_key ca.key; }`,
      'SSL_CTX_use_PrivateKey("%/ca.key") failed (SSL: error:05800074:x509 certificate routines::key values mismatch)',
    ],
    [
      'an encrypted key without its password',
      `server { ${SSL} ssl_certificate @cert; ssl_certificate_key secret.key; }`,
      'cannot load certificate key "%/secret.key": ',
    ],
    [
      'a key elsewhere',
      `server { ${SSL} ssl_certificate @cert; ssl_certificate_key engine:pkcs11:x; }`,
      '"engine:" is not supported by weir',
    ],
    [
      'a file of passwords that is missing',
      server('ssl_password_file no;'),
      'open() "%/no" failed (2: No such file',
    ],
    [
      'ciphers that there are not',
      server('ssl_ciphers NOPE;'),
      'SSL_CTX_set_cipher_list("NOPE") failed (SSL: error:',
    ],
    [
      'no ciphers but those of TLS 1.3',
      server('ssl_ciphers TLS_AES_128_GCM_SHA256;'),
      'SSL_CTX_set_cipher_list("TLS_AES_128_GCM_SHA256") failed (SSL: error:0A0000B9:SSL routines::no cipher match)',
    ],
    [
      'groups that there are not',
      server('ssl_ecdh_curve nope;'),
      'SSL_CTX_set1_curves_list("nope") failed (',
    ],
    [
      'parameters that are missing',
      server('ssl_dhparam no;'),
      'BIO_new_file("%/no") failed (SSL: error:80000002',
    ],
    [
      'parameters that are none',
      server('ssl_dhparam none;'),
      'PEM_read_bio_DHparams("%/none") failed (SSL: error:0480006C',
    ],
    ['another protocol', server('ssl_protocols TLSv1.4;'), 'invalid value "TLSv1.4"'],
    ['no protocol', server('ssl_protocols SSLv3;'), '"ssl_protocols" leaves no protocol to use'],
    ['a key for tickets that is missing', server('ssl_session_ticket_key no;'), 'open() "%/no" failed (2:'],
    [
      'a short key for tickets',
      server('ssl_session_ticket_key short.key;'),
      '"%/short.key" must be 48 or 80 bytes',
    ],
    ['early data', server('ssl_early_data on;'), '"ssl_early_data on" is not supported by weir: Node.js'],
    [
      'a command of OpenSSL that Node has not',
      server('ssl_conf_command NumTickets 1;'),
      'not supported by weir',
    ],
    [
      'a command that OpenSSL has not',
      server('ssl_conf_command Nope 1;'),
      'SSL_CONF_cmd("Nope", "1") failed',
    ],
    [
      'a directive in a location',
      server('location / { ssl_protocols TLSv1.2; }'),
      'directive is not allowed here',
    ],
    ['http2 in a location', server('location / { http2 on; }'), 'directive is not allowed here'],
    ['a size that is none', server('ssl_buffer_size x;'), '"ssl_buffer_size" directive invalid value'],
  ])('%s', (_name, text, message) => {
    const expected = message
      .replaceAll('@other', b.keyFile)
      .replaceAll('@cert', a.certFile)
      .replaceAll('%', folder)
    expect(() => build(text)).toThrow(expected)
  })

  it.skipIf(process.getuid?.() === 0)('a key that may not be read', async () => {
    const secret = join(folder, 'unreadable.key')
    await writeFile(secret, a.key)
    await chmod(secret, 0)
    expect(() => build(`server { ${SSL} ssl_certificate @cert; ssl_certificate_key ${secret}; }`)).toThrow(
      'error:8000000D:system library::Permission denied',
    )
  })
})

describe('is taken', () => {
  it.each<[string, string]>([
    ['a certificate of the level around', 'PAIR server { listen 1 ssl; }'],
    ['no certificate where nobody listens with TLS', 'server { listen 1; }'],
    ['no certificate where every server rejects', 'server { listen 1 ssl; ssl_reject_handshake on; }'],
    [
      'no certificate in a server that is not the default',
      `${server('')} server { listen 1 ssl; server_name b; }`,
    ],
    [
      'an encrypted key with its password among others',
      'server { listen 1 ssl; ssl_certificate @cert; ssl_certificate_key secret.key; ssl_password_file passwords; }',
    ],
    ['parameters of Diffie-Hellman', server('ssl_dhparam dh.pem;')],
    [
      'keys for tickets of both lengths',
      server('ssl_session_ticket_key 48.key; ssl_session_ticket_key 80.key;'),
    ],
    ['several protocols, said twice', server('ssl_protocols TLSv1; ssl_protocols TLSv1.3;')],
    [
      'names with variables',
      'server { listen 1 ssl; ssl_certificate $ssl_server_name.crt; ssl_certificate_key $ssl_server_name.key; }',
    ],
    ['ssl_early_data off', server('ssl_early_data off;')],
    ['a cache for certificates', server('ssl_certificate_cache max=10 inactive=1m valid=5m;')],
  ])('%s', (_name, text) => {
    expect(() => build(text)).not.toThrow()
  })

  it('a certificate and its key as text', () => {
    const text = (pem: string): string => `"data:${pem}"`
    expect(() =>
      build(`server { listen 1 ssl; ssl_certificate ${text(a.cert)}; ssl_certificate_key ${text(a.key)}; }`),
    ).not.toThrow()
  })

  it('SSLv3 as a word without effect', () => {
    expect(build(server('ssl_protocols SSLv3 TLSv1.2;')).context.notices).toContainEqual(
      expect.stringContaining('the "SSLv3" parameter of "ssl_protocols" has no effect'),
    )
  })

  it('listen ... http2 with a warning', () => {
    expect(build('server { listen 1 ssl http2; PAIR }').context.warnings).toEqual([
      'the "listen ... http2" directive is deprecated, use the "http2" directive instead in nginx.conf:1',
    ])
  })

  it('protocol options that differ with a warning', () => {
    const { warnings } = build(`${server('')} server { listen 1 bind; server_name b; }`).context
    expect(warnings).toEqual(['protocol options redefined for 0.0.0.0:1 in nginx.conf:1'])
  })

  it('files by the master only, whose contents workers get', () => {
    const { context } = build(server('ssl_dhparam dh.pem;'))
    expect([...context.files.keys()].sort()).toEqual([a.certFile, a.keyFile, join(folder, 'dh.pem')].sort())
    expect(context.files.get(a.keyFile)).toBe(a.key)
  })
})
