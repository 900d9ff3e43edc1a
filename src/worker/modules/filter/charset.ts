// `charset`: names the character set of a response in its Content-Type. Content is not converted from one set to another.

import type { BuildContext } from '../../../shared/conf/build.ts'
import { HTTP_ANY, IF_IN_LOCATION, type Setter } from '../../../shared/conf/command.ts'
import { flag } from '../../../shared/conf/setters.ts'
import { asciiLower } from '../../../shared/latin1.ts'
import { fieldValue } from '../../http/fields.ts'
import { defineModule, type VariableReader } from '../../http/module.ts'
import type { Request } from '../../http/request.ts'
import { variableReader } from '../../http/variables.ts'
import { mediaType, type Types, types, typesOf } from './compress/types.ts'

/** Names by their lower case, in the spelling the configuration has first: nginx sends that one. */
type Names = Map<string, string>

type Charset = { kind: 'off' } | { kind: 'name'; name: string } | { kind: 'variable'; read: VariableReader }

interface CharsetConf {
  charset: Charset
  charsetTypes: unknown
  overrideCharset: boolean
  /** Settled by `finish`. */
  types: Types
  known: Names
}

const ANYWHERE = HTTP_ANY | IF_IN_LOCATION
const OFF: Charset = { kind: 'off' }
const DEFAULT_TYPES = new Set([
  'text/html',
  'text/xml',
  'text/plain',
  'text/vnd.wap.wml',
  'application/javascript',
  'application/rss+xml',
])

export const charset = defineModule<CharsetConf>({
  name: 'charset',
  commands: [
    { name: 'charset', in: ANYWHERE, args: 1, set: setCharset, default: OFF },
    {
      name: 'charset_types',
      in: HTTP_ANY,
      args: [1, Infinity],
      set: types,
      repeat: true,
      default: DEFAULT_TYPES,
    },
    { name: 'override_charset', in: ANYWHERE, args: 1, set: flag(), default: false },
  ],
  finish(conf, _scope, context) {
    conf.types = typesOf(conf.charsetTypes)
    conf.known = namesOf(context)
  },
  headerFilter: {
    // A backend may ask for each one that the configuration knows.
    when: (conf) => conf.charset.kind !== 'off' || conf.known.size > 0,
    run: addCharset,
  },
})

const allNames = new WeakMap<BuildContext, Names>()

function namesOf(context: BuildContext): Names {
  let names = allNames.get(context)
  if (names === undefined) allNames.set(context, (names = new Map()))
  return names
}

function setCharset(...[directive, context]: Parameters<Setter>): Charset {
  const value = directive.args[0]!
  if (value === 'off') return OFF
  if (value === '$') context.error('invalid variable name "$"')
  if (value.startsWith('$')) return { kind: 'variable', read: variableReader(context, value.slice(1)) }
  const names = namesOf(context)
  const lower = asciiLower(value)
  if (!names.has(lower)) names.set(lower, value)
  return { kind: 'name', name: names.get(lower)! }
}

// --- a response

/** Of a backend's type, in two parts. */
const NAMED = /^([^;]*(?:;(?! *charset=)[^;]*)*); *charset="?(.*?)"?$/i

function addCharset(r: Request): void {
  const { response } = r
  if (!response.contentType) return
  const conf = r.conf(charset)
  const asked = response.overrideCharset
  if (asked === '' && conf.charset.kind === 'off') return
  if (asked !== '' && !conf.known.has(asciiLower(asked))) return refuse(r, asked)
  // As in nginx, a charset that `default_type` or `types` write is a part of the type like any other.
  const named = response.fromBackend ? NAMED.exec(response.contentType) : null
  const given = named?.[2] ?? ''
  if (given !== '') {
    if (asked !== '' || conf.overrideCharset) override(r, named![1]!, given, asked || nameFor(r))
    return
  }
  const type = response.fromBackend ? mediaType(response.contentType) : response.contentType.toLowerCase()
  if (asked === '' && conf.types !== null && !conf.types.has(type)) return
  const name = asked || nameFor(r)
  // Some old browsers took that of a redirect for that of the next page.
  if (name === '' || response.status === 301 || response.status === 302) return
  if (named === null) response.contentType += `; charset=${name}`
}

/** A variable that is not found names none; nginx closes the connection then. */
function nameFor(r: Request): string {
  const conf = r.conf(charset).charset
  if (conf.kind === 'name') return conf.name
  return conf.kind === 'variable' ? fieldValue(conf.read(r) ?? '') : ''
}

/** Content would have to be converted to be called by another `name`: only the spelling of it may change. */
function override(r: Request, type: string, given: string, name: string): void {
  const { response } = r
  const { known } = r.conf(charset)
  const same = asciiLower(given) === asciiLower(name)
  if (same) {
    // As in nginx, of sets that the configuration does not name nothing is changed.
    if (!known.has(asciiLower(name))) return
    const dropped = response.status === 301 || response.status === 302
    response.contentType = dropped ? type : `${type}; charset=${name}`
    return
  }
  const convertible = known.has(asciiLower(given)) && known.has(asciiLower(name))
  if (convertible && response.get('content-encoding')) return
  r.log('error', `no "charset_map" between the charsets "${given}" and "${name}"`)
}

/** Takes up the `X-Accel-Charset` of a backend. */
export function askForCharset(r: Request, name: string): void {
  r.response.overrideCharset = name
  // There is no filter where the configuration knows no charset.
  if (name !== '' && r.conf(charset).known.size === 0) refuse(r, name)
}

function refuse(r: Request, name: string): void {
  r.log('error', `unknown charset "${name}" to override`)
}
