// What a configuration says of clients' certificates, sessions and stapling when it cannot be, in nginx's words.

import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildCycle, type Cycle } from '../../../../src/shared/conf/build.ts'
import { parseText } from '../../../../src/shared/conf/parser.ts'
import { allocateZones } from '../../../../src/shared/conf/resources.ts'
import { fetchedStaples } from '../../../../src/worker/modules/ssl/staples.ts'
import { modules } from '../../../../src/worker/modules.ts'
import { Authority, type Certificate } from '../../../support/certificates.ts'

let authority: Authority
let server: Certificate
let folder = ''

beforeAll(async () => {
  authority = await Authority.create('Conf')
  server = await authority.issue('localhost', { ocsp: 'http://ocsp.example/path' })
  folder = authority.folder
  writeFileSync(join(folder, 'empty.pem'), 'nothing\n')
  const pem = (kind: string) => `-----BEGIN ${kind}-----\nAAAA\n-----END ${kind}-----\n`
  writeFileSync(join(folder, 'bad.pem'), pem('CERTIFICATE'))
  writeFileSync(join(folder, 'bad.crl'), pem('X509 CRL'))
  writeFileSync(join(folder, 'bad.der'), 'nothing')
})
afterAll(() => authority.remove())

function build(text: string, http = ''): Cycle {
  const certificate = `ssl_certificate ${server.certFile}; ssl_certificate_key ${server.keyFile};`
  const all = `events {} http { ${http} server { listen 127.0.0.1:8443 ssl; ${certificate} ${text} } }`
  const options = { prefix: `${folder}/`, confPrefix: `${folder}/` }
  return buildCycle(parseText(all, 'nginx.conf', '/'), modules, options)
}

describe('a server with TLS', () => {
  const missing = (name: string) =>
    `failed to load "FOLDER/${name}": BIO_new_file() failed (SSL: error:80000002:system library::No such file or directory:calling fopen(FOLDER/${name}, r) error:10000080:BIO routines::no such file)`
  const noStart = (name: string, reader: string, expected: string) =>
    `failed to load "FOLDER/${name}": ${reader}() failed (SSL: error:0480006C:PEM routines::no start line:Expecting: ${expected})`

  it.each([
    ['ssl_verify_client on;', 'no ssl_client_certificate or ssl_trusted_certificate for ssl_verify_client'],
    [
      'ssl_verify_client optional;',
      'no ssl_client_certificate or ssl_trusted_certificate for ssl_verify_client',
    ],
    [
      'ssl_verify_client on; ssl_client_certificate "";',
      'no ssl_client_certificate or ssl_trusted_certificate for ssl_verify_client',
    ],
    ['ssl_verify_client on; ssl_client_certificate none.pem;', missing('none.pem')],
    ['ssl_trusted_certificate none.pem;', missing('none.pem')],
    ['ssl_crl none.crl;', missing('none.crl')],
    [
      'ssl_verify_client on; ssl_client_certificate empty.pem;',
      noStart('empty.pem', 'PEM_read_bio_X509_AUX', 'TRUSTED CERTIFICATE'),
    ],
    ['ssl_crl empty.pem;', noStart('empty.pem', 'PEM_read_bio_X509_CRL', 'X509 CRL')],
    ['ssl_stapling on; ssl_stapling_file bad.der;', 'd2i_OCSP_RESPONSE_bio("FOLDER/bad.der") failed'],
    [
      'ssl_stapling on; ssl_stapling_file none.der;',
      missing('none.der').replace(
        'failed to load "FOLDER/none.der": BIO_new_file()',
        'BIO_new_file("FOLDER/none.der")',
      ),
    ],
  ])('%s is refused', (text, message) => {
    expect(() => build(text)).toThrow(message.replaceAll('FOLDER', folder))
  })

  it.each([
    [
      'ssl_trusted_certificate bad.pem;',
      /^failed to load ".*bad\.pem": PEM_read_bio_X509_AUX\(\) failed \(.+\)/,
    ],
    ['ssl_crl bad.crl;', /^failed to load ".*bad\.crl": PEM_read_bio_X509_CRL\(\) failed \(.+\)/],
  ])('%s is refused', (text, message) => expect(() => build(text)).toThrow(message))

  it.each([
    'ssl_verify_client optional_no_ca;',
    'ssl_verify_client on; ssl_trusted_certificate ca.crt;',
    'ssl_client_certificate none.pem;',
    'ssl_stapling_file none.der;',
  ])('%s is taken', (text) => expect(build(text).context.warnings).toEqual([]))

  it('ssl_verify_client of a server without certificates is not looked at', () => {
    expect(existsSync(join(folder, 'none.pem'))).toBe(false)
    expect(() => build('', 'server { listen 127.0.0.1:8080; ssl_verify_client on; }')).not.toThrow()
  })

  it('ssl_stapling tells the master whom to ask for what', () => {
    const chain = `ssl_trusted_certificate ${authority.certFile};`
    const { context } = build(`ssl_stapling on; ${chain} resolver 127.0.0.1:5353 valid=9s;`)
    expect(fetchedStaples(context)).toMatchObject([
      {
        name: server.certFile,
        trusted: null,
        responder: { host: 'ocsp.example', ip: null, port: 80, uri: '/path' },
        resolver: { servers: ['127.0.0.1:5353'], valid: 9000 },
      },
    ])
    const verified = build(
      `ssl_stapling on; ssl_stapling_verify on; ${chain} ssl_stapling_responder http://[::1]:8080;`,
    )
    expect(fetchedStaples(verified.context)).toMatchObject([
      { trusted: [{}], responder: { host: '[::1]', ip: '::1', port: 8080, uri: '/' } },
    ])
  })

  const zones = (text: string, http = '') =>
    Object.keys(allocateZones(build(text, http), {})).filter((name) => name.startsWith('ssl_session '))
  it.each([
    ['', '', []],
    ['ssl_session_cache shared:a:1m;', '', ['a']],
    ['ssl_session_cache builtin shared:a:1m;', '', ['a']],
    ['ssl_verify_client optional_no_ca;', '', ['of clients']],
    ['ssl_verify_client optional_no_ca; ssl_session_cache shared:a:1m;', '', ['a']],
    ['ssl_verify_client optional_no_ca; ssl_session_cache none;', '', ['of clients']],
    ['ssl_verify_client optional_no_ca; ssl_session_tickets off;', '', []],
  ])('%s has its sessions in the right place', (text, http, names) => {
    const found = zones(text, http)
    expect(found).toHaveLength(names.length)
    for (const name of names) expect(found.join()).toContain(name)
  })
})
