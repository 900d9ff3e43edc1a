// A client's certificate as the $ssl_client_* variables show it. Everything is worked out when it is asked for, once for
// a connection.

import type { X509Certificate } from 'node:crypto'
import { children, content, context, type DerElement, INTEGER, readDer } from '../../shared/der.ts'
import { legacyName, rfc2253Name } from './names/distinguished-name.ts'

const DAY = 86_400_000

/** The parts of a TBSCertificate (RFC 5280 section 4.1) that variables are made of. */
interface Parts {
  readonly serial: DerElement | null
  readonly issuer: DerElement | null
  readonly subject: DerElement | null
}

export class ClientCertificate {
  readonly x509: X509Certificate
  #parts: Parts | null = null
  #pem = ''
  #subject: string | null = null
  #issuer: string | null = null

  constructor(x509: X509Certificate) {
    this.x509 = x509
  }

  /** PEM with its last line feed. */
  get pem(): string {
    if (this.#pem === '') this.#pem = this.x509.toString()
    return this.#pem
  }

  /** The subject by RFC 2253. */
  get subject(): string {
    const { subject } = this.#read()
    this.#subject ??= subject === null ? '' : rfc2253Name(subject)
    return this.#subject
  }

  /** The issuer by RFC 2253. */
  get issuer(): string {
    const { issuer } = this.#read()
    this.#issuer ??= issuer === null ? '' : rfc2253Name(issuer)
    return this.#issuer
  }

  get legacySubject(): string {
    const { subject } = this.#read()
    return subject === null ? '' : legacyName(subject)
  }

  get legacyIssuer(): string {
    const { issuer } = this.#read()
    return issuer === null ? '' : legacyName(issuer)
  }

  /** The serial number in hexadecimal digits, a minus sign in front where it is negative. */
  get serial(): string {
    const { serial } = this.#read()
    if (serial === null) return ''
    const hex = content(serial).toString('hex')
    if (Number.parseInt(hex.slice(0, 2), 16) < 0x80) return hex.replace(/^(?:00)+(?=.)/, '').toUpperCase()
    // Two's complement of as many bits.
    const value = (1n << BigInt(hex.length * 4)) - BigInt(`0x${hex}`)
    const digits = value.toString(16)
    return `-${digits.padStart(digits.length + (digits.length % 2), '0').toUpperCase()}`
  }

  /** SHA-1 of the certificate in lower case, without colons. */
  get fingerprint(): string {
    return this.x509.fingerprint.replaceAll(':', '').toLowerCase()
  }

  /** Whole days until it expires, 0 once it has; '' where that cannot be read. */
  daysLeft(now: number): string {
    const days = Math.floor((this.x509.validToDate.getTime() - now) / DAY)
    return Number.isNaN(days) ? '' : String(Math.max(0, days))
  }

  #read(): Parts {
    this.#parts ??= partsOf(this.x509.raw)
    return this.#parts
  }
}

function partsOf(der: Buffer): Parts {
  const certificate = readDer(der)
  const signed = certificate === null ? null : (children(certificate)?.[0] ?? null)
  const fields = (signed === null ? null : children(signed)) ?? []
  // The version stands in front, unless it is the first one.
  const first = fields[0]?.tag === context(0) ? 1 : 0
  const serial = fields[first]
  return {
    serial: serial?.tag === INTEGER ? serial : null,
    issuer: fields[first + 2] ?? null,
    subject: fields[first + 4] ?? null,
  }
}
