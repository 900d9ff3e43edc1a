// `expires`: how long a response may be kept, in its Expires and Cache-Control fields. Stands in front of `add_header`.

import { formatHttpDate, httpDate } from '../../../shared/clock.ts'
import { HTTP_ANY, IF_IN_LOCATION, type Setter } from '../../../shared/conf/command.ts'
import { parseSeconds } from '../../../shared/conf/values.ts'
import { parseHttpDate } from '../../../shared/http-date.ts'
import { type ComplexValue, compileValue } from '../../http/complex-value.ts'
import { defineModule } from '../../http/module.ts'
import type { Request } from '../../http/request.ts'
import type { Response } from '../../http/response.ts'
import { now } from '../../tick.ts'

/** `time` is in seconds; since midnight for `daily`. */
interface TimedExpiry {
  kind: 'access' | 'modified' | 'daily'
  time: number
}

type Expiry = { kind: 'off' } | { kind: 'epoch' } | { kind: 'max' } | TimedExpiry

type Expires =
  | Expiry
  | {
      kind: 'variable'
      value: ComplexValue
      /** Written behind `modified`. */
      modified: boolean
      /** What `value` was last time, and what that meant: values are few. Undefined at first. */
      last: { text: string; expiry: Expiry } | undefined
    }

interface ExpiresConf {
  expires: Expires
}

const OFF: Expiry = { kind: 'off' }

export const expires = defineModule<ExpiresConf>({
  name: 'expires',
  commands: [{ name: 'expires', in: HTTP_ANY | IF_IN_LOCATION, args: [1, 2], set: setExpires, default: OFF }],
  headerFilter: { when: (conf) => conf.expires.kind !== 'off', run: addExpires },
})

// --- the directive

function setExpires(...[directive, context]: Parameters<Setter>): Expires {
  const [first, second] = directive.args as [string, string | undefined]
  const modified = second !== undefined
  if (modified && first !== 'modified') context.error('"expires" directive invalid value')
  const value = compileValue(second ?? first, context)
  if (value.constant === null) return { kind: 'variable', value, modified, last: undefined }
  const expiry = parseExpiry(value.constant, modified)
  return typeof expiry === 'string' ? context.error(`"expires" directive ${expiry}`) : expiry
}

/** What `text` says, or what is wrong with it. */
function parseExpiry(text: string, modified: boolean): Expiry | string {
  if (!modified && (text === 'epoch' || text === 'max' || text === 'off')) return { kind: text }
  const sign = /^[@+-]/.exec(text)?.[0] ?? ''
  const daily = sign === '@'
  if (daily && modified) return 'daily time cannot be used with "modified" parameter'
  const parsed = parseSeconds(text.slice(sign.length))
  if (parsed === null) return 'invalid value'
  const time = parsed / 1000
  if (!daily) return { kind: modified ? 'modified' : 'access', time: sign === '-' ? -time : time }
  return time > 86_400 ? 'daily time value must be less than 24 hours' : { kind: 'daily', time }
}

// --- a response

const STATUSES = new Set([200, 201, 204, 206, 301, 302, 303, 304, 307, 308])
const EPOCH = 'Thu, 01 Jan 1970 00:00:01 GMT'
const MAX = 'Thu, 31 Dec 2037 23:55:55 GMT'

function addExpires(r: Request): void {
  const { response } = r
  if (!STATUSES.has(response.status)) return
  const conf = r.conf(expires).expires
  const expiry = conf.kind === 'variable' ? evaluate(r, conf) : conf
  if (expiry.kind === 'off') return
  if (expiry.kind === 'epoch') return setFields(response, EPOCH, 'no-cache')
  if (expiry.kind === 'max') return setFields(response, MAX, 'max-age=315360000')
  if (expiry.time === 0 && expiry.kind !== 'daily') return setFields(response, httpDate(now()), 'max-age=0')
  const today = Math.floor(now() / 1000)
  const end = endOf(response, expiry, today)
  // As in nginx, what lies before the last change is past, unless a variable says so.
  const past = end < today || (expiry.time < 0 && conf.kind !== 'variable')
  setFields(response, dateText(end), past ? 'no-cache' : `max-age=${end - today}`)
}

/** A value that means nothing is as `off`. */
function evaluate(r: Request, conf: Expires & { kind: 'variable' }): Expiry {
  const text = conf.value.evaluate(r)
  if (conf.last?.text !== text) {
    const expiry = parseExpiry(text, conf.modified)
    conf.last = { text, expiry: typeof expiry === 'string' ? OFF : expiry }
  }
  return conf.last.expiry
}

/** In seconds since the epoch. */
function endOf(response: Response, { kind, time }: TimedExpiry, today: number): number {
  if (kind === 'daily') return nextTimeOfDay(time, today)
  const modified = kind === 'modified' ? modifiedTime(response) : -1
  return (modified === -1 ? today : modified) + time
}

/** A backend's field stands among the lines. */
function modifiedTime(response: Response): number {
  if (response.modifiedTime !== -1) return response.modifiedTime
  const value = response.get('last-modified')
  return value === null ? -1 : parseHttpDate(value)
}

/** When it is `time` seconds after midnight again, in the zone the process runs in. */
function nextTimeOfDay(time: number, today: number): number {
  const date = new Date(today * 1000)
  const at = (day: number) => new Date(date.getFullYear(), date.getMonth(), day, 0, 0, time).getTime() / 1000
  const next = at(date.getDate())
  return next > today ? next : at(date.getDate() + 1)
}

let lastEnd = Number.NaN
let lastText = ''

/** The same for all responses of a second, most of the time. */
function dateText(end: number): string {
  if (end !== lastEnd) {
    lastText = formatHttpDate(new Date(end * 1000))
    lastEnd = end
  }
  return lastText
}

/** Fields of a backend keep their places, the first Cache-Control for all of them. */
function setFields(response: Response, date: string, cacheControl: string): void {
  if (response.lines === '') {
    response.lines = `Expires: ${date}\r\nCache-Control: ${cacheControl}\r\n`
    return
  }
  if (!response.setValue('expires', date)) response.add('Expires', date)
  if (!response.setValue('cache-control', cacheControl)) response.add('Cache-Control', cacheControl)
}
