// One request of a health check and its answer, as undici tells of it. The head and the content each have
// `proxy_read_timeout` in all: a peer that sends a byte now and then does not prolong it.

import type { Dispatcher } from 'undici'
import { latin1 } from '../../shared/latin1.ts'
import { Fields, hashName } from '../../worker/http/fields.ts'
import { RegexLimitError } from '../../worker/http/regex.ts'
import type { Request } from '../../worker/http/request.ts'
import { now } from '../../worker/tick.ts'
import type { HealthCheck } from '../../worker/upstream/health/health-check.ts'
import type { Finding } from '../../worker/upstream/health/match.ts'
import { brokenFailure, TOO_BIG_HEADER } from '../../worker/upstream/next.ts'
import type { PeerAddress } from '../../worker/upstream/peers.ts'
import type { UpstreamState } from '../../worker/upstream/states.ts'
import { HandshakeError } from '../../worker/upstream/tls/handshake.ts'
import { CONNECTING, connectVerdict, delay, HANDSHAKING, TIMED_OUT, type Verdict } from './probe.ts'

/** As in nginx, what comes behind is not looked at. */
const BODY_LIMIT = 256 * 1024
const READING_HEAD = 'reading response header from upstream'
const READING_BODY = 'reading upstream'

/** `reusable`: the connection may serve another exchange. */
type Done = (verdict: Verdict, reusable: boolean) => void

export class Exchange implements Dispatcher.DispatchHandler {
  readonly #check: HealthCheck
  readonly #peer: PeerAddress
  readonly #r: Request
  readonly #state: UpstreamState
  #done: Done | null
  #doing = CONNECTING
  #timer: NodeJS.Timeout | null = null
  /** Closes the connection while it is being made. */
  #abandon: (() => void) | null = null
  #broken = false
  #head: Finding | null = null
  #body: Buffer[] = []
  #length = 0

  /** `r`: what variables are read of. */
  constructor(check: HealthCheck, peer: PeerAddress, r: Request, done: Done) {
    this.#check = check
    this.#peer = peer
    this.#r = r
    this.#done = done
    this.#state = r.upstream!.begin(peer.name)
    this.#expectWithin(check.settings.connectTimeout)
  }

  /** It broke before there was an answer. */
  get unanswered(): boolean {
    return this.#head === null && this.#broken
  }

  /** A connection is made for it, which `abandon` closes. */
  connecting(abandon: () => void): void {
    this.#abandon = abandon
  }

  /** The connection is there, and TLS on it is not. */
  handshaking(): void {
    this.#doing = HANDSHAKING
  }

  /** Nobody wants to know any more. */
  drop(): void {
    this.#done = null
    this.#expectNothing()
    this.#abandon?.()
  }

  onRequestStart(): void {
    this.#state.connectTime = now() - this.#state.started
    this.#doing = READING_HEAD
    this.#expectWithin(this.#check.settings.readTimeout)
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    if (this.#done === null || status < 200) return
    const { match, keepaliveTime, settings } = this.#check
    const state = this.#state
    state.status = status
    state.headerTime = now() - state.started
    const fields = fieldsOf(controller.rawHeaders)
    this.#r.upstream!.fields = fields
    this.#head = match.checkHead(status, fields)
    this.#doing = READING_BODY
    // The rest is only waited for where it matters.
    if (keepaliveTime > 0 || (this.#head.passed && match.needsBody)) this.#expectWithin(settings.readTimeout)
    else this.#judge(false)
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#done === null) return
    this.#length += chunk.length
    this.#state.responseLength += chunk.length
    if (this.#check.match.needsBody) this.#body.push(chunk)
    if (this.#length >= BODY_LIMIT) this.#judge(false)
  }

  onResponseEnd(): void {
    this.#judge(this.#check.keepaliveTime > 0)
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: NodeJS.ErrnoException): void {
    this.#broken = true
    if (error instanceof HandshakeError || (this.#doing === CONNECTING && error.errno !== undefined)) {
      return this.#end(connectVerdict(error, this.#peer, this.#doing), false)
    }
    this.#end({ passed: false, doing: this.#doing, error: failureText(error, this.#doing) }, false)
  }

  #judge(reusable: boolean): void {
    const head = this.#head
    if (this.#done === null || head === null) return
    this.#state.responseTime = now() - this.#state.started
    try {
      const body = Buffer.concat(this.#body)
      const text = latin1(body, 0, Math.min(body.length, BODY_LIMIT))
      const { passed, checked } = head.passed ? this.#check.match.checkRest(head, text, this.#r) : head
      this.#end({ passed, doing: `checking ${checked}`, error: '' }, reusable)
    } catch (error) {
      if (!(error instanceof RegexLimitError)) throw error
      // The text it was given up on may be the whole content.
      const message = `pcre2_match() failed: ${error.code} on the response`
      this.#end({ passed: false, doing: `checking ${head.checked}`, error: message }, reusable)
    }
  }

  #expectWithin(time: number): void {
    this.#expectNothing()
    this.#timer = setTimeout(
      () => this.#end({ passed: false, doing: this.#doing, error: TIMED_OUT }, false),
      delay(time),
    )
  }

  #expectNothing(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }

  #end(verdict: Verdict, reusable: boolean): void {
    const done = this.#done
    if (done === null) return
    this.#done = null
    this.#body = []
    this.#expectNothing()
    // One that is still being made does not know of its client's end.
    if (!reusable) this.#abandon?.()
    done(verdict, reusable)
  }
}

/** nginx's words for what undici says. */
function failureText(error: NodeJS.ErrnoException, doing: string): string {
  const { code = '', name } = error
  if (code === 'UND_ERR_HEADERS_OVERFLOW') return TOO_BIG_HEADER
  // undici asserts what it takes for granted of a status.
  if (name === 'HTTPParserError' || code === 'UND_ERR_INFO' || code === 'ERR_ASSERTION') {
    return doing === READING_HEAD ? 'upstream sent invalid header' : 'upstream sent invalid chunked response'
  }
  if (code === 'UND_ERR_SOCKET' || code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH') {
    return 'upstream prematurely closed connection'
  }
  return error.errno !== undefined ? brokenFailure(error).message : error.message
}

/** Names and values in turn, as they were received. */
function fieldsOf(raw: Dispatcher.DispatchController['rawHeaders']): Fields {
  const texts = Array.isArray(raw)
    ? raw.map((text) => (typeof text === 'string' ? text : text.toString('latin1')))
    : []
  const fields = new Fields()
  fields.reset(texts.map((text, index) => text + (index % 2 === 0 ? ': ' : '\r\n')).join(''))
  for (let index = 0, at = 0; index + 1 < texts.length; index += 2) {
    const [name, value] = [texts[index]!, texts[index + 1]!]
    const valueAt = at + name.length + 2
    fields.add(at, at + name.length, valueAt, valueAt + value.length, hashName(name.toLowerCase()))
    at = valueAt + value.length + 2
  }
  return fields
}
