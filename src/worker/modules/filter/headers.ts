// `add_header`: fields added to responses.

import { HTTP_ANY, type Setter } from '../../../shared/conf/command.ts'
import { flat } from '../../../shared/latin1.ts'
import { type ComplexValue, compileValue } from '../../http/complex-value.ts'
import { fieldValue } from '../../http/fields.ts'
import { defineModule } from '../../http/module.ts'
import type { Request } from '../../http/request.ts'

interface AddedHeader {
  name: string
  value: ComplexValue
  /** Whatever the status. */
  always: boolean
}

/** Neighbours of constant value as lines, or one field whose value depends on the request. */
type Addition = { always: boolean; lines: string } | (AddedHeader & { lines: null })

interface HeadersConf {
  addHeader: readonly AddedHeader[]
  /** Settled by `finish`. */
  additions: readonly Addition[]
}

/** Statuses that fields without `always` are added to. */
const STATUSES = new Set([200, 201, 204, 206, 301, 302, 303, 304, 307, 308])

export const headers = defineModule<HeadersConf>({
  name: 'headers',
  commands: [{ name: 'add_header', in: HTTP_ANY, args: [2, 3], set: addHeader, repeat: true, default: [] }],
  finish(conf) {
    conf.additions = compileAdditions(conf.addHeader)
  },
  headerFilter: { when: (conf) => conf.addHeader.length > 0, run: addHeaders },
})

function addHeader(...[directive, context, previous]: Parameters<Setter>): AddedHeader[] {
  const [name, text, word] = directive.args as [string, string, string | undefined]
  if (word !== undefined && word !== 'always') context.error(`invalid parameter "${word}"`)
  const header = { name, value: compileValue(text, context), always: word === 'always' }
  return [...((previous as AddedHeader[] | undefined) ?? []), header]
}

function compileAdditions(added: readonly AddedHeader[]): Addition[] {
  const additions: Addition[] = []
  for (const header of added) {
    const { name, value, always } = header
    if (value.constant === '') continue
    const last = additions.at(-1)
    if (value.constant === null || isLastModified(name)) additions.push({ ...header, lines: null })
    else if (last !== undefined && last.lines !== null && last.always === always) {
      last.lines = flat(`${last.lines}${name}: ${value.constant}\r\n`)
    } else additions.push({ always, lines: flat(`${name}: ${value.constant}\r\n`) })
  }
  return additions
}

function isLastModified(name: string): boolean {
  return name.toLowerCase() === 'last-modified'
}

function addHeaders(r: Request): void {
  const { response } = r
  const usual = STATUSES.has(response.status)
  for (const addition of r.conf(headers).additions) {
    if (!usual && !addition.always) continue
    if (addition.lines !== null) response.lines += addition.lines
    else addField(r, addition.name, fieldValue(addition.value.evaluate(r)))
  }
}

/** Last-Modified is replaced, as in nginx; the others are added. */
function addField({ response }: Request, name: string, value: string): void {
  if (value === '') return
  if (isLastModified(name)) {
    response.lastModified = null
    response.remove('last-modified')
  }
  response.add(name, value)
}
