// OCSP (RFC 6960) as stapling needs it: the request for the status of one certificate, and what a response says of it,
// checked as nginx has OpenSSL check it. The ASN.1 is pkijs's, which is loaded when the first request is made.

import type { X509Certificate } from 'node:crypto'
import type * as Pki from 'pkijs'

/** The certificate that is asked about, and what its answers are judged by. */
export interface OcspSubject {
  readonly certificate: X509Certificate
  readonly issuer: X509Certificate
  /** What the server sends beside its certificate: whoever is in there may sign responses. */
  readonly chain: readonly X509Certificate[]
  /** What other signers have to lead to; null: any signer will do, as without `ssl_stapling_verify`. */
  readonly trusted: readonly X509Certificate[] | null
}

/** A response that may be stapled until `until`, milliseconds since the epoch; Infinity where it does not say. */
export interface GoodResponse {
  readonly until: number
}

/** Why a response is not used, in nginx's words. */
export class OcspFailure extends Error {}

/** How wrong clocks may be, milliseconds. */
const SKEW = 300_000
const OCSP_SIGNING = '1.3.6.1.5.5.7.3.9'
const EXTENDED_KEY_USAGE = '2.5.29.37'

const STATUS_WORDS = [
  'successful',
  'malformedrequest',
  'internalerror',
  'trylater',
  '(UNKNOWN)',
  'sigrequired',
  'unauthorized',
]
/** By the number of the context-specific tag. */
const CERTIFICATE_STATUS = ['good', 'revoked', 'unknown']

let library: Promise<typeof Pki> | null = null

function pkijs(): Promise<typeof Pki> {
  library ??= import('pkijs')
  return library
}

/** The DER of a request for the status of `subject`. */
export async function ocspRequest(subject: OcspSubject): Promise<Buffer> {
  const pki = await pkijs()
  const request = new pki.OCSPRequest()
  request.tbsRequest.requestList = [new pki.Request({ reqCert: await certificateId(pki, subject) })]
  return Buffer.from(request.toSchema(true).toBER())
}

/** Judges the DER of a response; `now`: milliseconds since the epoch. Throws OcspFailure. */
export async function checkResponse(
  response: Buffer,
  subject: OcspSubject,
  now: number,
): Promise<GoodResponse> {
  const pki = await pkijs()
  const outer = attempt('d2i_OCSP_RESPONSE() failed', () => pki.OCSPResponse.fromBER(response))
  const status = outer.responseStatus.valueBlock.valueDec
  if (status !== 0) fail(`OCSP response not successful (${status}: ${STATUS_WORDS[status] ?? '(UNKNOWN)'})`)
  const { responseBytes } = outer
  const basic = attempt('OCSP_response_get1_basic() failed', () => {
    if (responseBytes?.responseType !== pki.id_PKIX_OCSP_Basic) throw new Error('another type')
    return pki.BasicOCSPResponse.fromBER(responseBytes.response.valueBlock.valueHexView)
  })
  if (!(await isSigned(pki, basic, subject, now))) fail('OCSP_basic_verify() failed')
  const id = await certificateId(pki, subject)
  const single = basic.tbsResponseData.responses.find(({ certID }) => certID.isEqual(id))
  if (single === undefined) return fail('certificate status not found in the OCSP response')
  const until = validity(single, now)
  const word = CERTIFICATE_STATUS[single.certStatus.idBlock.tagNumber]
  if (word !== 'good') fail(`certificate status "${word ?? '(UNKNOWN)'}" in the OCSP response`)
  return { until }
}

function validity({ thisUpdate, nextUpdate }: Pki.SingleResponse, now: number): number {
  const from = thisUpdate.getTime()
  const until = nextUpdate?.getTime() ?? Number.POSITIVE_INFINITY
  if (!(from <= now + SKEW && until >= now - SKEW && until >= from)) fail('OCSP_check_validity() failed')
  return until
}

