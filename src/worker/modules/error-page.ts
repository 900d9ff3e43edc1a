// `error_page`: what a client gets in place of a status: another URI or location of the server, or a redirect.

import { HTTP_ANY, IF_IN_LOCATION, type Setter } from '../../shared/conf/command.ts'
import { flag } from '../../shared/conf/setters.ts'
import { parseInteger } from '../../shared/conf/values.ts'
import { type ComplexValue, compileValue } from '../http/complex-value.ts'
import { fieldValue } from '../http/fields.ts'
import { respond } from '../http/finalize.ts'
import { defineModule } from '../http/module.ts'
import { internalRedirect, namedRedirect } from '../http/phases.ts'
import type { Request } from '../http/request.ts'
import { needsRefresh } from './msie.ts'

interface ErrorPage {
  /** URI, `@name`, or URL. */
  target: ComplexValue
  /** Query of a constant URI; null: none. */
  args: string | null
  /** The status to answer: null for the error's own, 0 for that of what answers instead. */
  status: number | null
}

interface ErrorPageConf {
  errorPage: ReadonlyMap<number, ErrorPage> | undefined
  recursiveErrorPages: boolean
}

const CONTEXTS = HTTP_ANY | IF_IN_LOCATION
/** nginx's own codes, which clients are told as 400. */
const OWN = new Set([494, 495, 496, 497])

export const errorPages = defineModule<ErrorPageConf>({
  name: 'error_page',
  commands: [
    { name: 'error_page', in: CONTEXTS, args: [2, Infinity], repeat: true, set: addErrorPage },
    { name: 'recursive_error_pages', in: HTTP_ANY, args: 1, set: flag(), default: false },
  ],
})

function addErrorPage(...[directive, context, previous]: Parameters<Setter>): Map<number, ErrorPage> {
  const pages = new Map((previous as Map<number, ErrorPage> | undefined) ?? [])
  const words = [...directive.args]
  const text = words.pop()!
  let overwrite: number | null = null
  const last = words.at(-1)!
  if (last.startsWith('=')) {
    if (words.length === 1) context.error(`invalid value "${last}"`)
    overwrite = last === '=' ? 0 : (parseInteger(last.slice(1)) ?? context.error(`invalid value "${last}"`))
    words.pop()
  }
  const question = text.includes('$') || !text.startsWith('/') ? -1 : text.indexOf('?')
  const target = compileValue(question < 0 ? text : text.slice(0, question), context)
  const args = question < 0 ? null : text.slice(question + 1)
  for (const word of words) {
    const code = parseInteger(word) ?? context.error(`invalid value "${word}"`)
    if (code === 499) context.error(`invalid value "${word}"`)
    if (code < 300 || code > 599) context.error(`value "${word}" must be between 300 and 599`)
    const status = overwrite ?? (OWN.has(code) ? 400 : null)
    // The first of several for one status counts.
    if (!pages.has(code)) pages.set(code, { target, args, status })
  }
  return pages
}

/** Whether a page is configured for `status` where the request is. */
export function hasErrorPage(r: Request, status: number): boolean {
  return r.conf(errorPages).errorPage?.has(status) === true
}

/** Serves the page configured for `status`, if there is one: true, and the request will end by itself. */
export function serveErrorPage(r: Request, status: number): boolean {
  const { errorPage, recursiveErrorPages } = r.conf(errorPages)
  r.errorStatus = status
  if (errorPage === undefined || r.errorPage || r.uriChanges === 0) return false
  if (!recursiveErrorPages) r.errorPage = true
  const page = errorPage.get(status)
  if (page === undefined) return false
  if (page.status !== null) r.errorStatus = page.status
  if (page.status !== 0 && page.status !== 200) r.stream.leaveUnasked()
  serve(r, page)
  return true
}

/** Statuses that a redirect may have instead of 302. */
const REDIRECTS = new Set([301, 302, 303, 307, 308])

/** Any other target is the place of a redirect. */
function redirect(r: Request, url: string, status: number | null): void {
  r.response.location = fieldValue(url)
  // As in nginx, a page that refreshes itself takes the place of each of these redirects.
  respond(r, status !== null && REDIRECTS.has(status) && !needsRefresh(r) ? status : 302)
}

function serve(r: Request, { target, args, status }: ErrorPage): void {
  const uri = target.evaluate(r)
  r.response.contentType = null
  if (uri.startsWith('@')) return namedRedirect(r, uri)
  if (!uri.startsWith('/')) return redirect(r, uri, status)
  if (r.method !== 'HEAD') r.method = 'GET'
  const question = target.constant === null ? uri.indexOf('?') : -1
  if (question < 0) internalRedirect(r, uri, args)
  else internalRedirect(r, uri.slice(0, question), uri.slice(question + 1))
}
