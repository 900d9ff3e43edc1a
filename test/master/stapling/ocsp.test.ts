import { execFile } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkResponse, type OcspSubject, ocspRequest } from '../../../src/master/stapling/ocsp.ts'
import { Authority, type Certificate } from '../../support/certificates.ts'

const run = promisify(execFile)
const MINUTE = 60_000

let authority: Authority
let other: Authority
let server: Certificate
let signer: Certificate
let stranger: Certificate

beforeAll(async () => {
  ;[authority, other] = await Promise.all([Authority.create('One'), Authority.create('Other')])
  server = await authority.issue('server')
  signer = await signerOf(authority)
  stranger = await signerOf(other)
})
afterAll(() => Promise.all([authority.remove(), other.remove()]))

/** A certificate made for signing OCSP responses. */
async function signerOf({ folder, certFile, keyFile }: Authority): Promise<Certificate> {
  const [cert, key, request, extra] = ['cert', 'key', 'csr', 'ext'].map((end) => join(folder, `ocsp.${end}`))
  const make = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=responder']
  await run('openssl', ['req', ...make, '-keyout', key!, '-out', request!])
  await writeFile(extra!, 'extendedKeyUsage=OCSPSigning\n')
  const sign = ['-CA', certFile, '-CAkey', keyFile, '-set_serial', '99', '-days', '9', '-extfile', extra!]
  await run('openssl', ['x509', '-req', '-in', request!, ...sign, '-out', cert!])
  return { cert: await readFile(cert!, 'latin1'), key: '', certFile: cert!, keyFile: key! }
}

function subject(changes: Partial<OcspSubject> = {}): OcspSubject {
  const [certificate, issuer] = [new X509Certificate(server.cert), new X509Certificate(authority.cert)]
  return { certificate, issuer, chain: [], trusted: [issuer], ...changes }
}

/** What `openssl ocsp` answers to our own request. */
async function respond(by: { certFile: string; keyFile: string }, ...options: string[]): Promise<Buffer> {
  const [asked, answer] = [join(authority.folder, 'request.der'), join(authority.folder, 'response.der')]
  await writeFile(asked, await ocspRequest(subject()))
  const from = [
    '-index',
    authority.index,
    '-CA',
    authority.certFile,
    '-rsigner',
    by.certFile,
    '-rkey',
    by.keyFile,
  ]
  await run('openssl', ['ocsp', '-reqin', asked, '-respout', answer, ...from, ...options])
  return readFile(answer)
}

const check = (response: Buffer, changes: Partial<OcspSubject> = {}, now = Date.now()) =>
  checkResponse(response, subject(changes), now).then(
    ({ until }) => until,
    (error: Error) => error.message,
  )

describe('an OCSP response', () => {
  it('signed by the issuer is good until it says', async () => {
    const until = await check(await respond(authority, '-nmin', '60'))
    expect(Number(until) / MINUTE).toBeGreaterThan(Date.now() / MINUTE + 55)
    expect(Number(until) / MINUTE).toBeLessThan(Date.now() / MINUTE + 65)
  })

  it('that does not say until when is good for ever', async () => {
    expect(await check(await respond(authority))).toBe(Number.POSITIVE_INFINITY)
  })

  it('told by the hash of its key is good', async () => {
    expect(await check(await respond(authority, '-resp_key_id'))).toBe(Number.POSITIVE_INFINITY)
  })

  it.each([
    ['that the issuer lets sign is good', () => signer, {}, Number.POSITIVE_INFINITY],
    ['of another issuer is not', () => stranger, {}, 'OCSP_basic_verify() failed'],
    ['that was not made for it is not', () => server, {}, 'OCSP_basic_verify() failed'],
    [
      'of another issuer will do where nobody checks',
      () => stranger,
      { trusted: null },
      Number.POSITIVE_INFINITY,
    ],
    [
      'that leads to nothing that is trusted is not',
      () => signer,
      { trusted: [] },
      'OCSP_basic_verify() failed',
    ],
  ] as const)('signed by one %s', async (_what, by, changes, outcome) => {
    expect(await check(await respond(by()), changes)).toBe(outcome)
  })

  it('signed by one in the chain needs no other trust', async () => {
    const chain = [new X509Certificate(signer.cert)]
    expect(await check(await respond(signer), { chain, trusted: [] })).toBe(Number.POSITIVE_INFINITY)
  })

  it('without its signer is refused', async () => {
    expect(await check(await respond(signer, '-resp_no_certs'))).toBe('OCSP_basic_verify() failed')
  })

  it('of a time that is past or to come is refused', async () => {
    const response = await respond(authority, '-nmin', '10')
    expect(await check(response, {}, Date.now() + 16 * MINUTE)).toBe('OCSP_check_validity() failed')
    expect(await check(response, {}, Date.now() - 6 * MINUTE)).toBe('OCSP_check_validity() failed')
    expect(typeof (await check(response, {}, Date.now() + 14 * MINUTE))).toBe('number')
  })

  it('about another certificate is refused', async () => {
    const response = await respond(authority)
    const certificate = new X509Certificate((await authority.issue('second')).cert)
    expect(await check(response, { certificate })).toBe('certificate status not found in the OCSP response')
  })

  it('that tells of a certificate nobody knows is refused', async () => {
    const empty = join(authority.folder, 'empty.txt')
    await writeFile(empty, '')
    const response = await respond(authority, '-index', empty)
    expect(await check(response)).toBe('certificate status "unknown" in the OCSP response')
  })

  it('that tells of a revoked certificate is refused', async () => {
    await authority.revoke(server)
    expect(await check(await respond(authority))).toBe('certificate status "revoked" in the OCSP response')
  })

  it('that says no more than that there is none is refused', async () => {
    expect(await check(Buffer.from('30030a0106', 'hex'))).toBe(
      'OCSP response not successful (6: unauthorized)',
    )
    expect(await check(Buffer.from('30030a0103', 'hex'))).toBe('OCSP response not successful (3: trylater)')
    expect(await check(Buffer.from('30030a0100', 'hex'))).toBe('OCSP_response_get1_basic() failed')
    expect(await check(Buffer.from('not found'))).toBe('d2i_OCSP_RESPONSE() failed')
  })

  it('that is damaged is refused in words', async () => {
    const response = await respond(authority, '-nmin', '60')
    await fc.assert(
      fc.asyncProperty(fc.nat(response.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const damaged = Buffer.from(response)
        damaged[at]! ^= change
        const outcome = await check(damaged)
        if (typeof outcome !== 'number') expect(outcome).toMatch(/OCSP/)
      }),
      { numRuns: 150 },
    )
  })
})
