// `add_header` and `add_trailer`: fields added to responses, before their content or behind it.

import type { Scope } from '../../../shared/conf/build.ts'
import { HTTP_ANY, IF_IN_LOCATION, type Setter } from '../../../shared/conf/command.ts'
import { oneOf } from '../../../shared/conf/setters.ts'
import { flat } from '../../../shared/latin1.ts'
import { type ComplexValue, compileValue } from '../../http/complex-value.ts'
import { fieldValue } from '../../http/fields.ts'
import { defineModule, type Module } from '../../http/module.ts'
import type { Request } from '../../http/request.ts'
import type { Response } from '../../http/response.ts'
import { sentFamilies } from './sent-variables.ts'

interface AddedField {
  name: string
  value: ComplexValue
  /** Whatever the status. */
  always: boolean
}

/** Neighbours of constant value as lines, or one field that depends on the request or on the response. */
type Addition =
  | { always: boolean; lines: string }
  | (AddedField & {
      lines: null
      /** Lower-case name of a field that takes the place of the one there is; '' where it is added. */
      replaces: string
    })

type Inherit = 'on' | 'off' | 'merge'

interface HeadersConf {
  addHeader: readonly AddedField[]
  addHeaderInherit: Inherit
  addTrailer: readonly AddedField[]
  addTrailerInherit: Inherit
  /** Settled by `finish`. */
  additions: readonly Addition[]
  /** An Expires may be among them. */
  addsExpires: boolean
  /** The same for trailers, without those that are always empty. */
  trailers: readonly AddedField[]
  /** Trailers are to be expected whatever the status, or with the usual ones only. */
  trailersWith: 'any status' | 'usual status' | 'none'
}

const ANYWHERE = HTTP_ANY | IF_IN_LOCATION
const INHERIT = oneOf<Inherit>({ on: 'on', off: 'off', merge: 'merge' })

export const headers: Module<HeadersConf> = defineModule<HeadersConf>({
  name: 'headers',
  commands: [
    { name: 'add_header', in: ANYWHERE, args: [2, 3], set: addField, repeat: true, default: [] },
    { name: 'add_trailer', in: ANYWHERE, args: [2, 3], set: addField, repeat: true, default: [] },
    { name: 'add_header_inherit', in: ANYWHERE, args: 1, set: INHERIT, default: 'on' },
    { name: 'add_trailer_inherit', in: ANYWHERE, args: 1, set: INHERIT, default: 'on' },
  ],
  finish(conf, scope) {
    conf.addHeader = inherited('addHeader', conf.addHeaderInherit, scope)
    conf.addTrailer = inherited('addTrailer', conf.addTrailerInherit, scope)
    conf.additions = compileAdditions(conf.addHeader)
    conf.addsExpires = conf.addHeader.some(({ name }) => name.toLowerCase() === 'expires')
    conf.trailers = conf.addTrailer.filter(({ value }) => value.constant !== '')
    // As in nginx, one that is empty makes the response wait for trailers too.
    if (conf.addTrailer.length === 0) conf.trailersWith = 'none'
    else conf.trailersWith = conf.addTrailer.some(({ always }) => always) ? 'any status' : 'usual status'
  },
  families: sentFamilies,
  headerFilter: {
    when: (conf) => conf.additions.length > 0 || conf.trailersWith !== 'none',
    run: addFields,
  },
})

// --- directives

function addField(...[directive, context, previous]: Parameters<Setter>): AddedField[] {
  const [name, text, word] = directive.args as [string, string, string | undefined]
  const value = compileValue(text, context)
  if (word !== undefined && word !== 'always') context.error(`invalid parameter "${word}"`)
  return [...((previous as AddedField[] | undefined) ?? []), { name, value, always: word === 'always' }]
}

/** What a level adds: its own fields, else those of the level around it, or both. */
function inherited(field: 'addHeader' | 'addTrailer', inherit: Inherit, scope: Scope): readonly AddedField[] {
  const own = scope.own[headers.index]?.[field] as readonly AddedField[] | undefined
  if (inherit === 'off' || scope.parent === null) return own ?? []
  const outer = scope.parent.conf(headers)[field]
  if (own === undefined) return outer
  return inherit === 'merge' ? [...own, ...outer] : own
}

/** Fields of which a response has one: nginx replaces those, and removes them where the value is empty. */
const REPLACED = new Set(['last-modified', 'etag'])

function compileAdditions(added: readonly AddedField[]): Addition[] {
  const additions: Addition[] = []
  for (const field of added) {
    const { name, value, always } = field
    const lower = name.toLowerCase()
    const last = additions.at(-1)
    if (REPLACED.has(lower)) additions.push({ ...field, lines: null, replaces: lower })
    else if (value.constant === null) additions.push({ ...field, lines: null, replaces: '' })
    else if (value.constant !== '') {
      const line = `${name}: ${fieldValue(value.constant)}\r\n`
      if (last !== undefined && last.lines !== null && last.always === always) {
        last.lines = flat(last.lines + line)
      } else additions.push({ always, lines: flat(line) })
    }
  }
  return additions
}

// --- a response

/** Statuses that fields without `always` are added to. */
const STATUSES = new Set([200, 201, 204, 206, 301, 302, 303, 304, 307, 308])

function addFields(r: Request): void {
  const { response } = r
  const { additions, addsExpires, trailersWith } = r.conf(headers)
  const usual = STATUSES.has(response.status)
  if (addsExpires) response.expiresAdded = response.get('expires') === null
  for (const addition of additions) {
    if (!usual && !addition.always) continue
    if (addition.lines !== null) response.lines += addition.lines
    else {
      const value = fieldValue(addition.value.evaluate(r))
      if (addition.replaces !== '') replaceField(response, addition.replaces, addition.name, value)
      else if (value !== '') response.add(addition.name, value)
    }
  }
  if (trailersWith === 'any status' || (usual && trailersWith === 'usual status')) {
    response.trailers = trailerLines
  }
}

function replaceField(response: Response, lower: string, name: string, value: string): void {
  if (lower === 'last-modified') response.lastModified = null
  if (value === '') response.remove(lower)
  else if (!response.replace(lower, name, value)) response.add(name, value)
}

/** Evaluated when the content is complete: variables may tell of what has been sent. */
function trailerLines(r: Request): string {
  const usual = STATUSES.has(r.response.status)
  let lines = ''
  for (const { name, value, always } of r.conf(headers).trailers) {
    if (!usual && !always) continue
    const text = fieldValue(value.evaluate(r))
    if (text !== '') lines += `${name}: ${text}\r\n`
  }
  return lines
}
