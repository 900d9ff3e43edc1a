// What OpenSSL's judgement of clients' certificates lacks in Node: `ssl_verify_depth`, which Node has no option for. The
// chain is followed here as OpenSSL has done it, from the client's certificate to the root.

import { X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'

/** Certificates behind the client's own that are looked at. */
const MOST_SENT = 32
/** Signatures that are verified to find a chain: clients may send many certificates that look like issuers. */
const MOST_CHECKS = 32
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
  /** By canonical subject. */
  readonly #trusted = new Map<string, X509Certificate[]>()
  readonly #fingerprints = new Set<string>()
  /** Fingerprints of those that end a chain. */
  readonly #roots = new Set<string>()

  /** `depth`: certificates there may be between a client's and the root; `trusted`: authorities, PEM. */
  constructor(depth: number, trusted: readonly string[]) {
    this.#depth = depth
    for (const text of trusted) {
      const certificate = new X509Certificate(text)
      const name = canonical(certificate.subject)
      const same = this.#trusted.get(name)
      if (same === undefined) this.#trusted.set(name, [certificate])
      else same.push(certificate)
      this.#fingerprints.add(certificate.fingerprint256)
      if (issued(certificate, certificate)) this.#roots.add(certificate.fingerprint256)
    }
  }

  judge(socket: TLSSocket, result: number): number {
    // A session is only kept of a chain that has been looked at; its chain is not there any more.
    if (result !== 0 || socket.isSessionReused()) return result
    const leaf = socket.getPeerX509Certificate()
    if (leaf === undefined) return result
    const chain = this.#chainOf(leaf)
    if (chain === null) return UNABLE_TO_GET_ISSUER_LOCALLY
    // The root does not count, nor does the client's own.
    if (chain.length - 2 <= this.#depth) return result
    // OpenSSL stops looking for issuers, and misses the next one.
    const last = chain[this.#depth + 1]!
    return this.#fingerprints.has(last.fingerprint256) ? UNABLE_TO_GET_ISSUER : UNABLE_TO_GET_ISSUER_LOCALLY
  }

  /** The shortest chain from `leaf` to a root; null: none is found, or it takes too much to find one. */
  #chainOf(leaf: X509Certificate): X509Certificate[] | null {
    const sent = sentBehind(leaf)
    const seen = new Set([leaf.fingerprint256])
    let checks = 0
    for (let chains = [[leaf]]; chains.length > 0; ) {
      const longer: X509Certificate[][] = []
      for (const chain of chains) {
        const last = chain.at(-1)!
        if (this.#roots.has(last.fingerprint256)) return chain
        const name = canonical(last.issuer)
        const own = sent.filter(({ subject }) => canonical(subject) === name)
        for (const issuer of [...(this.#trusted.get(name) ?? []), ...own]) {
          if (seen.has(issuer.fingerprint256)) continue
          if (++checks > MOST_CHECKS) return null
          if (!issued(issuer, last)) continue
          seen.add(issuer.fingerprint256)
          longer.push([...chain, issuer])
        }
      }
      chains = longer
    }
    return null
  }
}

/** What the client has sent behind its certificate: in its order, which need not be that of a chain. */
function sentBehind(leaf: X509Certificate): X509Certificate[] {
  const sent: X509Certificate[] = []
  let next = leaf.issuerCertificate
  while (next !== undefined && sent.length < MOST_SENT) {
    sent.push(next)
    next = next.issuerCertificate
  }
  return sent
}

/** As OpenSSL compares names: in any case, with any number of blanks. */
function canonical(name: string): string {
  return name
    .toLowerCase()
    .replace(/[ \t]+/g, ' ')
    .replace(/= | (?=\n|$)/g, (blank) => blank.trim())
}

function issued(issuer: X509Certificate, certificate: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
}
