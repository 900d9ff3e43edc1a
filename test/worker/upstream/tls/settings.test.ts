// What the directives take and refuse, and how they are inherited.

import { createPrivateKey } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildCycle, type Cycle } from '../../../../src/shared/conf/build.ts'
import { parseText } from '../../../../src/shared/conf/parser.ts'
import { proxy } from '../../../../src/worker/modules/content/proxy/proxy.ts'
import { modules } from '../../../../src/worker/modules.ts'
import { upstreamTlsCommands } from '../../../../src/worker/upstream/tls/commands.ts'
import { Authority } from '../../../support/certificates.ts'

let authority: Authority
let folder: string

beforeAll(async () => {
  authority = await Authority.create()
  folder = authority.folder
  const [client, other] = [await authority.issue('client'), await authority.issue('other')]
  const encrypted = createPrivateKey(client.key).export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-256-cbc',
    passphrase: 'right',
  })
  const files: Record<string, string> = {
    'client.crt': client.cert,
    'client.key': client.key,
    'other.key': other.key,
    'locked.key': String(encrypted),
    'right.txt': 'wrong\nright\n',
    'wrong.txt': 'wrong\n',
    empty: '',
    garbage: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
  }
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
})

afterAll(() => authority.remove())

function build(location: string, around = '', pass = 'https://127.0.0.1:1'): Cycle {
  const text = `events {} http { access_log off; ${around}
    server { listen 127.0.0.1:1; location / { ${location} proxy_pass ${pass}; } } }`
  return buildCycle(parseText(text.replaceAll('%', `${folder}/`), 'nginx.conf', '/'), modules, {
    prefix: `${folder}/`,
    confPrefix: `${folder}/`,
  })
}

function refusal(...parts: Parameters<typeof build>): string {
  try {
    build(...parts)
    return ''
  } catch (error) {
    return (error as Error).message.replaceAll(`${folder}/`, '%')
  }
}

const CLIENT = 'proxy_ssl_certificate %client.crt; proxy_ssl_certificate_key'
const NO_FILE =
  'SSL: error:80000002:system library::No such file or directory:calling fopen(%none, r) error:10000080:BIO routines::no such file'
const NOT_PEM = 'SSL: error:0480006C:PEM routines::no start line:Expecting'

describe('taken', () => {
  it.each([
    '',
    `${CLIENT} %client.key;`,
    'proxy_ssl_certificate client.crt; proxy_ssl_certificate_key client.key;',
    `${CLIENT} %locked.key; proxy_ssl_password_file %right.txt;`,
    'proxy_ssl_certificate %$host.crt; proxy_ssl_certificate_key %$host.key;',
    'proxy_ssl_certificate "";',
    'proxy_ssl_verify on; proxy_ssl_trusted_certificate ca.crt;',
    // As in nginx, what nobody uses is not looked at.
    'proxy_ssl_trusted_certificate %none; proxy_ssl_crl %none;',
    'proxy_ssl_protocols TLSv1 tlsv1.1 TLSv1.2; proxy_ssl_protocols TLSv1.3;',
    'proxy_ssl_ciphers HIGH:!aNULL:!MD5;',
    'proxy_ssl_certificate_cache max=10;',
    'proxy_ssl_certificate_cache max=10 inactive=1h valid=1d;',
    'proxy_ssl_certificate_cache off;',
    'proxy_ssl_conf_command Options PrioritizeChaCha; proxy_ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;',
    'proxy_ssl_conf_command options -SessionTicket,ServerPreference;',
    'proxy_ssl_conf_command MinProtocol TLSv1.2; proxy_ssl_conf_command MaxProtocol None;',
    'proxy_ssl_conf_command Groups X25519:P-256; proxy_ssl_conf_command SignatureAlgorithms RSA+SHA256:ECDSA+SHA256;',
    'proxy_ssl_conf_command Protocol -TLSv1.2; proxy_ssl_conf_command CipherString HIGH;',
    'proxy_ssl_conf_command ECDHParameters auto; proxy_ssl_conf_command Options DHSingle,-ECDHSingle;',
    'proxy_ssl_conf_command ECDHParameters P-256; proxy_ssl_conf_command Options IgnoreUnexpectedEOF;',
    'proxy_ssl_conf_command ciphersuites TLS_AES_128_GCM_SHA256:nonsense;',
    'proxy_ssl_key_log logs/keys.log;',
  ])('%s', (text) => {
    expect(refusal(text)).toBe('')
  })
})

