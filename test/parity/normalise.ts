// Takes out of answers, requests and log lines what may differ between two proxies that do the same: names, versions,
// ports, times and how a chunked body is cut. Everything else stays, byte for byte.

import { gunzipSync } from 'node:zlib'
import type { RunningProxy } from '../support/proxy.ts'

const PRODUCT = /(?:nginx|weir)(?:\/[\w.-]+)?/
/** Of numbered files in the folder of either proxy. */
const TEMP_FILE = /(a client request body is buffered to a temporary file )[^ ,]*/
const PAGE = new RegExp(`<hr><center>(${PRODUCT.source})</center>`)

/** The client's side: lines with their ends, chunked bodies put together. */
export function answerLines(bytes: string, proxy: RunningProxy): string[] {
  return splitResponses(bytes)
    .map(unpacked)
    .flatMap((response) => {
      const product = PAGE.exec(response)?.[1]
      let text = untimed(response).replace(/\r\nDate: [^\r]*/g, '\r\nDate: DATE')
      text = text.replace(new RegExp(`\\r\\nServer: ${PRODUCT.source}\\r`, 'g'), '\r\nServer: PRODUCT\r')
      const named = new RegExp(`\\r\\nServer: (${PRODUCT.source})\\r`).exec(response)?.[1]
      // Of multipart/byteranges.
      text = text.replace(/\b\d{20}\b/g, 'BOUNDARY')
      if (isPageWithoutBody(response) && named !== undefined) text = shorten(text, named.length)
      if (product !== undefined) {
        text = text.replace(PAGE, '<hr><center>PRODUCT</center>')
        text = shorten(text, product.length)
      }
      return lines(common(joinChunks(text), proxy))
    })
}

/** The answer to a HEAD request that a page would answer had it been GET. */
function isPageWithoutBody(response: string): boolean {
  return (
    response.endsWith('\r\n\r\n') &&
    /^HTTP\/1\.1 [345]/.test(response) &&
    response.includes('\r\nContent-Type: text/html\r')
  )
}

/** Counts the product's name out of the Content-Length. */
function shorten(response: string, product: number): string {
  return response.replace(/\r\nContent-Length: (\d+)/, (whole, length) =>
    length === '0' ? whole : `\r\nContent-Length: ${Number(length) - product} + PRODUCT`,
  )
}

/** The backend's side. nginx 1.22 adds `Connection: close` where later versions send none. */
export function requestLines(bytes: string, proxy: RunningProxy, anyFraming: boolean): string[] {
  const text = joinChunks(bytes.replace('\r\nConnection: close\r\n', '\r\n'))
  return lines(common(anyFraming ? unframed(text) : text, proxy))
}

function unframed(request: string): string {
  return request
    .replace(/\r\n(?:Content-Length: \d+|Transfer-Encoding: chunked)\r\n/, '\r\nFRAMING\r\n')
    .replace(/\[chunks\]|\[end\](?:\r\n)?/g, '')
}

/**
 * What `expires` makes of the time of the answer, without that time: an age of days stays, one of hours is counted up
 * to a certain time, which stays.
 */
function untimed(response: string): string {
  const date = Date.parse(/\r\nDate: ([^\r]*)/.exec(response)?.[1] ?? '')
  const expires = Date.parse(/\r\nExpires: ([^\r]*)/i.exec(response)?.[1] ?? '')
  const age = (expires - date) / 1000
  if (Number.isNaN(age) || Math.abs(age) > 10 * 365 * 86_400) return response
  if (age > 0 && age < 86_400) return response.replace(`max-age=${age}\r`, 'max-age=LEFT\r')
  return response.replace(/(\r\nExpires: )[^\r]*/i, `$1DATE + ${age}`)
}

/**
 * Access-log lines; sizes of nginx's own pages (written `body=N` or `bytes=N`) are counted without the product's name. Chunks are cut differently, and nginx counts 100 Continue as content.
 */
export function accessLines(text: string, answer: string, proxy: RunningProxy): string[] {
  const page = PAGE.exec(answer)?.[1]?.length ?? 0
  const pages = pageLengths(answer)
  const server = new RegExp(`\\r\\nServer: (${PRODUCT.source})\\r`).exec(answer)?.[1]?.length ?? 0
  const uncounted = /\r\nTransfer-Encoding: chunked\r|^HTTP\/1\.1 100 /.test(answer)
  return lines(
    common(uncounted ? text.replace(/\bbody=\d+/g, 'body=ANY') : text, proxy)
      .replace(/\bbody=(\d+)/g, (whole, n) => (pages.has(n) ? `body=${Number(n) - page}` : whole))
      .replace(/\bbytes=(\d+)/g, (_, n) => `bytes=${Number(n) - page - server}`)
      .replace(/\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}/g, 'TIME')
      .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d/g, 'TIME')
      .replace(/\b\d+\.\d{3}\b/g, 'SECONDS')
      .replace(/\b(connection|pid)=\d+/g, '$1=N')
      .replace(/\b[0-9a-f]{32}\b/g, 'HEX')
      .replace(/FOLDER\/(temp\/client_body|client_body_temp)\/[0-9/]+/g, 'FILE'),
  )
}

