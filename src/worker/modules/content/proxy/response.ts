// A backend's response head on its way to the client: which fields pass, and what is rewritten.

import type { Setter } from '../../../../shared/conf/command.ts'
import { hashName, NameSet } from '../../../http/fields.ts'
import type { Request } from '../../../http/request.ts'
import type { ResponseHead } from '../../../http1/response-head.ts'
import type { ProxyConf } from './conf.ts'
import type { ProxyPass } from './pass.ts'
import { makeRedirectPlan, type RedirectPlan, rewriteRedirect, rewriteRefresh } from './redirect.ts'

export interface ResponsePlan {
  /** Backend fields that are not passed on. */
  hiddenFields: NameSet
  /** The same and Location, for a response that gets another one. */
  hiddenWithLocation: NameSet
  hidesContentType: boolean
  redirect: RedirectPlan
}

/** Setter of `proxy_hide_header`. */
export function addName(...[directive, , previous]: Parameters<Setter>): string[] {
  return [...((previous as string[] | undefined) ?? []), directive.args[0]!]
}

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

export function makeResponsePlan(conf: ProxyConf, pass: ProxyPass): ResponsePlan {
  const hidden = [...HANDLED_FIELDS, ...HIDDEN_FIELDS, ...conf.proxyHideHeader]
  return {
    hiddenFields: new NameSet(hidden),
    hiddenWithLocation: new NameSet([...hidden, 'Location']),
    hidesContentType: conf.proxyHideHeader.some((name) => name.toLowerCase() === 'content-type'),
    redirect: makeRedirectPlan(pass),
  }
}

const CONTENT_TYPE = hashName('content-type')
const LOCATION_FIELD = hashName('location')
const REFRESH = hashName('refresh')

/** Fills `r.response` from the backend's head. */
export function processHead(r: Request, head: ResponseHead, plan: ResponsePlan): void {
  const { response } = r
  const { fields } = head
  response.status = head.status
  response.statusLine = head.statusLine
  response.contentLength = head.chunked ? -1 : head.contentLength
  const type = plan.hidesContentType ? -1 : fields.indexOf('content-type', CONTENT_TYPE)
  if (type >= 0) response.contentType = fields.value(type)
  const location = fields.indexOf('location', LOCATION_FIELD)
  const own = location < 0 ? null : rewriteRedirect(plan.redirect, fields.value(location))
  response.lines = fields.lines(own === null ? plan.hiddenFields : plan.hiddenWithLocation)
  response.location = own
  if (fields.indexOf('refresh', REFRESH) >= 0) rewriteRefresh(plan.redirect, response)
}
