// `ssl_conf_command` and its likes towards backends: OpenSSL's own configuration commands, as far as Node has a way to
// say the same. The others are refused by name, never taken and ignored.

import { constants } from 'node:crypto'
import { createSecureContext, type SecureContextOptions, type SecureVersion } from 'node:tls'
import type { BuildContext } from '../../shared/conf/build.ts'
import type { Directive } from '../../shared/conf/directive.ts'
import { opensslText } from './openssl-error.ts'

/** What commands change in the options of a context; a later one wins. */
export interface ContextChanges {
  /** Ciphers before TLS 1.3, and those of TLS 1.3. */
  ciphers?: string
  suites?: string
  groups?: string
  sigalgs?: string
  minVersion?: SecureVersion | null
  maxVersion?: SecureVersion | null
  /** Bits of OpenSSL's options to set. */
  set: number
  /** Protocols to use, by name, as `Protocol` lists them. */
  protocols?: ReadonlyMap<string, boolean>
}

/** One directive: `name` is OpenSSL's command as it is written there. */
export interface ConfCommand {
  readonly name: string
  readonly value: string
  apply(changes: ContextChanges): void
}

const VERSIONS: readonly SecureVersion[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']
/** Set in every context of Node's OpenSSL. */
const BY_DEFAULT = true

/** An option: its bit, whether its name stands for the bit (or for its absence), and whether the bit is set anyway. */
interface Option {
  readonly bit: number
  readonly inverse?: true
  readonly byDefault?: true
}

const SESSION_TICKET = constants.SSL_OP_NO_TICKET
/** Bits that Node has no name for. */
const CLIENT_RENEGOTIATION = 1 << 8
const MIDDLEBOX_COMPATIBILITY = 1 << 20
const EXTENDED_MASTER_SECRET = 1
const IGNORE_UNEXPECTED_EOF = 1 << 7

const OPTIONS: Readonly<Record<string, Option>> = {
  AllowNoDHEKEX: { bit: constants.SSL_OP_ALLOW_NO_DHE_KEX },
  Bugs: { bit: constants.SSL_OP_ALL },
  ClientRenegotiation: { bit: CLIENT_RENEGOTIATION },
  Compression: { bit: constants.SSL_OP_NO_COMPRESSION, inverse: true, byDefault: BY_DEFAULT },
  // Of no effect in OpenSSL either, since keys are always made anew.
  DHSingle: { bit: 0 },
  ECDHSingle: { bit: 0 },
  EmptyFragments: { bit: constants.SSL_OP_DONT_INSERT_EMPTY_FRAGMENTS, inverse: true },
  EncryptThenMac: { bit: constants.SSL_OP_NO_ENCRYPT_THEN_MAC, inverse: true },
  ExtendedMasterSecret: { bit: EXTENDED_MASTER_SECRET, inverse: true },
  IgnoreUnexpectedEOF: { bit: IGNORE_UNEXPECTED_EOF, byDefault: BY_DEFAULT },
  MiddleboxCompat: { bit: MIDDLEBOX_COMPATIBILITY, byDefault: BY_DEFAULT },
  NoRenegotiation: { bit: constants.SSL_OP_NO_RENEGOTIATION, byDefault: BY_DEFAULT },
  NoResumptionOnRenegotiation: { bit: constants.SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION },
  PrioritizeChaCha: { bit: constants.SSL_OP_PRIORITIZE_CHACHA },
  ServerPreference: { bit: constants.SSL_OP_CIPHER_SERVER_PREFERENCE },
  SessionTicket: { bit: SESSION_TICKET, inverse: true },
  UnsafeLegacyRenegotiation: { bit: constants.SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION },
  UnsafeLegacyServerConnect: { bit: constants.SSL_OP_LEGACY_SERVER_CONNECT },
}

/** Options that OpenSSL has, in lower case, and Node has no way to set. */
const UNKNOWN_OPTIONS = new Set([
  'antireplay',
  'canames',
  'ktls',
  'ktlstxzerocopysendfile',
  'prefernodhekex',
  'rxcertificatecompression',
  'strictcertcheck',
  'txcertificatecompression',
])

type Apply = (changes: ContextChanges) => void
/** Reads a value. A text, or null: it makes no sense to OpenSSL, and what that says of it beforehand. */
type Reader = (value: string, refuse: (why: string) => never) => Apply | string | null

const GROUPS = listOf('groups', (ecdhCurve) => ({ ecdhCurve }))

const READERS: Readonly<Record<string, Reader>> = {
  CipherString: listOf('ciphers', (ciphers) => ({ ciphers })),
  Ciphersuites: readSuites,
  Curves: GROUPS,
  ECDHParameters: (curve, refuse) => GROUPS(/^\+?auto(matic)?$/i.test(curve) ? 'auto' : curve, refuse),
  Groups: GROUPS,
  MaxProtocol: version('maxVersion'),
  MinProtocol: version('minVersion'),
  Options: readOptions,
  Protocol: readProtocols,
  SignatureAlgorithms: listOf('sigalgs', (sigalgs) => ({ sigalgs })),
}

/** Commands OpenSSL has and Node does not, and why. */
const REFUSED: Readonly<Record<string, string>> = {
  AntiReplay: 'Node.js has no early data',
  Certificate: 'certificates have directives of their own',
  ChainCAFile: 'certificates have directives of their own',
  ChainCAPath: 'certificates have directives of their own',
  ChainCAStore: 'certificates have directives of their own',
  ClientCAFile: 'certificates have directives of their own',
  ClientCAPath: 'certificates have directives of their own',
  ClientCAStore: 'certificates have directives of their own',
  ClientSignatureAlgorithms: 'Node.js cannot set the algorithms for the certificates of clients',
  DHParameters: 'parameters of Diffie-Hellman have a directive of their own',
  NumTickets: 'Node.js cannot set the number of session tickets',
  PrivateKey: 'certificates have directives of their own',
  RecordPadding: 'Node.js cannot pad records',
  RequestCAFile: 'certificates have directives of their own',
  RequestCAPath: 'certificates have directives of their own',
  RequestCAStore: 'certificates have directives of their own',
  ServerInfoFile: 'Node.js cannot add extensions of its own',
  VerifyCAFile: 'certificates have directives of their own',
  VerifyCAPath: 'certificates have directives of their own',
  VerifyCAStore: 'certificates have directives of their own',
  VerifyMode: 'the verification of certificates has directives of its own',
}

/** As OpenSSL, names are the same in any case. */
function named<T>(table: Readonly<Record<string, T>>, name: string): [string, T] | null {
  const found = Object.entries(table).find(([key]) => key.toLowerCase() === name.toLowerCase())
  return found ?? null
}

/** Reads a directive of two arguments, a command and its value. */
export function readConfCommand({ name: directive, args }: Directive, context: BuildContext): ConfCommand {
  const [name, value] = args as [string, string]
  const refuse = (why: string): never =>
    context.error(`the "${name}" command of the "${directive}" directive is not supported by weir: ${why}`)
  const reader = named(READERS, name)
  if (reader === null) {
    const refused = named(REFUSED, name)
    if (refused !== null) refuse(refused[1])
    const reason = `SSL: error:0A000182:SSL routines::unknown cmd name:cmd=${name}`
    return context.error(`SSL_CONF_cmd("${name}", "${value}") failed (${reason})`)
  }
  const apply = reader[1](value, refuse)
  if (typeof apply !== 'function') {
    const reason = `error:0A000180:SSL routines::bad value:cmd=${name}, value=${value}`
    return context.error(`SSL_CONF_cmd("${name}", "${value}") failed (${apply ?? 'SSL:'} ${reason})`)
  }
  return { name, value, apply }
}

/** A list that OpenSSL reads: tried out on a context that nobody uses. */
function listOf(
  field: 'ciphers' | 'suites' | 'groups' | 'sigalgs',
  options: (value: string) => SecureContextOptions,
): Reader {
  return (value) => {
    try {
      createSecureContext({ ca: [], ...options(value) })
    } catch (error) {
      return opensslText(error as Error)
    }
    return (changes) => Object.assign(changes, { [field]: value })
  }
}

/** As OpenSSL, passes over suites it does not know, as long as there is one that it knows. */
function readSuites(value: string): Apply | string {
  const suites = value.split(':').filter((name) => {
    if (!name.startsWith('TLS_')) return false
    try {
      createSecureContext({ ca: [], ciphers: name })
      return true
    } catch {
      return false
    }
  })
  if (suites.length === 0) return 'SSL: error:0A0000B9:SSL routines::no cipher match'
  return (changes) => Object.assign(changes, { suites: suites.join(':') })
}

/** `None` lifts the limit. */
function version(field: 'minVersion' | 'maxVersion'): Reader {
  return (value) => {
    const limit = value.toLowerCase() === 'none' ? null : VERSIONS.find((one) => one === value)
    return limit === undefined ? null : (changes) => Object.assign(changes, { [field]: limit })
  }
}

/** `-` in front takes away what `+`, or nothing, adds. */
function listed(value: string): { name: string; on: boolean }[] {
  return value.split(',').map((part) => {
    const [, sign, name] = /^\s*([+-]?)(.*?)\s*$/s.exec(part) as unknown as [string, string, string]
    return { name, on: sign !== '-' }
  })
}

function readOptions(value: string, refuse: (why: string) => never): Apply | null {
  let set = 0
  let cleared = 0
  for (const { name, on } of listed(value)) {
    const option = named(OPTIONS, name)
    if (option === null) {
      return UNKNOWN_OPTIONS.has(name.toLowerCase())
        ? refuse(`Node.js cannot set the option "${name}"`)
        : null
    }
    const { bit, inverse = false, byDefault = false } = option[1]
    const wanted = on !== inverse
    if (wanted) set |= bit
    else cleared |= bit
    if (!wanted && byDefault) refuse(`Node.js cannot take the option "${name}" back`)
  }
  return (changes) => {
    changes.set = (changes.set & ~cleared) | set
  }
}

function readProtocols(value: string): Apply | null {
  const protocols = new Map<string, boolean>()
  for (const { name, on } of listed(value)) {
    const names = name.toUpperCase() === 'ALL' ? VERSIONS : VERSIONS.filter((one) => one === name)
    if (names.length === 0) return null
    for (const one of names) protocols.set(one, on)
  }
  return (changes) => {
    changes.protocols = new Map([...(changes.protocols ?? []), ...protocols])
  }
}
