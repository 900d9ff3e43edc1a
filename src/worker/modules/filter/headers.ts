// `add_header`: fields added to responses.

import { HTTP_ANY, type Setter } from '../../../shared/conf/command.ts'
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

interface HeadersConf {
  addHeader: readonly AddedHeader[]
}

/** Statuses that fields without `always` are added to. */
const STATUSES = new Set([200, 201, 204, 206, 301, 302, 303, 304, 307, 308])

export const headers = defineModule<HeadersConf>({
  name: 'headers',
  commands: [{ name: 'add_header', in: HTTP_ANY, args: [2, 3], set: addHeader, repeat: true, default: [] }],
  headerFilter: { when: (conf) => conf.addHeader.length > 0, run: addHeaders },
})

function addHeader(...[directive, context, previous]: Parameters<Setter>): AddedHeader[] {
  const [name, text, word] = directive.args as [string, string, string | undefined]
  if (word !== undefined && word !== 'always') context.error(`invalid parameter "${word}"`)
  const header = { name, value: compileValue(text, context), always: word === 'always' }
  return [...((previous as AddedHeader[] | undefined) ?? []), header]
}

function addHeaders(r: Request): void {
  const { response } = r
  const usual = STATUSES.has(response.status)
  for (const { name, value, always } of r.conf(headers).addHeader) {
    if (!usual && !always) continue
    const text = fieldValue(value.evaluate(r))
    if (text === '') continue
    setHeader(r, name, text)
  }
}

/** Fields that the response keeps apart are replaced, as nginx does with Last-Modified; the others are added. */
function setHeader({ response }: Request, name: string, value: string): void {
  if (name.toLowerCase() === 'last-modified') {
    response.lastModified = null
    response.remove('last-modified')
  }
  response.add(name, value)
}
