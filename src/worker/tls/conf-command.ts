// `ssl_conf_command` and its likes towards backends: OpenSSL's own configuration commands, as far as Node has a way to
// say the same. The others are refused by name, never taken and ignored.

import { constants } from 'node:crypto'
import type { SecureVersion } from 'node:tls'
import type { BuildContext } from '../../shared/conf/build.ts'
import type { Directive } from '../../shared/conf/directive.ts'

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
  EmptyFragments: { bit: constants.SSL_OP_DONT_INSERT_EMPTY_FRAGMENTS, inverse: true },
  EncryptThenMac: { bit: constants.SSL_OP_NO_ENCRYPT_THEN_MAC, inverse: true },
  ExtendedMasterSecret: { bit: EXTENDED_MASTER_SECRET, inverse: true },
  IgnoreUnexpectedEOF: { bit: IGNORE_UNEXPECTED_EOF },
  MiddleboxCompat: { bit: MIDDLEBOX_COMPATIBILITY, byDefault: BY_DEFAULT },
  NoRenegotiation: { bit: constants.SSL_OP_NO_RENEGOTIATION, byDefault: BY_DEFAULT },
  NoResumptionOnRenegotiation: { bit: constants.SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION },
  PrioritizeChaCha: { bit: constants.SSL_OP_PRIORITIZE_CHACHA },
  ServerPreference: { bit: constants.SSL_OP_CIPHER_SERVER_PREFERENCE },
  SessionTicket: { bit: SESSION_TICKET, inverse: true },
  UnsafeLegacyRenegotiation: { bit: constants.SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION },
  UnsafeLegacyServerConnect: { bit: constants.SSL_OP_LEGACY_SERVER_CONNECT },
}

type Apply = (changes: ContextChanges) => void
/** Reads a value; null: it makes no sense to OpenSSL. */
type Reader = (value: string, refuse: (why: string) => never) => Apply | null

const READERS: Readonly<Record<string, Reader>> = {
  CipherString: (ciphers) => (changes) => Object.assign(changes, { ciphers }),
  Ciphersuites: (suites) => (changes) => Object.assign(changes, { suites }),
  Curves: (groups) => (changes) => Object.assign(changes, { groups }),
  Groups: (groups) => (changes) => Object.assign(changes, { groups }),
  MaxProtocol: version('maxVersion'),
  MinProtocol: version('minVersion'),
  Options: readOptions,
  Protocol: readProtocols,
  SignatureAlgorithms: (sigalgs) => (changes) => Object.assign(changes, { sigalgs }),
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
  ECDHParameters: 'it is the same as "Groups"',
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
  if (apply === null) {
    const reason = `SSL: error:0A000180:SSL routines::bad value:cmd=${name}, value=${value}`
    return context.error(`SSL_CONF_cmd("${name}", "${value}") failed (${reason})`)
  }
  return { name, value, apply }
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
  for (const { name, on } of listed(value)) {
    const option = named(OPTIONS, name)
    if (option === null) {
      return /^(AntiReplay|CANames|DHSingle|ECDHSingle|KTLS|KTLSTxZerocopySendfile|PreferNoDHEKEX|RxCertificateCompression|StrictCertCheck|TxCertificateCompression)$/i.test(
        name,
      )
        ? refuse(`Node.js cannot set the option "${name}"`)
        : null
    }
    const { bit, inverse = false, byDefault = false } = option[1]
    const wanted = on !== inverse
    if (wanted) set |= bit
    else if (byDefault) refuse(`Node.js cannot take the option "${name}" back`)
  }
  return (changes) => {
    changes.set |= set
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
