// Whether a backend is who it should be: `proxy_ssl_verify`, once its handshake is over. OpenSSL has checked the chain
// by then; the depth, which Node has no option for, is counted here.

import { X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import { verifyError } from '../../tls/verify-errors.ts'
import type { TlsClient, Verification } from './client.ts'

/** Certificates of a chain that are looked at; OpenSSL builds none that is longer. */
const LONGEST_CHAIN = 100

/** Certificates (PEM) by subject. */
export function bySubject(texts: readonly string[]): Map<string, X509Certificate[]> {
  const found = new Map<string, X509Certificate[]>()
  for (const text of texts) {
    const certificate = new X509Certificate(text)
    const same = found.get(certificate.subject)
    if (same === undefined) found.set(certificate.subject, [certificate])
    else same.push(certificate)
  }
  return found
}

/** Why the backend at the other end of `socket` is not to be trusted, in nginx's words; null: it is. */
export function refusalOf(socket: TLSSocket, { verification, name }: TlsClient): string | null {
  if (verification === null) return null
  const error: unknown = socket.authorizationError
  if (error !== null && error !== undefined) return verifyFailure(String(error))
  // Node does not know the certificate of a session, which is kept only of backends that have passed all of this.
  if (socket.isSessionReused()) return null
  try {
    return certificateRefusal(socket.getPeerX509Certificate(), verification, name)
  } catch {
    // One so odd that it cannot even be looked at.
    return verifyFailure('')
  }
}

/** `error`: Node's name for it. */
function verifyFailure(error: string): string {
  const { number, text } = verifyError(error)
  return `upstream SSL certificate verify error: (${number}:${text})`
}

function certificateRefusal(
  certificate: X509Certificate | undefined,
  verification: Verification,
  name: string,
): string | null {
  // OpenSSL stops looking for issuers at the depth, and finds no root.
  const deep = certificate !== undefined && intermediates(certificate, verification) > verification.depth
  if (deep) return verifyFailure('UNABLE_TO_GET_ISSUER_CERT_LOCALLY')
  // Without a name nothing matches; OpenSSL would take an empty one for any.
  if (name !== '' && certificate?.checkHost(name) !== undefined) return null
  return `upstream SSL certificate does not match "${Buffer.from(name).toString('latin1')}"`
}

/** How many certificates stand between `leaf` and the root it is trusted for. */
function intermediates(leaf: X509Certificate, { trusted }: Verification): number {
  let certificate = leaf
  for (let count = 0; count < LONGEST_CHAIN; count++) {
    const issuers = trusted.get(certificate.issuer)?.filter((issuer) => issued(issuer, certificate)) ?? []
    if (issued(certificate, certificate) || issuers.some((issuer) => issued(issuer, issuer))) return count
    const next = issuers[0] ?? certificate.issuerCertificate
    if (next === undefined) return count
    certificate = next
  }
  return LONGEST_CHAIN
}

function issued(issuer: X509Certificate, certificate: X509Certificate): boolean {
  return (
    issuer.subject === certificate.issuer &&
    certificate.checkIssued(issuer) &&
    certificate.verify(issuer.publicKey)
  )
}
