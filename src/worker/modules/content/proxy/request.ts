// The request a backend gets: its method, `proxy_set_header` and nginx's defaults as texts and steps made beforehand,
// and its content where that is not the client's.

import type { BuildContext, Scope } from '../../../../shared/conf/build.ts'
import type { Setter } from '../../../../shared/conf/command.ts'
import { flat } from '../../../../shared/latin1.ts'
import { contentLength } from '../../../body/read-body.ts'
import { type ComplexValue, compileValue } from '../../../http/complex-value.ts'
import { fieldValue, hashName, NameSet } from '../../../http/fields.ts'
import type { Request } from '../../../http/request.ts'
import { isToken } from '../../../http1/head-parser.ts'
import { type BlockPlan, makeBlockPlan } from '../../../upstream/http2/request-block.ts'
import type { ProxyConf, SetHeader } from './conf.ts'
import { sharedPlan } from './shared-plan.ts'
import { passesUpgrades, upgradeLines } from './upgrade.ts'

/** A field whose value depends on the request, with the constant lines before it; each begins with a line end. */
interface HeaderStep {
  before: string
  /** `before` and the field up to its value: used unless the value is empty. */
  withName: string
  value: ComplexValue
}

export interface RequestPlan {
  /** null: the client's. */
  method: ComplexValue | null
  /** ` HTTP/1.x` */
  version: string
  /** For HTTP/2, whose head has another form; null for HTTP/1. */
  block: BlockPlan | null
  steps: readonly HeaderStep[]
  /** Constant lines behind the last step. */
  lastLines: string
  /** Client fields that are not passed on; null: none is. */
  ownFields: NameSet | null
  /** `proxy_upgrade`: a client's wish for another protocol goes on. */
  passesUpgrades: boolean
  /** The client's content goes on. */
  passesBody: boolean
  /** Content in its place, or null. */
  body: ComplexValue | null
}

/** Setter of `proxy_set_header`. */
export function addSetHeader(...[directive, context, previous]: Parameters<Setter>): SetHeader[] {
  const [name, text] = directive.args as [string, string]
  return [...((previous as SetHeader[] | undefined) ?? []), { name, value: compileValue(text, context) }]
}

/** Setter of directives whose argument may hold variables. */
export function complexValue(...[directive, context]: Parameters<Setter>): ComplexValue {
  return compileValue(directive.args[0]!, context)
}

