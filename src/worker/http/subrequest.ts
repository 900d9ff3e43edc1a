// Requests that a request makes of its own server: they go through the phases as one of a client does, but what they
// answer goes nowhere; whoever made one looks at its response when it has ended.

import { now } from '../tick.ts'
import type { Transport } from '../transport/transport.ts'
import type { BodySink, ContentSource, RequestContent } from './body.ts'
import { CLIENT_CLOSED_REQUEST, finalize, isSilent } from './finalize.ts'
import { runInternal } from './phases.ts'
import { type ClientConnection, type ClientStream, Request, type RequestLine } from './request.ts'
import { VariableValues } from './variables.ts'

/** How deep subrequests may make others, as in nginx. */
const MAX_DEPTH = 50

/**
 * Starts a GET of `uri` on behalf of `parent`; `done` hears of its end, at once or later, unless the parent ends first.
 * false: subrequests are nested too deep, which is logged.
 */
export function subrequest(
  parent: Request,
  uri: string,
  args: string | null,
  done: (sub: Request) => void,
): boolean {
  let depth = 0
  for (let r: Request | null = parent; r !== null; r = r.parent) depth++
  if (depth > MAX_DEPTH) {
    parent.log('error', `subrequests cycle while processing "${uri}"`)
    return false
  }
  const stream = new SubrequestStream(parent, done)
  const r = new Request(stream, lineOf(parent.client), parent.fields, parent.server, now())
  r.parent = parent
  r.host = parent.host
  r.realAddress = parent.realAddress
  r.values = parent.values ??= new VariableValues()
  r.named = parent.named ??= Object.create(null) as Record<string, string | undefined>
  parent.source = new Waiting(parent, r)
  runInternal(r, uri, args)
  return true
}

function lineOf({ line, target, protocol, minor }: RequestLine): RequestLine {
  const nothing = { contentLength: -1, hasBody: false, asksUpgrade: false }
  return { line, method: 'GET', isHead: false, target, protocol, minor, ...nothing }
}

/** What the parent does meanwhile. */
class Waiting implements ContentSource {
  readonly #parent: Request
  readonly #sub: Request

  constructor(parent: Request, sub: Request) {
    this.#parent = parent
    this.#sub = sub
  }

  resume(): void {}

  clientGone(): void {
    this.stop()
    finalize(this.#parent, CLIENT_CLOSED_REQUEST)
  }

  stop(): void {
    const sub = this.#sub
    if (sub.ended) return
    sub.ended = true
    sub.source?.stop()
    sub.source = null
  }
}

/** The end of a subrequest that a client's stream has with a client's request. */
class SubrequestStream implements ClientStream {
  readonly connection: ClientConnection
  readonly out: BodySink = NOWHERE
  readonly bytesSent = 0
  readonly bodyBytesSent = 0
  readonly bodyLength = -1
  readonly bodyTaken = false
  readonly bodyDiscarded = false
  readonly settling = false
  readonly bodyWaiting = 0
  readonly room = Number.POSITIVE_INFINITY
  readonly #parent: Request
  readonly #done: (sub: Request) => void

  constructor(parent: Request, done: (sub: Request) => void) {
    this.connection = parent.stream.connection
    this.#parent = parent
    this.#done = done
  }

  sendHead(): void {}

  sendEarlyHints(): void {}

  receiveBody(): RequestContent {
    throw new Error('a subrequest has no body')
  }

  leaveUnasked(): void {}

  discardBody(): boolean {
    return true
  }

  openTunnel(): { transport: Transport; early: Buffer | null } {
    throw new Error('a subrequest has no connection of its own')
  }

  closeTunnel(): void {}

  finish(r: Request): void {
    const parent = this.#parent
    parent.source = null
    if (parent.ended) return
    // As in nginx, whose connection knows one thing that is being done.
    parent.doing = r.doing
    this.#done(r)
  }

  terminate(r: Request): void {
    const { status } = r.response
    // As in nginx, what closes the connection of a request (`return 444`) closes the client's.
    if (isSilent(status)) finalize(this.#parent, status)
    else this.finish(r)
  }
}

const NOWHERE: BodySink = {
  write: () => true,
  flush: () => {},
  end: () => {},
  abort: () => {},
}