/** As OpenSSL names certificates unless told otherwise: by SHA-1. */
async function certificateId(pki: typeof Pki, { certificate, issuer }: OcspSubject): Promise<Pki.CertID> {
  const id = new pki.CertID()
  await id.createForCertificate(parsed(pki, certificate), {
    hashAlgorithm: 'SHA-1',
    issuerCertificate: parsed(pki, issuer),
  })
  return id
}

function parsed(pki: typeof Pki, certificate: X509Certificate): Pki.Certificate {
  return pki.Certificate.fromBER(certificate.raw)
}

/** Whether somebody signed it who may. */
async function isSigned(
  pki: typeof Pki,
  basic: Pki.BasicOCSPResponse,
  subject: OcspSubject,
  now: number,
): Promise<boolean> {
  const own = [...subject.chain, subject.issuer].map((certificate) => parsed(pki, certificate))
  const sent = basic.certs ?? []
  try {
    const signer = await findSigner(pki, basic, own)
    if (signer !== null) return await verifies(pki, basic, signer)
    const delegate = await findSigner(pki, basic, sent)
    if (delegate === null || !(await verifies(pki, basic, delegate))) return false
    return subject.trusted === null || (await mayDelegate(pki, delegate, [...sent, ...own], subject, now))
  } catch {
    // What cannot be read, or is of an algorithm nobody here knows.
    return false
  }
}

/** The responder names itself, or tells the hash of its key (RFC 6960 section 4.2.2.3). */
async function findSigner(
  pki: typeof Pki,
  { tbsResponseData }: Pki.BasicOCSPResponse,
  candidates: readonly Pki.Certificate[],
): Promise<Pki.Certificate | null> {
  const responder: unknown = tbsResponseData.responderID
  for (const candidate of candidates) {
    if (responder instanceof pki.RelativeDistinguishedNames) {
      if (candidate.subject.isEqual(responder)) return candidate
      continue
    }
    const key = candidate.subjectPublicKeyInfo.subjectPublicKey.valueBlock.valueHexView
    const digest = await pki.getCrypto(true).digest('SHA-1', bytes(key))
    const told = (responder as { valueBlock?: { valueHexView?: Uint8Array } }).valueBlock?.valueHexView
    if (told !== undefined && Buffer.from(digest).equals(told)) return candidate
  }
  return null
}

function verifies(
  pki: typeof Pki,
  basic: Pki.BasicOCSPResponse,
  { subjectPublicKeyInfo }: Pki.Certificate,
): Promise<boolean> {
  const { tbsResponseData, signature, signatureAlgorithm } = basic
  return pki
    .getCrypto(true)
    .verifyWithPublicKey(bytes(tbsResponseData.tbsView), signature, subjectPublicKeyInfo, signatureAlgorithm)
}

/** A signer that only the response brought: of the same issuer, made for it, and trusted. */
async function mayDelegate(
  pki: typeof Pki,
  signer: Pki.Certificate,
  others: readonly Pki.Certificate[],
  { issuer, trusted }: OcspSubject,
  now: number,
): Promise<boolean> {
  const usage: unknown = signer.extensions?.find(({ extnID }) => extnID === EXTENDED_KEY_USAGE)?.parsedValue
  if (!(usage instanceof pki.ExtKeyUsage) || !usage.keyPurposes.includes(OCSP_SIGNING)) return false
  const authority = parsed(pki, issuer)
  if (!signer.issuer.isEqual(authority.subject) || !(await signer.verify(authority))) return false
  const engine = new pki.CertificateChainValidationEngine({
    trustedCerts: trusted!.map((certificate) => parsed(pki, certificate)),
    certs: [...others.filter((certificate) => certificate !== signer), signer],
    checkDate: new Date(now),
  })
  return (await engine.verify()).result
}

function bytes(view: Uint8Array): ArrayBuffer {
  return new Uint8Array(view).buffer
}

function attempt<T>(words: string, act: () => T): T {
  try {
    return act()
  } catch {
    return fail(words)
  }
}

function fail(words: string): never {
  throw new OcspFailure(words)
}
