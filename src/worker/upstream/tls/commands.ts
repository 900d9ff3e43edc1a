// The directives about TLS towards backends, the same for every module that passes requests on: `proxy_ssl_*` and
// `grpc_ssl_*` differ in their prefix only.

import type { BuildContext } from '../../../shared/conf/build.ts'
import { type Command, fieldName, HTTP_ANY, type Setter } from '../../../shared/conf/command.ts'
import { confPath, flag, number, path, string } from '../../../shared/conf/setters.ts'
import { parseInteger, parseSeconds } from '../../../shared/conf/values.ts'
import { type ComplexValue, compileValue } from '../../http/complex-value.ts'
import { type ConfCommand, readConfCommand } from '../../tls/conf-command.ts'
import { readPasswords } from './credentials.ts'
import { DEFAULT_PROTOCOLS, PROTOCOLS } from './protocols.ts'

/** `*_ssl_certificate_cache`; times in milliseconds. */
export interface CacheSettings {
  /** Certificates and keys kept at a time. */
  readonly max: number
  /** One that nobody asks for goes after so long; default 10 seconds. */
  readonly inactive: number
  /** One that is asked for is read again after so long, if its file has changed; default 60 seconds. */
  readonly valid: number
}

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

export interface Passwords {
  readonly path: string
  readonly list: readonly string[]
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

/** An empty argument takes back what the level around says. */
function optional(set: Setter): Setter {
  return (directive, context, previous) => (directive.args[0] === '' ? '' : set(directive, context, previous))
}

export function setProtocols(...[directive, context, previous]: Parameters<Setter>): number {
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

export function setPasswords(...[directive, context]: Parameters<Setter>): Passwords {
  const file = context.confPath(directive.args[0]!)
  return { path: file, list: readPasswords(file, context) }
}

export function addConfCommand(...[directive, context, previous]: Parameters<Setter>): ConfCommand[] {
  return [...((previous as ConfCommand[] | undefined) ?? []), readConfCommand(directive, context)]
}

function setKeyLog(...[directive, context]: Parameters<Setter>): unknown {
  const file = path()(directive, context, undefined)
  context.logFiles.add(String(file))
  return file
}

export function setCache(...[directive, context]: Parameters<Setter>): CacheSettings | false {
  const settings = { max: 0, inactive: 10_000, valid: 60_000 }
  let off = false
  for (const argument of directive.args) {
    const [, name, value = ''] = /^(max|inactive|valid)=(.*)$/s.exec(argument) ?? []
    if (argument === 'off') off = true
    else if (name === undefined) invalid(argument, context)
    else if (name === 'max') settings.max = parseInteger(value) || invalid(argument, context)
    else settings[name as 'inactive' | 'valid'] = parseSeconds(value) ?? invalid(argument, context)
  }
  if (off) return false
  if (settings.max === 0) context.error(`"${directive.name}" must have the "max" parameter`)
  return settings
}

function invalid(argument: string, context: BuildContext): never {
  return context.invalidParameter(argument, ['off', 'max=', 'inactive=', 'valid='])
}
