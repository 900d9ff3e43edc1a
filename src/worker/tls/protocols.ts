// The words of `*_ssl_protocols`, and what they are to Node: a range of versions, and bits for the gaps in it.

import { constants } from 'node:crypto'
import type { SecureVersion } from 'node:tls'

interface Version {
  readonly bit: number
  readonly name: SecureVersion
  /** OpenSSL's option that leaves it out. */
  readonly without: number
}

const VERSIONS: readonly Version[] = [
  { bit: 1, name: 'TLSv1', without: constants.SSL_OP_NO_TLSv1 },
  { bit: 2, name: 'TLSv1.1', without: constants.SSL_OP_NO_TLSv1_1 },
  { bit: 4, name: 'TLSv1.2', without: constants.SSL_OP_NO_TLSv1_2 },
  { bit: 8, name: 'TLSv1.3', without: constants.SSL_OP_NO_TLSv1_3 },
]

/** Bits by word. */
export const PROTOCOLS: Readonly<Record<string, number>> = Object.fromEntries(
  VERSIONS.map(({ name, bit }) => [name, bit]),
)

/** TLSv1.2 and TLSv1.3. */
export const DEFAULT_PROTOCOLS = 4 | 8

/** Options of a context for the protocols in `mask`. */
export function protocolOptions(mask: number): {
  minVersion: SecureVersion
  maxVersion: SecureVersion
  options: number
} {
  const used = VERSIONS.filter(({ bit }) => mask & bit)
  const left = VERSIONS.filter(({ bit }) => !(mask & bit))
  return {
    minVersion: used[0]!.name,
    maxVersion: used.at(-1)!.name,
    options: left.reduce((bits, { without }) => bits | without, 0),
  }
}
