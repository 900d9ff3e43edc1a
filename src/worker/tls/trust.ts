// Contexts that trust authorities without telling clients of them, as `ssl_trusted_certificate` asks for. Node tells
// clients of every one it is given; but not of those it trusts by itself, which a thread may choose.

import {
  createSecureContext,
  getCACertificates,
  type SecureContext,
  type SecureContextOptions,
  setDefaultCACertificates,
} from 'node:tls'

/** Words of `ssl_verify_client`. */
export type VerifyClient = 'off' | 'on' | 'optional' | 'optional_no_ca'

/** What the certificates of a server's clients are judged by. */
export interface ClientTrust {
  readonly verify: VerifyClient
  /** Authorities (PEM) that clients are told of. */
  readonly named: readonly string[]
  /** Authorities that they are not told of. */
  readonly unnamed: readonly string[]
  /** Revocation lists (PEM). */
  readonly revocations: readonly string[]
  /** Certificates there may be between a client's and the root. */
  readonly depth: number
}

/** A private member of Node: the context inside of its own. */
interface InnerContext {
  addCACert?: (certificate: string) => void
}

let usual: string[] | null = null

/** A context of `options` that trusts the authorities of `trust`. */
export function trustingContext(options: SecureContextOptions, trust: ClientTrust): SecureContext {
  const { verify, named, unnamed, revocations } = trust
  const whole = revocations.length === 0 ? options : { ...options, crl: [...revocations] }
  // Clients are told of nobody where they are not asked for certificates.
  if (unnamed.length === 0 || verify === 'off')
    return createSecureContext({ ...whole, ca: [...named, ...unnamed] })
  usual ??= getCACertificates('default')
  setDefaultCACertificates([...unnamed])
  try {
    const { ca: _, ...others } = whole
    const context = createSecureContext(others)
    const inner = context.context as InnerContext
    // Without that member clients are told of all.
    if (typeof inner.addCACert !== 'function') {
      return createSecureContext({ ...whole, ca: [...named, ...unnamed] })
    }
    for (const certificate of named) inner.addCACert(certificate)
    return context
  } finally {
    setDefaultCACertificates(usual)
  }
}

/** Tells one trust from another. */
export function trustIdentity(trust: ClientTrust): string {
  const { verify, depth, named, unnamed, revocations } = trust
  return verify === 'off' ? '' : JSON.stringify([verify, depth, named, unnamed, revocations])
}
