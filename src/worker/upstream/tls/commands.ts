// The directives about TLS towards backends, the same for every module that passes requests on: `proxy_ssl_*` and
// `grpc_ssl_*` differ in their prefix only.

import { type Command, fieldName, HTTP_ANY, type Setter } from '../../../shared/conf/command.ts'
import { confPath, flag, number, optional, path, string } from '../../../shared/conf/setters.ts'
import { type ComplexValue, compileValue } from '../../http/complex-value.ts'
import type { ConfCommand } from '../../tls/conf-command.ts'
import { DEFAULT_PROTOCOLS, PROTOCOLS } from '../../tls/protocols.ts'
import {
  addConfCommand,
  type CacheSettings,
  type Passwords,
  setCache,
  setPasswords,
} from '../../tls/setters.ts'

/** What the directives of one prefix say where they are asked for. */
export interface TlsValues {
  readonly certificate: ComplexValue | undefined
  readonly certificateKey: ComplexValue | undefined
  /** null: `off`. */
  readonly certificateCache: CacheSettings | false
  /** Passwords to try on keys; the file they come from tells one list from another. */
  readonly passwordFile: Passwords | undefined
  /** OpenSSL's list, for protocols before TLS 1.3. */
  readonly ciphers: string
  /** Bits of PROTOCOLS. */
  readonly protocols: number
  /** undefined: the host of the request's upstream. */
  readonly name: ComplexValue | undefined
  readonly serverName: boolean
  readonly sessionReuse: boolean
  /** Absolute paths; '' or undefined for none. */
  readonly trustedCertificate: string | undefined
  readonly crl: string | undefined
  readonly verify: boolean
  readonly verifyDepth: number
  readonly confCommand: readonly ConfCommand[]
  /** Absolute path of the log; undefined: none. */
  readonly keyLog: string | undefined
}

const FIELDS: readonly { field: keyof TlsValues; args: Command['args']; set: Setter; default?: unknown }[] = [
  { field: 'certificate', args: 1, set: complexValue },
  { field: 'certificateKey', args: 1, set: complexValue },
  { field: 'certificateCache', args: [1, 3], set: setCache, default: false },
  { field: 'passwordFile', args: 1, set: setPasswords },
  { field: 'ciphers', args: 1, set: string(), default: 'DEFAULT' },
  { field: 'protocols', args: [1, Infinity], set: setProtocols, default: DEFAULT_PROTOCOLS },
  { field: 'name', args: 1, set: complexValue },
  { field: 'serverName', args: 1, set: flag(), default: false },
  { field: 'sessionReuse', args: 1, set: flag(), default: true },
  { field: 'trustedCertificate', args: 1, set: optional(confPath()) },
  { field: 'crl', args: 1, set: optional(confPath()) },
  { field: 'verify', args: 1, set: flag(), default: false },
  { field: 'verifyDepth', args: 1, set: number(), default: 1 },
  { field: 'confCommand', args: 2, set: addConfCommand, default: [] },
  { field: 'keyLog', args: 1, set: setKeyLog },
]

/** May stand several times in a block, each adding to those before. */
const REPEATED = new Set<keyof TlsValues>(['protocols', 'confCommand'])

/** The commands that begin with `prefix`: `upstreamTlsCommands('proxy')` has `proxy_ssl_certificate`... */
export function upstreamTlsCommands(prefix: string): Command[] {
  return FIELDS.map(({ field, ...command }) => ({
    ...command,
    name: directiveName(prefix, field),
    in: HTTP_ANY,
    repeat: REPEATED.has(field),
  }))
}

/** `certificateKey` -> `proxy_ssl_certificate_key` */
export function directiveName(prefix: string, field: keyof TlsValues): string {
  return `${prefix}_ssl_${field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`
}

/** What `conf`, the merged configuration of the module that has the commands of `prefix`, says of TLS. */
export function tlsValues(conf: object, prefix: string): TlsValues {
  const values: Record<string, unknown> = { ...conf }
  return Object.fromEntries(
    FIELDS.map(({ field }) => [field, values[fieldName(directiveName(prefix, field))]]),
  ) as unknown as TlsValues
}

/** Texts of values with variables. */
const texts = new WeakMap<ComplexValue, string>()

function complexValue(...[directive, context]: Parameters<Setter>): ComplexValue {
  const value = compileValue(directive.args[0]!, context)
  texts.set(value, directive.args[0]!)
  return value
}

/** The argument that a value was made of. */
export function writtenAs(value: ComplexValue): string {
  return texts.get(value) ?? ''
}

function setProtocols(...[directive, context, previous]: Parameters<Setter>): number {
  let mask = (previous as number | undefined) ?? 0
  for (const word of directive.args) {
    const key = Object.keys(PROTOCOLS).find((name) => name.toLowerCase() === word.toLowerCase())
    if (/^sslv[23]$/i.test(word)) {
      context.error(
        `the "${word}" parameter of the "${directive.name}" directive is not supported by weir: ` +
          "Node's OpenSSL is built without it",
      )
    }
    const bit = PROTOCOLS[key ?? context.error(`invalid value "${word}"`)]!
    if (mask & bit) context.warn(`duplicate value "${word}"`)
    mask |= bit
  }
  return mask
}

function setKeyLog(...[directive, context]: Parameters<Setter>): unknown {
  const file = path()(directive, context, undefined)
  context.logFiles.add(String(file))
  return file
}