/** Error-log lines of level warn and above (all but the housekeeping ones with `info`), without time, thread and connection. */
export function errorLines(text: string, proxy: RunningProxy, info: boolean): string[] {
  return (
    // The number of a connection may look like a port. nginx 1.22 shows all it has read, later ones the first line.
    lines(common(text.replace(/(broken header: "[^"\r\n]*)[^"]*"/g, '$1"'), proxy))
      .map((line) => line.replace(/^\S+ \S+ (\[\w+\]) \S+: (\*[\dPORT]+ )?/, '$1 '))
      // weir shows control characters as bytes.
      .map((line) => line.replace(/[\x00-\x09\x0b-\x1f\x7f]/g, shownByte))
      // OpenSSL has changed the words for alerts that SSLv3 had already.
      .map((line) => line.replace(/:(sslv3|ssl\/tls) alert /, ':ALERT '))
      // Which system call met the reset is nginx's own business.
      .map((line) => line.replace('readv() failed', 'recv() failed'))
      // What weir adds to nginx's own line about a failure.
      .filter((line) => !/^\[error\] weir: /.test(line))
      .map((line) => line.replace(TEMP_FILE, '$1FILE'))
      // With in_file_only the file is told of by a notice.
      .filter(
        (line) =>
          !/^\[(notice|debug)\](?!.* a client request body)|an upstream response is buffered/.test(line),
      )
      // nginx breaks the line that shows a header line with its end.
      .filter((line) => !line.startsWith('..."'))
      .filter((line) => !line.startsWith('[info]') || (info && !/closed (keepalive )?connection/.test(line)))
  )
}

function shownByte(char: string): string {
  return `\\x${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
}

/** The Content-Lengths of the answers that are pages. */
function pageLengths(answer: string): Set<string> {
  const pages = splitResponses(answer).filter((response) => PAGE.test(response))
  return new Set(pages.map((response) => /\r\nContent-Length: (\d+)/.exec(response)?.[1] ?? ''))
}

function common(text: string, proxy: RunningProxy): string {
  let result = text.replaceAll(proxy.folder, 'FOLDER')
  for (const [index, port] of proxy.ports.entries())
    result = result.replaceAll(String(port), `PORT${index + 1}`)
  return result
}

function lines(text: string): string[] {
  return text === '' ? [] : text.split(/(?<=\n)/)
}

/** Responses of a keepalive connection, each with its own body: cut before every status line that follows a body. */
function splitResponses(bytes: string): string[] {
  return bytes.split(/(?=HTTP\/1\.[01] \d{3} )/)
}

/** Compressed content as what it is: versions of zlib differ in the bytes they make of it. */
function unpacked(response: string): string {
  const end = response.indexOf('\r\n\r\n') + 4
  if (!/\r\nContent-Encoding: gzip\r\n/i.test(response.slice(0, end))) return response
  const [, opening, content, rest] = /^(\[chunks\])?(.*?)((?:\[end\]\r\n)?)$/s.exec(
    joinChunks(response).slice(end),
  ) as unknown as [string, string | undefined, string, string]
  try {
    const text = gunzipSync(Buffer.from(content, 'latin1')).toString('latin1')
    return `${response.slice(0, end)}${opening ?? ''}[gzip]${text}${rest}`
  } catch {
    return response
  }
}

function joinChunks(message: string): string {
  const end = message.indexOf('\r\n\r\n') + 4
  if (end < 4 || !/\r\nTransfer-Encoding: chunked\r\n/i.test(message.slice(0, end))) return message
  if (message.startsWith('[chunks]', end)) return message
  let body = ''
  let position = end
  for (;;) {
    const lineEnd = message.indexOf('\r\n', position)
    const size = Number.parseInt(message.slice(position, lineEnd), 16)
    if (lineEnd < 0 || Number.isNaN(size)) return `${message.slice(0, end)}[unfinished chunks]${body}`
    if (size === 0) return `${message.slice(0, end)}[chunks]${body}[end]${message.slice(lineEnd + 2)}`
    body += message.slice(lineEnd + 2, lineEnd + 2 + size)
    position = lineEnd + 2 + size + 2
  }
}
