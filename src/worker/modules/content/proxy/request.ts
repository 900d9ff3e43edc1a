// The head of the request a backend gets: `proxy_set_header` and nginx's defaults, as texts and steps made beforehand.

import type { BuildContext } from '../../../../shared/conf/build.ts'
import type { Setter } from '../../../../shared/conf/command.ts'
import { flat } from '../../../../shared/latin1.ts'
import { type ComplexValue, compileValue } from '../../../http/complex-value.ts'
import { fieldValue, hashName, NameSet } from '../../../http/fields.ts'
import type { Request } from '../../../http/request.ts'
import type { ProxyConf, SetHeader } from './conf.ts'
import type { ProxyPass } from './pass.ts'

/** A field whose value depends on the request, with the constant lines before it; each begins with a line end. */
interface HeaderStep {
  before: string
  /** `before` and the field up to its value: used unless the value is empty. */
  withName: string
  value: ComplexValue
}

export interface RequestPlan {
  /** ` HTTP/1.x` */
  version: string
  steps: readonly HeaderStep[]
  /** Constant lines behind the last step. */
  lastLines: string
  /** Client fields that are not passed on. */
  ownFields: NameSet
}

/** Setter of `proxy_set_header`. */
export function addSetHeader(...[directive, context, previous]: Parameters<Setter>): SetHeader[] {
  const [name, text] = directive.args as [string, string]
  return [...((previous as SetHeader[] | undefined) ?? []), { name, value: compileValue(text, context) }]
}

/** Fields about the client's connection and framing, which say nothing about ours. */
const CONNECTION_FIELDS = [
  'Connection',
  'Content-Length',
  'Expect',
  'Keep-Alive',
  'TE',
  'Transfer-Encoding',
  'Upgrade',
]
/** Framing is made from the body that is sent, whatever is configured. */
const FRAMING = new NameSet(['Content-Length', 'Transfer-Encoding'])

export function makeRequestPlan(conf: ProxyConf, pass: ProxyPass, context: BuildContext): RequestPlan {
  const names = conf.proxySetHeader.map(({ name }) => name)
  return {
    version: ` HTTP/1.${conf.proxyHttpVersion}`,
    ...headerSteps(requestHeaders(conf, pass.address, context)),
    ownFields: new NameSet(['Host', ...CONNECTION_FIELDS, ...names]),
  }
}

/** The configured fields in their order, then nginx's defaults that they do not replace. */
function requestHeaders(conf: ProxyConf, address: string, context: BuildContext): SetHeader[] {
  const configured = conf.proxySetHeader.filter(({ name }) => !isFraming(name))
  if (configured.some(({ name }) => name.toLowerCase() === 'host')) return [...configured]
  const host = address.startsWith('unix:') ? 'localhost' : address
  return [...configured, { name: 'Host', value: compileValue(host, context) }]
}

function headerSteps(headers: SetHeader[]): { steps: HeaderStep[]; lastLines: string } {
  const steps: HeaderStep[] = []
  let before = ''
  for (const { name, value } of headers) {
    if (value.constant === null) {
      steps.push({ before, withName: flat(`${before}\r\n${name}: `), value })
      before = ''
    } else if (value.constant !== '') before += `\r\n${name}: ${value.constant}`
  }
  return { steps, lastLines: flat(before) }
}

function isFraming(name: string): boolean {
  return FRAMING.has(hashName(name.toLowerCase()), name, 0, name.length)
}

/** The whole head of the request for `uri`. */
export function requestHead(r: Request, uri: string, plan: RequestPlan): string {
  let head = `${r.client.method} ${uri}${plan.version}`
  for (const { before, withName, value } of plan.steps) {
    const text = fieldValue(value.evaluate(r))
    if (text !== '') head += withName + text
    else if (before !== '') head += before
  }
  if (plan.lastLines !== '') head += plan.lastLines
  if (r.client.contentLength >= 0) head += `\r\nContent-Length: ${r.client.contentLength}`
  else if (r.client.hasBody) head += '\r\nTransfer-Encoding: chunked'
  return `${head}\r\n${r.fields.lines(plan.ownFields)}\r\n`
}
