// The chain that leads from a peer's certificate to one of the roots it is trusted for. OpenSSL has found and verified one
// by then, but Node does not tell which; how long it is has to be known for `ssl_verify_depth` and `proxy_ssl_verify_depth`.

import { X509Certificate } from 'node:crypto'

/** Certificates behind the peer's own that are looked at. */
const MOST_SENT = 32
/** Signatures that are verified to find a chain: peers may send many certificates that look like issuers. */
const MOST_CHECKS = 32

export class Chains {
  /** By canonical subject. */
  readonly #trusted = new Map<string, X509Certificate[]>()
  readonly #fingerprints = new Set<string>()
  /** Fingerprints of those that end a chain. */
  readonly #roots = new Set<string>()

  /** `trusted`: authorities, PEM. */
  constructor(trusted: readonly string[]) {
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

  /** Whether it is one of the authorities. */
  has({ fingerprint256 }: X509Certificate): boolean {
    return this.#fingerprints.has(fingerprint256)
  }

  /**
   * The shortest chain from `leaf`, as it came from a connection, to a root, both included; null: none is found, or it
   * takes too much to find one.
   */
  find(leaf: X509Certificate): X509Certificate[] | null {
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

/** What the peer has sent behind its certificate: in its order, which need not be that of a chain. */
function sentBehind(leaf: X509Certificate): X509Certificate[] {
  const sent: X509Certificate[] = []
  let next = leaf.issuerCertificate
  while (next !== undefined && sent.length < MOST_SENT) {
    sent.push(next)
    next = next.issuerCertificate
  }
  return sent
}

/** As OpenSSL compares names: in any case, with any number of blanks. One without a name is told as undefined. */
function canonical(name: string | undefined): string {
  return (name ?? '')
    .toLowerCase()
    .replace(/[ \t]+/g, ' ')
    .replace(/= | (?=\n|$)/g, (blank) => blank.trim())
}

function issued(issuer: X509Certificate, certificate: X509Certificate): boolean {
  try {
    return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
  } catch {
    // Of a kind of key that nobody knows.
    return false
  }
}
