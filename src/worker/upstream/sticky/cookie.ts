// `sticky cookie`: every response tells the client, in a cookie, which server has answered; the client's next request
// says it again.

import { formatCookieTime } from '../../../shared/clock.ts'
import type { BuildContext } from '../../../shared/conf/build.ts'
import { parseSeconds } from '../../../shared/conf/values.ts'
import { compileValue } from '../../http/complex-value.ts'
import { fieldValue } from '../../http/fields.ts'
import type { VariableReader } from '../../http/module.ts'
import type { Request } from '../../http/request.ts'
import { variableReader } from '../../http/variables.ts'
import { now } from '../../tick.ts'
import type { Peer } from '../peers.ts'
import type { Selection } from '../selection.ts'
import { firstValue } from './lookup.ts'
import { serverId } from './server-id.ts'
import type { Stickiness } from './stickiness.ts'

/** `expires=max` */
const NEVER = '; expires=Thu, 31-Dec-37 23:55:55 GMT; max-age=315360000'
const SAME_SITE = /^(?:strict|lax|none)$/i

/** The text of an attribute with what stands before it; '' for none. */
type Attribute = (r: Request) => string

interface Attributes {
  expires?: Attribute
  domain?: Attribute
  httponly?: Attribute
  secure?: Attribute
  samesite?: Attribute
  path?: Attribute
}

/** In the order they are sent in. */
const ORDER = ['expires', 'domain', 'httponly', 'secure', 'samesite', 'path'] as const

export class StickyCookie implements Stickiness {
  readonly #lookup: readonly [VariableReader]
  readonly #name: string
  readonly #attributes: readonly Attribute[]
  /** The line of each selection's last attempt. */
  readonly #lines = new WeakMap<Selection, string>()

  constructor(name: string, lookup: VariableReader, attributes: readonly Attribute[]) {
    this.#name = name
    this.#lookup = [lookup]
    this.#attributes = attributes
  }

  boundTo(r: Request): string {
    return firstValue(this.#lookup, r)
  }

  /** The cookie is that of the last attempt, whoever made the response in the end. */
  chosen(selection: Selection, peer: Peer): void {
    const { r } = selection
    let line = `Set-Cookie: ${this.#name}=${serverId(peer)}`
    for (const attribute of this.#attributes) line += attribute(r)
    line += '\r\n'
    r.response.addLasting(line, this.#lines.get(selection) ?? '')
    this.#lines.set(selection, line)
  }
}

/** Reads the words behind `sticky cookie`. */
export function stickyCookie(args: readonly string[], context: BuildContext): StickyCookie {
  const [name, ...parameters] = args as [string, ...string[]]
  if (name === '') context.error('"sticky" directive empty cookie name')
  const attributes: Attributes = {}
  for (const parameter of parameters) readAttribute(parameter, attributes, context)
  const inOrder = ORDER.flatMap((key) => attributes[key] ?? [])
  return new StickyCookie(fieldValue(name), variableReader(context, `cookie_${name}`), inOrder)
}

function readAttribute(parameter: string, attributes: Attributes, context: BuildContext): void {
  const at = parameter.indexOf('=') + 1
  const word = parameter.slice(0, at)
  const value = parameter.slice(at)
  const once = (key: keyof Attributes) => {
    if (attributes[key] !== undefined) context.error(`"sticky" directive parameter "${key}" is duplicate`)
  }
  if (word === 'domain=') {
    once('domain')
    if (value === '') context.error('"sticky" directive no value for "domain"')
    attributes.domain = domain(value, context)
  } else if (word === 'path=') {
    once('path')
    if (value === '') context.error('"sticky" directive no value for "path"')
    attributes.path = always(`; path=${value}`)
  } else if (word === 'expires=') {
    once('expires')
    attributes.expires = expires(value, context)
  } else if (word === 'samesite=') {
    once('samesite')
    attributes.samesite = sameSite(value, context)
  } else if (parameter === 'httponly' || parameter === 'secure') {
    once(parameter)
    attributes[parameter] = always(`; ${parameter}`)
  } else context.error(`unknown parameter "${parameter}"`)
}

function always(text: string): Attribute {
  const line = fieldValue(text)
  return () => line
}

function expires(value: string, context: BuildContext): Attribute {
  if (value === 'max') return always(NEVER)
  const time = parseSeconds(value) ?? context.error('"sticky" directive invalid "expires" parameter value')
  const maxAge = `; max-age=${time / 1000}`
  return () => `; expires=${formatCookieTime(new Date(now() + time))}${maxAge}`
}

function domain(text: string, context: BuildContext): Attribute {
  const { constant, evaluate } = compileValue(text, context)
  if (constant !== null) return always(`; domain=${constant}`)
  return (r) => {
    const value = evaluate(r)
    return value === '' ? '' : `; domain=${fieldValue(value)}`
  }
}

/** Of a variable's value what is no word of SameSite is taken for the strictest. */
function sameSite(text: string, context: BuildContext): Attribute {
  const { constant, evaluate } = compileValue(text, context)
  if (constant !== null) {
    if (!SAME_SITE.test(constant)) context.error('"sticky" directive invalid "samesite" parameter value')
    return always(`; samesite=${constant}`)
  }
  return (r) => {
    const value = evaluate(r)
    if (value === '') return ''
    return SAME_SITE.test(value) ? `; samesite=${value}` : '; samesite=strict'
  }
}
