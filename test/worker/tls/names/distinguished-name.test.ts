import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readDer, SEQUENCE } from '../../../../src/shared/der.ts'
import { ClientCertificate } from '../../../../src/worker/tls/client-certificate.ts'
import { legacyName, rfc2253Name } from '../../../../src/worker/tls/names/distinguished-name.ts'

let folder = ''

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-names-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'ignore'] })

/** A certificate for `subject`, and both forms of its name by OpenSSL itself. */
function certificate(subject: string, ...options: string[]) {
  const file = join(folder, 'cert.pem')
  const key = join(folder, 'key.pem')
  const make = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-utf8']
  openssl(
    'req',
    ...make,
    ...(subject === '' ? [] : ['-subj', subject]),
    '-keyout',
    key,
    '-out',
    file,
    ...options,
  )
  const show = (form: string) =>
    openssl('x509', '-in', file, '-noout', '-subject', '-nameopt', form)
      .toString('latin1')
      .replace(/^subject= ?/, '')
      .replace(/\n$/, '')
  return {
    cert: new ClientCertificate(new X509Certificate(readFileSync(file))),
    rfc: show('RFC2253'),
    old: show('compat'),
  }
}

describe('names of certificates', () => {
  it.each([
    ['of one part', '/CN=client'],
    ['of several parts', '/C=DE/ST=Bayern/L=Hof/O=Weir \\/ Water/OU=a/OU=b/CN=x/emailAddress=a@b.example'],
    ['with characters that RFC 2253 escapes', '/CN= a,b\\+c"d\\\\e<f>g;h '],
    ['with a number sign in front', '/CN=#a#'],
    ['of a number sign', '/CN=#'],
    ['of a space', '/CN= '],
    ['with letters beyond ASCII', '/CN=Zoë Ångström/O=日本'],
    ['with several attributes in one set', '/C=DE/CN=a+OU=b/O=c'],
    [
      'with rare attributes',
      '/DC=com/UID=u/serialNumber=1/SN=s/GN=g/title=t/street=x/postalCode=1/dnQualifier=q',
    ],
    ['with attributes that have no name', '/1.2.3.4.5=abc/CN=d'],
  ])('%s are written as OpenSSL writes them', (_what, subject) => {
    const args = subject.includes('+OU') ? ['-multivalue-rdn'] : []
    const { cert, rfc, old } = certificate(subject, ...args)
    expect(cert.subject).toBe(rfc)
    expect(cert.legacySubject).toBe(old)
    expect([cert.issuer, cert.legacyIssuer]).toEqual([rfc, old])
  })

  it('in other kinds of strings are written as OpenSSL writes them', () => {
    const conf = join(folder, 'req.cnf')
    writeFileSync(
      conf,
      '[req]\ndistinguished_name=dn\nprompt=no\nutf8=yes\nstring_mask=MASK:0x0802\n[dn]\nCN=Zoë\nO=Plain\nOU=日本\n',
    )
    const { cert, rfc, old } = certificate('', '-config', conf)
    expect([cert.subject, cert.legacySubject]).toEqual([rfc, old])
    expect(old).toContain('\\x00')
  })

  it.each(['0x00', '0x7f', '0x80', '0x123456789abcdef0123456789abcdef0', '-1', '-255'])(
    'come with the serial number %s as OpenSSL writes it',
    (serial) => {
      const { cert } = certificate('/CN=a', '-set_serial', serial)
      const told = openssl('x509', '-in', join(folder, 'cert.pem'), '-noout', '-serial').toString()
      expect(`serial=${cert.serial}\n`).toBe(told)
    },
  )

  it('that are damaged never throw', () => {
    const bytes = certificate('/C=DE/CN=a+OU=b', '-multivalue-rdn').cert.x509.raw
    fc.assert(
      fc.property(
        fc.nat(bytes.length - 1),
        fc.integer({ min: 0, max: 255 }),
        fc.nat(bytes.length),
        (at, value, end) => {
          const damaged = Buffer.from(bytes.subarray(0, end))
          if (at < end) damaged[at] = value
          for (let start = 0; start < damaged.length; start += 7) {
            const element = readDer(damaged, start)
            if (element === null) continue
            expect(typeof rfc2253Name({ ...element, tag: SEQUENCE })).toBe('string')
            expect(typeof legacyName({ ...element, tag: SEQUENCE })).toBe('string')
          }
        },
      ),
      { numRuns: 200 },
    )
  })
})
