// Whether a backend is who it should be: `proxy_ssl_verify`, once its handshake is over. OpenSSL has checked the chain
// by then; the depth, which Node has no option for, is counted here.

import type { X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import { verifyError } from '../../tls/verify-errors.ts'
import type { TlsClient, Verification } from './client.ts'

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
  const deep = certificate === undefined ? null : depthError(certificate, verification)
  if (deep !== null) return verifyFailure(deep)
  // Without a name nothing matches; OpenSSL would take an empty one for any.
  if (name !== '' && certificate?.checkHost(name) !== undefined) return null
  return `upstream SSL certificate does not match "${Buffer.from(name).toString('latin1')}"`
}

/** OpenSSL stops looking for issuers at the depth, and misses the next one. */
function depthError(certificate: X509Certificate, { chains, depth }: Verification): string | null {
  const chain = chains.find(certificate)
  // The root does not count, nor does the backend's own.
  if (chain !== null && chain.length - 2 <= depth) return null
  const last = chain?.[depth + 1]
  return last !== undefined && chains.has(last)
    ? 'UNABLE_TO_GET_ISSUER_CERT'
    : 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY'
}
