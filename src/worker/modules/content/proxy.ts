// `proxy_pass` and what shapes the request a backend gets and the response a client gets from it.

import type { BuildContext } from '../../../shared/conf/build.ts'
import {
  HTTP_ANY,
  IF_IN_LOCATION,
  LIMIT_EXCEPT,
  LOCATION,
  type Setter,
} from '../../../shared/conf/command.ts'
import { oneOf, time } from '../../../shared/conf/setters.ts'
import { flat } from '../../../shared/latin1.ts'
import { type ComplexValue, compileValue } from '../../http/complex-value.ts'
import { fieldValue, hashName, NameSet } from '../../http/fields.ts'
import { locationConf } from '../../http/location-conf.ts'
import { DONE, defineModule, type Module, type Result } from '../../http/module.ts'
import type { Request } from '../../http/request.ts'
import type { Response } from '../../http/response.ts'
import { escapeUri } from '../../http/uri.ts'
import type { ResponseHead } from '../../http1/response-head.ts'
import type { PeerGroup } from '../../upstream/peers.ts'
import { Upstream, type UpstreamProtocol } from '../../upstream/upstream.ts'
import { findGroup } from '../../upstream/upstream-block.ts'
import { proxyVariables } from './proxy-variables.ts'

/** The argument of `proxy_pass`, taken apart. */
interface ProxyPass {
  /** Host and port as written, or `unix:PATH`: the upstream's name, `$proxy_host`. */
  address: string
  /** The URI part; null when there is none. */
  uri: string | null
  /** What the location's prefix is, for replacing it. */
  prefix: string
}

interface SetHeader {
  name: string
  value: ComplexValue
}

/** A field whose value depends on the request, with the constant lines before it; each begins with a line end. */
interface HeaderStep {
  before: string
  /** `before` and the field up to its value: used unless the value is empty. */
  withName: string
  value: ComplexValue
}

interface ProxyConf {
  proxyPass: ProxyPass | undefined
  proxySetHeader: readonly SetHeader[]
  proxyHideHeader: readonly string[]
  proxyHttpVersion: 0 | 1
  proxyConnectTimeout: number
  proxySendTimeout: number
  proxyReadTimeout: number
  /** Settled by `finish` where there is a proxyPass. */
  plan: ProxyPlan | null
}

/** Everything about a proxied location that can be known before a request. */
interface ProxyPlan {
  group: PeerGroup
  /** ` HTTP/1.x` */
  version: string
  steps: readonly HeaderStep[]
  /** Constant lines behind the last step. */
  lastLines: string
  /** Client fields that are not passed on. */
  ownFields: NameSet
  /** Backend fields that are not passed on. */
  hiddenFields: NameSet
  /** The same and Location, for a response that gets another one. */
  hiddenWithLocation: NameSet
  hidesContentType: boolean
  /** `http://ADDRESS/URI`, which `proxy_redirect default` replaces by `redirectTo`. */
  redirectFrom: string
  redirectTo: string
  settings: { connectTimeout: number; sendTimeout: number; readTimeout: number }
}

export const proxy: Module<ProxyConf> = defineModule<ProxyConf>({
  name: 'proxy',
  commands: [
    {
      name: 'proxy_pass',
      in: LOCATION | IF_IN_LOCATION | LIMIT_EXCEPT,
      args: 1,
      set: setProxyPass,
      inherit: false,
    },
    { name: 'proxy_set_header', in: HTTP_ANY, args: 2, set: addSetHeader, repeat: true, default: [] },
    { name: 'proxy_hide_header', in: HTTP_ANY, args: 1, set: addName, repeat: true, default: [] },
    { name: 'proxy_http_version', in: HTTP_ANY, args: 1, set: oneOf({ '1.0': 0, '1.1': 1 }), default: 1 },
    { name: 'proxy_connect_timeout', in: HTTP_ANY, args: 1, set: time(), default: 60000 },
    { name: 'proxy_send_timeout', in: HTTP_ANY, args: 1, set: time(), default: 60000 },
    { name: 'proxy_read_timeout', in: HTTP_ANY, args: 1, set: time(), default: 60000 },
  ],
  finish(conf, _scope, context) {
    conf.plan = conf.proxyPass === undefined ? null : makePlan(conf, conf.proxyPass, context)
  },
  variables: proxyVariables((r) => r.conf(proxy).plan?.group.name ?? null),
  phases: { content: { when: (conf) => conf.plan !== null, run: handleProxy } },
})

// --- directives

function setProxyPass(...[directive, context]: Parameters<Setter>): ProxyPass {
  const url = directive.args[0]!
  if (url.includes('$')) context.error('variables in "proxy_pass" are not supported by weir yet')
  if (url.startsWith('https://')) context.error('"https://" in "proxy_pass" is not supported by weir yet')
  if (!url.startsWith('http://')) context.error('invalid URL prefix')
  const { address, uri } = splitUrl(url.slice(7))
  if (address === '') context.error(`no host in upstream "${url.slice(7)}"`)
  const location = locationConf(context.scope.within(LOCATION)!)
  const matchesByPrefix =
    location.regex === null && location.modifier !== '@' && context.scope.kind === LOCATION
  if (uri !== null && !matchesByPrefix) {
    context.error(
      '"proxy_pass" cannot have URI part in location given by regular expression, ' +
        'or inside named location, or inside "if" statement, or inside "limit_except" block',
    )
  }
  location.redirectSlash =
    location.regex === null && location.pattern.endsWith('/') && location.modifier !== '@'
  return { address, uri, prefix: location.pattern }
}

