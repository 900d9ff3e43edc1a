// Responses weir makes itself for a status: nginx's plain pages with weir's name in them.

import { coreHttp } from '../modules/core.ts'
import { padding, refreshPage } from '../modules/msie.ts'
import { fieldValue } from './fields.ts'
import type { Request } from './request.ts'

/** Reason phrases, as nginx sends them. */
const REASONS: Readonly<Record<number, string>> = {
  200: 'OK',
  201: 'Created',
  202: 'Accepted',
  204: 'No Content',
  206: 'Partial Content',
  301: 'Moved Permanently',
  302: 'Moved Temporarily',
  303: 'See Other',
  304: 'Not Modified',
  307: 'Temporary Redirect',
  308: 'Permanent Redirect',
  400: 'Bad Request',
  401: 'Unauthorized',
  402: 'Payment Required',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Not Allowed',
  406: 'Not Acceptable',
  408: 'Request Time-out',
  409: 'Conflict',
  410: 'Gone',
  411: 'Length Required',
  412: 'Precondition Failed',
  413: 'Request Entity Too Large',
  414: 'Request-URI Too Large',
  415: 'Unsupported Media Type',
  416: 'Requested Range Not Satisfiable',
  421: 'Misdirected Request',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Temporarily Unavailable',
  504: 'Gateway Time-out',
  505: 'HTTP Version Not Supported',
  507: 'Insufficient Storage',
}

/** Three digits and the reason phrase, if there is one. */
export function statusText(status: number): string {
  return `${String(status).padStart(3, '0')} ${REASONS[status] ?? ''}`
}

/** What the pages call a status; some differ from the reason phrase. */
const TITLES: Readonly<Record<number, string>> = {
  302: '302 Found',
  401: '401 Authorization Required',
}

/** nginx's own codes: answered as 400, with a page that says what it was. */
const DETAILS: Readonly<Record<number, string>> = {
  494: 'Request Header Or Cookie Too Large',
  495: 'The SSL certificate error',
  496: 'No required SSL certificate was sent',
  497: 'The plain HTTP request was sent to HTTPS port',
}

/** Statuses that have a page. */
const PAGES = new Set([
  301, 302, 303, 307, 308, 400, 401, 402, 403, 404, 405, 406, 408, 409, 410, 411, 412, 413, 414, 415, 416,
  421, 429, 494, 500, 501, 502, 503, 504, 505, 507,
])

/** After these the connection is not kept: what the client sends next cannot be trusted, or we cannot. */
const CLOSING = new Set([400, 413, 414, 495, 496, 497, 500, 501])

/** Whether the connection ends with an answer of `status`. */
export function closesConnection(status: number): boolean {
  return CLOSING.has(status)
}

/** Sets the head of a special response for `status` and returns its content; null: none. */
export function specialResponse(r: Request, status: number): string | null {
  const { response } = r
  const location = response.location
  const lines = keptLines(r, status)
  response.clear()
  response.lines = lines
  const detail = DETAILS[status]
  response.status = detail === undefined ? status : 400
  const refresh = refreshPage(r, status, location)
  if (refresh !== null) {
    response.status = 200
    response.contentType = 'text/html'
    return refresh
  }
  if (status >= 300 && status < 309 && location !== null) {
    // As in nginx, a URL stands behind the challenges that were there before it.
    if (lines === '' || location.startsWith('/')) response.location = location
    else response.lines += `Location: ${location}\r\n`
  }
  if (detail === undefined && !PAGES.has(status)) return null
  response.contentType = 'text/html'
  const title = detail === undefined ? (TITLES[status] ?? statusText(status)) : `400 ${detail}`
  const heading = detail === undefined ? title : '400 Bad Request'
  const more = detail === undefined ? '' : `<center>${detail}</center>\r\n`
  return (
    `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${heading}</h1></center>\r\n${more}` +
    `<hr><center>${serverSignature(r)}</center>\r\n</body>\r\n</html>\r\n` +
    (status < 400 ? '' : padding(r))
  )
}

/** The challenges of access modules stay, whatever the request ends with, and so do cookies that bind to a server. */
function keptLines(r: Request, status: number): string {
  // How long the content is that the range was not of.
  if (status === 416) {
    r.response.remove('etag')
    return r.response.lines
  }
  return r.response.linesOf('www-authenticate') + r.response.lasting
}

/** What `server_tokens` lets a response say of the server; '' for nothing. */
export function serverSignature(r: Request): string {
  const { constant, evaluate } = r.conf(coreHttp).serverTokens
  return constant ?? fieldValue(evaluate(r))
}