/** The fields in force where `own` stands and `outer` is in force around it, as `proxy_set_header_inherit` says. */
export function inheritedHeaders(
  conf: ProxyConf,
  own: readonly SetHeader[] | undefined,
  outer: readonly SetHeader[] | undefined,
): readonly SetHeader[] {
  if (conf.proxySetHeaderInherit === 'off') return own ?? []
  if (conf.proxySetHeaderInherit === 'on' || own === undefined) return own ?? outer ?? []
  const names = new Set(own.map(({ name }) => name.toLowerCase()))
  return [...(outer ?? []).filter(({ name }) => !names.has(name.toLowerCase())), ...own]
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
/** What `proxy_forwarded_headers on` sends. */
const FORWARDED: readonly [string, string][] = [
  ['Host', '$host'],
  ['X-Real-IP', '$remote_addr'],
  ['X-Forwarded-For', '$proxy_add_x_forwarded_for'],
  ['X-Forwarded-Proto', '$scheme'],
  ['X-Forwarded-Host', '$host'],
  ['X-Forwarded-Port', '$server_port'],
]

/** `host`: `$proxy_host`; null where only a request tells. */
export function makeRequestPlan(conf: ProxyConf, host: string | null, context: BuildContext): RequestPlan {
  const headers = requestHeaders(conf, compileValue(host ?? '$proxy_host', context), context)
  const names = [...conf.proxySetHeader, ...headers].map(({ name }) => name)
  const passesBody = conf.proxyPassRequestBody && conf.proxySetBody === undefined
  const ownFields = conf.proxyPassRequestHeaders ? NameSet.of([...CONNECTION_FIELDS, ...names, 'Host']) : null
  const plan = {
    method: conf.proxyMethod ?? null,
    version: ` HTTP/1.${conf.proxyHttpVersion}`,
    block: conf.proxyHttpVersion === 2 ? makeBlockPlan(headers, authorityOf(headers), ownFields) : null,
    ...headerSteps(headers),
    ownFields,
    passesUpgrades: passesUpgrades(conf),
    passesBody,
    body: conf.proxySetBody ?? null,
  }
  return sharedPlan(plan, context)
}

/** The configured fields in their order, then those of `proxy_forwarded_headers` and nginx's own default. */
function requestHeaders(conf: ProxyConf, proxyHost: ComplexValue, context: BuildContext): SetHeader[] {
  const names = new NameSet(conf.proxySetHeader.map(({ name }) => name))
  const configured = conf.proxySetHeader
    .filter(({ name }) => !isNamed(FRAMING, name))
    .map((header) =>
      header.name.toLowerCase() === 'host' && conf.proxyHttpVersion !== 0
        ? { name: header.name, value: orElse(header.value, proxyHost) }
        : header,
    )
  const forwarded = conf.proxyForwardedHeaders
    ? FORWARDED.filter(([name]) => !isNamed(names, name)).map(([name, text]) => ({
        name,
        value: compileValue(text, context),
      }))
    : []
  if (conf.proxyForwardedHeaders || isNamed(names, 'Host')) return [...configured, ...forwarded]
  return [...configured, { name: 'Host', value: proxyHost }]
}

/** The Host that is sent, which is there with HTTP/2. */
function authorityOf(headers: readonly SetHeader[]): ComplexValue {
  return headers.findLast(({ name }) => name.toLowerCase() === 'host')!.value
}

/** What `orElse` made, so that the same two give the same: plans that say the same are shared. */
const choices = new WeakMap<ComplexValue, WeakMap<ComplexValue, ComplexValue>>()

/** `value`, or `other` where that is empty: a Host is never missing in HTTP/1.1 (nginx since 1.31.4). */
function orElse(value: ComplexValue, other: ComplexValue): ComplexValue {
  if (value.constant === '') return other
  if (value.constant !== null) return value
  let known = choices.get(value)
  if (known === undefined) choices.set(value, (known = new WeakMap()))
  let choice = known.get(other)
  if (choice === undefined) {
    choice = { constant: null, evaluate: (r) => value.evaluate(r) || other.evaluate(r) }
    known.set(other, choice)
  }
  return choice
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

function isNamed(names: NameSet, name: string): boolean {
  return names.has(hashName(name.toLowerCase()), name, 0, name.length)
}

/** The method of the request; null where `proxy_method` gives none, which is logged. An empty one is the client's. */
export function requestMethod(r: Request, { method }: RequestPlan): string | null {
  const name = method === null ? '' : method.evaluate(r)
  if (name === '') return r.method
  if (isToken(name, 0, name.length)) return name
  r.log('error', `invalid method "${fieldValue(name)}" in "proxy_method"`)
  return null
}

/** The whole head of the request for `uri`; `content`: what `proxy_set_body` gives it, or null. */
export function requestHead(
  r: Request,
  method: string,
  uri: string,
  plan: RequestPlan,
  content: string | null,
): string {
  let head = `${method} ${uri}${plan.version}`
  for (const { before, withName, value } of plan.steps) {
    const text = fieldValue(value.evaluate(r))
    if (text !== '') head += withName + text
    else if (before !== '') head += before
  }
  if (plan.lastLines !== '') head += plan.lastLines
  if (plan.passesUpgrades && r.client.asksUpgrade) head += upgradeLines(r)
  const length = sentLength(r, plan, content)
  if (length >= 0) head += `\r\nContent-Length: ${length}`
  else if (plan.passesBody && r.client.hasBody) head += '\r\nTransfer-Encoding: chunked'
  return `${head}\r\n${clientLines(r, plan)}\r\n`
}

/** What the backend is told of the length of the content; -1: nothing. */
export function sentLength(r: Request, { passesBody }: RequestPlan, content: string | null): number {
  if (content !== null) return content.length
  if (!passesBody) return -1
  return r.client.hasBody ? contentLength(r) : r.client.contentLength
}

function clientLines(r: Request, { ownFields }: RequestPlan): string {
  return ownFields === null ? '' : r.fields.lines(ownFields)
}

/** The fields that a scope sets by itself, before merging. */
export function ownHeaders(scope: Scope, index: number): readonly SetHeader[] | undefined {
  return scope.own[index]?.proxySetHeader as readonly SetHeader[] | undefined
}