describe('refused', () => {
  it.each([
    [`${CLIENT} %none;`, `cannot load certificate key "%none": BIO_new_file() failed (${NO_FILE})`],
    [
      'proxy_ssl_certificate %none; proxy_ssl_certificate_key %client.key;',
      `cannot load certificate "%none": BIO_new_file() failed (${NO_FILE})`,
    ],
    [
      'proxy_ssl_certificate %empty; proxy_ssl_certificate_key %client.key;',
      `cannot load certificate "%empty": PEM_read_bio_X509_AUX() failed (${NOT_PEM}: TRUSTED CERTIFICATE)`,
    ],
    [
      `${CLIENT} %other.key;`,
      'SSL_CTX_use_PrivateKey("%other.key") failed (SSL: error:05800074:x509 certificate routines::key values mismatch)',
    ],
    [
      'proxy_ssl_certificate %client.crt;',
      'no "proxy_ssl_certificate_key" is defined for certificate "%client.crt"',
    ],
    [
      `${CLIENT} engine:e:k;`,
      'cannot load certificate key "engine:e:k": "engine:" is not supported by weir: ',
    ],
    [`${CLIENT} store:s;`, 'cannot load certificate key "store:s": "store:" is not supported by weir: '],
    ['proxy_ssl_verify on;', 'no proxy_ssl_trusted_certificate for proxy_ssl_verify'],
    [
      'proxy_ssl_verify on; proxy_ssl_trusted_certificate %none;',
      'failed to load "%none": BIO_new_file() failed (',
    ],
    [
      'proxy_ssl_verify on; proxy_ssl_trusted_certificate %empty;',
      'failed to load "%empty": PEM_read_bio_X509_AUX()',
    ],
    [
      'proxy_ssl_verify on; proxy_ssl_trusted_certificate ca.crt; proxy_ssl_crl ca.crt;',
      `failed to load "%ca.crt": PEM_read_bio_X509_CRL() failed (${NOT_PEM}: X509 CRL)`,
    ],
    ['proxy_ssl_password_file %none;', 'open() "%none" failed (2: No such file or directory)'],
    ['proxy_ssl_protocols TLSv1.4;', 'invalid value "TLSv1.4"'],
    [
      'proxy_ssl_protocols SSLv3 TLSv1.2;',
      'the "SSLv3" parameter of the "proxy_ssl_protocols" directive is not supported',
    ],
    [
      'proxy_ssl_ciphers nonsense;',
      'SSL_CTX_set_cipher_list("nonsense") failed (SSL: error:0A0000B9:SSL routines::no cipher match)',
    ],
    ['proxy_ssl_verify_depth x;', '"proxy_ssl_verify_depth" directive invalid number'],
    ['proxy_ssl_verify maybe;', 'invalid value "maybe" in "proxy_ssl_verify" directive'],
    ['proxy_ssl_certificate_cache valid=1s;', '"proxy_ssl_certificate_cache" must have the "max" parameter'],
    ['proxy_ssl_certificate_cache max=0;', 'invalid parameter "max=0"'],
    ['proxy_ssl_certificate_cache max=1 nonsense=1;', 'invalid parameter "nonsense=1"'],
    ['proxy_ssl_name a; proxy_ssl_name b;', '"proxy_ssl_name" directive is duplicate'],
    [
      'proxy_ssl_conf_command Nonsense x;',
      'SSL_CONF_cmd("Nonsense", "x") failed (SSL: error:0A000182:SSL routines::unknown cmd name:cmd=Nonsense)',
    ],
    [
      'proxy_ssl_conf_command MinProtocol x;',
      'SSL_CONF_cmd("MinProtocol", "x") failed (SSL: error:0A000180:SSL routines::bad value:cmd=MinProtocol, value=x)',
    ],
    [
      'proxy_ssl_conf_command Options Nonsense;',
      'SSL_CONF_cmd("Options", "Nonsense") failed (SSL: error:0A000180:',
    ],
    ['proxy_ssl_conf_command Options KTLS;', 'Node.js cannot set the option "KTLS"'],
    [
      'proxy_ssl_conf_command Options -MiddleboxCompat;',
      'Node.js cannot take the option "MiddleboxCompat" back',
    ],
    [
      'proxy_ssl_conf_command RecordPadding 1;',
      'the "RecordPadding" command of the "proxy_ssl_conf_command" directive is not supported by weir: Node.js cannot pad records',
    ],
    ['proxy_ssl_conf_command Groups nonsense;', 'SSL_CONF_cmd("Groups", "nonsense") failed (SSL: '],
    ['proxy_ssl_conf_command Protocol -ALL;', '"proxy_ssl_conf_command" leaves no protocol to use'],
  ])('%s: %s', (text, message) => {
    expect(refusal(text)).toContain(message)
  })

  it('a key that is encrypted, without the password for it', () => {
    expect(refusal(`${CLIENT} %locked.key;`)).toContain('cannot load certificate key "%locked.key": ')
    expect(refusal(`${CLIENT} %locked.key; proxy_ssl_password_file %wrong.txt;`)).toMatch(
      /^cannot load certificate key "%locked.key": PEM_read_bio_PrivateKey\(\) failed \(SSL: error:1C800064:.*bad decrypt/,
    )
  })

  it('an authority that is none', () => {
    expect(refusal('proxy_ssl_verify on; proxy_ssl_trusted_certificate %garbage;')).toMatch(
      /^failed to load "%garbage": PEM_read_bio_X509_AUX\(\) failed \(SSL: error:/,
    )
  })

  it('a certificate that is none', () => {
    expect(refusal(`proxy_ssl_certificate %garbage; proxy_ssl_certificate_key %client.key;`)).toContain(
      'cannot load certificate "%garbage": PEM_read_bio_X509() failed (SSL: error:',
    )
  })
})

it('what is wrong does not matter where nothing goes to a backend by TLS', () => {
  expect(refusal('proxy_ssl_verify on; proxy_ssl_certificate %none;', '', 'http://127.0.0.1:1')).toBe('')
})

it('what is wrong matters where variables may lead to one', () => {
  expect(refusal('proxy_ssl_verify on;', '', 'http://$host')).toContain('no proxy_ssl_trusted_certificate')
})

it('settings are inherited one by one, and places that say the same share them', () => {
  const text = `events {} http { proxy_ssl_ciphers HIGH; proxy_ssl_conf_command MinProtocol TLSv1.3;
    server { proxy_ssl_name n; location /a { proxy_pass https://127.0.0.1:1; }
      location /b { proxy_pass https://127.0.0.1:2; }
      location /c { proxy_ssl_name m; proxy_pass https://127.0.0.1:1; }
      location /d { proxy_ssl_ciphers HIGH; proxy_ssl_name n; proxy_pass https://127.0.0.1:1; } } }`
  const { root } = buildCycle(parseText(text, 'nginx.conf', '/'), modules, { prefix: '/', confPrefix: '/' })
  const server = root.children.find(({ children }) => children.length > 0)!.children[0]!
  const [a, b, c, d] = server.children.map((scope) => scope.conf(proxy).plan!.tls!)
  expect(b).toBe(a)
  expect(d).toBe(a)
  expect(c).not.toBe(a)
  expect(a!.fixed('h')).toBe(d!.fixed('other'))
  expect(a!.fixed('h').name).toBe('n')
  expect(c!.fixed('h').name).toBe('m')
})

it('the commands of another prefix have its name', () => {
  const names = (prefix: string) => upstreamTlsCommands(prefix).map(({ name }) => name)
  expect(names('grpc')).toEqual(names('proxy').map((name) => name.replace('proxy_', 'grpc_')))
  expect(names('grpc')).toContain('grpc_ssl_trusted_certificate')
})