/** `host:port/uri` or `unix:/path:/uri`. */
function splitUrl(rest: string): { address: string; uri: string | null } {
  if (rest.startsWith('unix:')) {
    const colon = rest.indexOf(':', 5)
    if (colon < 0) return { address: rest, uri: null }
    return { address: rest.slice(0, colon), uri: rest.slice(colon + 1) || null }
  }
  const slash = rest.search(/[/?]/)
  if (slash < 0) return { address: rest, uri: null }
  const uri = rest.slice(slash)
  return { address: rest.slice(0, slash), uri: uri.startsWith('?') ? `/${uri}` : uri }
}

function addSetHeader(...[directive, context, previous]: Parameters<Setter>): SetHeader[] {
  const [name, text] = directive.args as [string, string]
  return [...((previous as SetHeader[] | undefined) ?? []), { name, value: compileValue(text, context) }]
}

function addName(...[directive, , previous]: Parameters<Setter>): string[] {
  return [...((previous as string[] | undefined) ?? []), directive.args[0]!]
}

// --- the plan of a location

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
/** Backend fields the response keeps apart, and those about the connection to the backend. */
const HANDLED_FIELDS = ['Connection', 'Content-Length', 'Content-Type', 'Keep-Alive', 'Transfer-Encoding']
/** nginx's defaults of proxy_hide_header. */
const HIDDEN_FIELDS = [
  'Date',
  'Server',
  'X-Accel-Buffering',
  'X-Accel-Charset',
  'X-Accel-Expires',
  'X-Accel-Limit-Rate',
  'X-Accel-Redirect',
  'X-Pad',
]

function makePlan(conf: ProxyConf, pass: ProxyPass, context: BuildContext): ProxyPlan {
  const group = findGroup(pass.address, 80, context)
  const names = conf.proxySetHeader.map(({ name }) => name)
  const hidden = [...HANDLED_FIELDS, ...HIDDEN_FIELDS, ...conf.proxyHideHeader]
  return {
    group,
    version: ` HTTP/1.${conf.proxyHttpVersion}`,
    ...headerSteps(requestHeaders(conf, pass.address, context)),
    ownFields: new NameSet(['Host', ...CONNECTION_FIELDS, ...names]),
    hiddenFields: new NameSet(hidden),
    hiddenWithLocation: new NameSet([...hidden, 'Location']),
    hidesContentType: conf.proxyHideHeader.some((name) => name.toLowerCase() === 'content-type'),
    redirectFrom: `http://${pass.address}${pass.uri ?? '/'}`,
    redirectTo: pass.uri === null ? '/' : pass.prefix,
    settings: {
      connectTimeout: conf.proxyConnectTimeout,
      sendTimeout: conf.proxySendTimeout,
      readTimeout: conf.proxyReadTimeout,
    },
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

// --- a request

function handleProxy(r: Request): Result {
  const { plan, proxyHttpVersion } = r.conf(proxy)
  if (proxyHttpVersion === 0 && r.client.hasBody && r.client.contentLength < 0) {
    r.log(
      'error',
      'HTTP/1.0 to the backend has no chunks, and the client did not send the length of its body',
    )
    return 411
  }
  const { group, settings } = plan!
  new Upstream(r, group, protocol, settings).start()
  return DONE
}

const protocol: UpstreamProtocol = { createRequest, chunkedRequest, processHead, url }

function url(r: Request, address: string): string {
  const path = address.startsWith('unix:') ? `${address}:` : address
  return `http://${path}${requestUri(r)}`
}

function createRequest(r: Request): string {
  const plan = r.conf(proxy).plan!
  let head = `${r.client.method} ${requestUri(r)}${plan.version}`
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

/** nginx's rules: without a URI part the target goes on as it came; with one it takes the place of the prefix. */
function requestUri(r: Request): string {
  const { uri, prefix } = r.conf(proxy).proxyPass!
  if (uri === null && r.targetValid) return r.client.target
  const rest = r.uri.slice(uri === null ? 0 : prefix.length)
  const path = (uri ?? '') + (r.quoted ? escapeUri(rest) : rest)
  return r.args === '' ? path : `${path}?${r.args}`
}

function chunkedRequest(r: Request): boolean {
  return r.client.contentLength < 0
}

const CONTENT_TYPE = hashName('content-type')
const LOCATION_FIELD = hashName('location')
const REFRESH = hashName('refresh')

function processHead(r: Request, head: ResponseHead): void {
  const { response } = r
  const { fields } = head
  const plan = r.conf(proxy).plan!
  response.status = head.status
  response.statusLine = head.statusLine
  response.contentLength = head.chunked ? -1 : head.contentLength
  const type = plan.hidesContentType ? -1 : fields.indexOf('content-type', CONTENT_TYPE)
  if (type >= 0) response.contentType = fields.value(type)
  const location = fields.indexOf('location', LOCATION_FIELD)
  const own = location < 0 ? null : rewriteRedirect(plan, fields.value(location))
  response.lines = fields.lines(own === null ? plan.hiddenFields : plan.hiddenWithLocation)
  response.location = own
  if (fields.indexOf('refresh', REFRESH) >= 0) rewriteRefresh(plan, response)
}

/** `proxy_redirect default`: a URL of the backend becomes one of this location; null: it is none. */
function rewriteRedirect({ redirectFrom, redirectTo }: ProxyPlan, url: string): string | null {
  return url.startsWith(redirectFrom) ? redirectTo + url.slice(redirectFrom.length) : null
}

function rewriteRefresh(plan: ProxyPlan, response: Response): void {
  const value = response.get('refresh')
  const at = value?.toLowerCase().indexOf('url=') ?? -1
  const url = at < 0 ? null : rewriteRedirect(plan, value!.slice(at + 4))
  if (url === null) return
  response.remove('refresh')
  response.add('Refresh', value!.slice(0, at + 4) + url)
}
