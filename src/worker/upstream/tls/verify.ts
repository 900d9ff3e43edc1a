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
  const error = errorOf(socket, verification)
  if (error !== null) {
    const { number, text } = verifyError(error)
    return `upstream SSL certificate verify error: (${number}:${text})`
  }
  const certificate = socket.getPeerX509Certificate()
  // Node does not know the certificate of a session, which is kept only of backends that have passed all of this.
  if (socket.isSessionReused()) return null
  // Without a name nothing matches; OpenSSL would take an empty one for any.
  const matches = name !== '' && certificate?.checkHost(name) !== undefined
  return matches ? null : `upstream SSL certificate does not match "${name}"`
}

/** Node's name for what is wrong with the chain, or null. */
function errorOf(socket: TLSSocket, verification: Verification): string | null {
  const error: unknown = socket.authorizationError
  if (error !== null && error !== undefined) return String(error)
  const certificate = socket.getPeerX509Certificate()
  if (certificate === undefined) return null
  // OpenSSL stops looking for issuers at the depth, and finds no root.
  return intermediates(certificate, verification) > verification.depth
    ? 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY'
    : null
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
