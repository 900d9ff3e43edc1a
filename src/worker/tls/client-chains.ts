// What OpenSSL's judgement of clients' certificates lacks in Node: `ssl_verify_depth`, which Node has no option for. The
// chain is followed here as OpenSSL has done it, from the client's certificate to the root.

import { X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'

/** Certificates of a chain that are looked at; OpenSSL builds none that is longer. */
const LONGEST_CHAIN = 100
const UNABLE_TO_GET_ISSUER = 2
const UNABLE_TO_GET_ISSUER_LOCALLY = 20

/** Judges the chains of the clients of one server. */
export interface ClientChains {
  /** `result`: OpenSSL's X509_V_...; returns that, or what it would be at the depth. */
  judge(socket: TLSSocket, result: number): number
}

/** Nobody's certificate is asked for. */
export const NO_CHAINS: ClientChains = { judge: (_socket, result) => result }

export class DepthLimit implements ClientChains {
  readonly #depth: number
  /** By subject. */
  readonly #trusted = new Map<string, X509Certificate[]>()
  readonly #fingerprints = new Set<string>()

  /** `depth`: certificates there may be between a client's and the root; `trusted`: authorities, PEM. */
  constructor(depth: number, trusted: readonly string[]) {
    this.#depth = depth
    for (const text of trusted) {
      const certificate = new X509Certificate(text)
      const same = this.#trusted.get(certificate.subject)
      if (same === undefined) this.#trusted.set(certificate.subject, [certificate])
      else same.push(certificate)
      this.#fingerprints.add(certificate.fingerprint256)
    }
  }

  judge(socket: TLSSocket, result: number): number {
    // A session is only kept of a chain that has been looked at; its chain is not there any more.
    if (result !== 0 || socket.isSessionReused()) return result
    const leaf = socket.getPeerX509Certificate()
    if (leaf === undefined) return result
    const chain = this.#follow(leaf)
    // The root does not count, nor does the client's own.
    if (chain.length - 2 <= this.#depth) return result
    // OpenSSL stops looking for issuers, and misses the next one.
    const last = chain[this.#depth + 1]!
    return this.#fingerprints.has(last.fingerprint256) ? UNABLE_TO_GET_ISSUER : UNABLE_TO_GET_ISSUER_LOCALLY
  }

  #follow(leaf: X509Certificate): X509Certificate[] {
    const chain = [leaf]
    for (let certificate = leaf; chain.length < LONGEST_CHAIN; ) {
      if (issued(certificate, certificate)) break
      const own = this.#trusted.get(certificate.issuer)?.find((issuer) => issued(issuer, certificate))
      const next = own ?? certificate.issuerCertificate
      if (next === undefined) break
      chain.push(next)
      certificate = next
    }
    return chain
  }
}

function issued(issuer: X509Certificate, certificate: X509Certificate): boolean {
  return (
    issuer.subject === certificate.issuer &&
    certificate.checkIssued(issuer) &&
    certificate.verify(issuer.publicKey)
  )
}
