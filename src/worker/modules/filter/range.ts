// Range requests (RFC 9110 section 14): decides which parts of the content are sent, in what head. Who makes the content
// sends them: `response.parts`. The last of the filters. `max_ranges`.

import { randomInt } from 'node:crypto'
import { HTTP_ANY } from '../../../shared/conf/command.ts'
import { number } from '../../../shared/conf/setters.ts'
import { parseHttpDate } from '../../../shared/http-date.ts'
import { defineModule } from '../../http/module.ts'
import type { Request } from '../../http/request.ts'
import type { ContentPart, Response } from '../../http/response.ts'

interface RangeConf {
  /** 0: ranges are not offered at all. */
  maxRanges: number
}

interface Range {
  start: number
  /** Behind the last byte. */
  end: number
}

export const range = defineModule<RangeConf>({
  name: 'range',
  commands: [{ name: 'max_ranges', in: HTTP_ANY, args: 1, set: number(), default: 2_147_483_647 }],
  headerFilter: { when: (conf) => conf.maxRanges > 0, run: chooseParts },
})

function chooseParts(r: Request): void {
  const { response } = r
  if (!response.allowRanges || response.status !== 200 || response.contentLength < 0) return
  const value = r.fields.get('range')
  if (value !== null && value.length >= 7 && /^bytes=/i.test(value) && isCurrent(r)) {
    const most = response.singleRange ? 1 : r.conf(range).maxRanges
    const ranges = parseRanges(value.slice(6), response.contentLength, most)
    if (ranges === 'not satisfiable') {
      response.add('Content-Range', `bytes */${response.contentLength}`)
      response.refusal = 416
      return
    }
    if (ranges !== 'whole') return sendParts(response, ranges)
  }
  response.add('Accept-Ranges', 'bytes')
}

/** Whether the client's other parts, by its If-Range, are of the same content. */
function isCurrent({ fields, response }: Request): boolean {
  const value = fields.get('if-range')
  if (value === null) return true
  if (value.length >= 2 && value.endsWith('"')) return value === response.get('etag')
  return response.modifiedTime !== -1 && parseHttpDate(value) === response.modifiedTime
}

const RANGE = / *(?:(\d+) *- *(?=,|$)|(\d+) *- *(\d+) *(?=,|$)|-(\d+) *(?=,|$))/y

/** nginx's rules, `text` being what follows `bytes=`. */
function parseRanges(text: string, length: number, max: number): Range[] | 'whole' | 'not satisfiable' {
  const ranges: Range[] = []
  let total = 0
  RANGE.lastIndex = 0
  for (;;) {
    const match = RANGE.exec(text)
    if (match === null) return 'not satisfiable'
    const [, from, first, last, suffix] = match
    if (tooLarge(from) || tooLarge(first) || tooLarge(last) || tooLarge(suffix)) return 'not satisfiable'
    const start = suffix === undefined ? Number(from ?? first) : Math.max(length - Number(suffix), 0)
    const end = suffix !== undefined || last === undefined ? length : Math.min(Number(last) + 1, length)
    if (start < end) {
      ranges.push({ start, end })
      total += end - start
      if (ranges.length > max) return 'whole'
    } else if (start === 0) return 'whole'
    if (RANGE.lastIndex === text.length) break
    // Over the comma.
    RANGE.lastIndex++
  }
  if (ranges.length === 0) return 'not satisfiable'
  // Ranges that ask for some bytes again and again.
  return total > length ? 'whole' : ranges
}

const MAX_OFFSET = 2n ** 63n - 1n

function tooLarge(digits: string | undefined): boolean {
  return digits !== undefined && digits.length > 18 && BigInt(digits) > MAX_OFFSET
}

function sendParts(response: Response, ranges: readonly Range[]): void {
  const total = response.contentLength
  response.status = 206
  response.statusLine = ''
  const [only] = ranges
  if (ranges.length === 1) {
    const { start, end } = only!
    response.add('Content-Range', `bytes ${start}-${end - 1}/${total}`)
    response.contentLength = end - start
    response.parts = [{ head: '', start, end }]
    return
  }
  const boundary = nextBoundary()
  const type = !response.contentType ? '' : `Content-Type: ${response.contentType}\r\n`
  const parts: ContentPart[] = ranges.map(({ start, end }) => ({
    head: `\r\n--${boundary}\r\n${type}Content-Range: bytes ${start}-${end - 1}/${total}\r\n\r\n`,
    start,
    end,
  }))
  parts.push({ head: `\r\n--${boundary}--\r\n`, start: 0, end: 0 })
  response.contentType = `multipart/byteranges; boundary=${boundary}`
  response.contentLength = parts.reduce((sum, { head, start, end }) => sum + head.length + end - start, 0)
  response.parts = parts
}

let boundaries = randomInt(2 ** 40)

function nextBoundary(): string {
  return String(boundaries++).padStart(20, '0')
}
