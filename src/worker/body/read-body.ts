// Reads the body of a request before anything else is done with it: into memory, or into a temporary file where it is
// long or where that is asked for. What is to follow runs when the last byte is there.

import type { BodySink, ContentSource, RequestContent } from '../http/body.ts'
import { CLIENT_CLOSED_REQUEST, finalize } from '../http/finalize.ts'
import { DONE, type Handler, type Result } from '../http/module.ts'
import { makeContent } from '../http/phases.ts'
import type { Request } from '../http/request.ts'
import { clientHead } from '../modules/client-head.ts'
import { keepSteady } from '../transport/read-buffer.ts'
import { type RequestBodyConf, requestBody } from './body-conf.ts'
import { BufferedBody } from './buffered-body.ts'
import { TempFile, type TempFileOwner } from './temp-file.ts'

/** Whether `readBody` has anything to do for a request: asked first, as most have no body. */
export function hasContent({ client }: Request): boolean {
  return client.hasBody || client.contentLength === 0
}

/**
 * Reads the body of `r` into `r.body`, then runs `next`; at once where there is nothing to read. `streams`: `next` takes
 * the body as it comes, so that only what is there already is read: the whole, with luck.
 */
export function readBody(r: Request, streams: boolean, next: Handler): Result | Promise<Result> {
  const { stream } = r
  if (r.parent !== null || r.body !== null || stream.bodyTaken) return next(r)
  const conf = r.conf(requestBody)
  if (!r.client.hasBody) {
    if (conf.clientBodyInFileOnly === 'off') {
      r.body = new BufferedBody()
      r.body.complete = true
      return next(r)
    }
  } else if (streams && stream.bodyWaiting === 0) return next(r)
  new BodyReader(r, conf, streams, next).start()
  return DONE
}

/** Bytes that a backend is told it gets of the body of `r`; -1: it gets them in chunks. */
export function contentLength(r: Request): number {
  const { body } = r
  if (body?.complete) return body.length
  // Of one that will never be whole nothing is passed on.
  return body?.failed || r.stream.bodyDiscarded ? 0 : r.client.contentLength
}

/** Whether some of the body has been passed on as it came, so that nobody will have the whole any more. */
export function isSpent({ body, stream }: Request): boolean {
  if (body?.failed || stream.bodyDiscarded) return false
  return body === null ? stream.bodyTaken : !body.complete && body.spent
}

class BodyReader implements BodySink, ContentSource, TempFileOwner {
  readonly #r: Request
  readonly #conf: RequestBodyConf
  readonly #streams: boolean
  readonly #next: Handler
  readonly #body = new BufferedBody()
  /** Content that memory holds before the rest goes to a file, with what is in memory. */
  readonly #most: number
  #content: RequestContent | null = null
  #over = false
  /** The last byte has come. */
  #ended = false

  constructor(r: Request, conf: RequestBodyConf, streams: boolean, next: Handler) {
    this.#r = r
    this.#conf = conf
    this.#streams = streams
    this.#next = next
    this.#most = streams ? Number.POSITIVE_INFINITY : this.#memory()
  }

  start(): void {
    const r = this.#r
    r.source = this
    r.body = this.#body
    if (this.#most < 0 || (!this.#streams && this.#conf.clientBodyInFileOnly !== 'off')) this.#useFile()
    if (r.client.hasBody) this.#content = r.stream.receiveBody(r, this)
    else this.end()
  }

  /** nginx's rule: what came with the head has its place there, and a little too much still has its own. */
  #memory(): number {
    const { client, stream } = this.#r
    const size = this.#conf.clientBodyBufferSize
    const room = this.#r.conf(clientHead).clientHeaderBufferSize - this.#r.length
    const early = Math.min(Math.max(room, 0), stream.bodyWaiting)
    if (client.contentLength < 0) return size + early
    return client.contentLength - early < size + (size >> 2) ? client.contentLength : -1
  }

  // --- content

  write(bytes: Buffer, start: number, end: number, last: boolean): boolean {
    const body = this.#body
    if (body.file === null && body.length + end - start > this.#most) this.#useFile()
    const more = body.file === null ? this.#keep(bytes, start, end) : body.file.append(bytes, start, end)
    body.length += end - start
    if (last) this.end()
    return more
  }

  #keep(bytes: Buffer, start: number, end: number): true {
    const body = this.#body
    const needed = body.length + end - start
    if (body.bytes === null || body.bytes.length < needed) {
      const { contentLength: announced } = this.#r.client
      // Of unknown length: twice as much each time, so that many small pieces are not copied over and over.
      const size = announced >= 0 ? announced : Math.max(needed, 2 * (body.bytes?.length ?? 0))
      const grown = this.#streams ? Buffer.allocUnsafe(needed) : Buffer.allocUnsafe(size)
      body.bytes?.copy(grown, 0, 0, body.length)
      body.bytes = grown
    }
    bytes.copy(body.bytes, body.length, start, end)
    return true
  }

  /** From here on a file takes the body, with what there is of it. */
  #useFile(): void {
    const body = this.#body
    const { clientBodyTempPath, clientBodyInFileOnly: only, clientBodyBufferSize } = this.#conf
    const naming = only === 'off' ? 'unlinked' : only === 'on' ? 'kept' : 'clean'
    body.file = new TempFile(clientBodyTempPath!, naming, clientBodyBufferSize, this)
    if (body.bytes !== null) body.file.append(body.bytes, 0, body.length)
    body.bytes = null
  }

  /** With `proxy_request_buffering off`: no more of it is there now. */
  flush(): void {
    if (!this.#streams || this.#over) return
    this.#content?.hold()
    this.#goOn()
  }

  end(): void {
    this.#ended = true
    if (this.#body.file !== null) this.#body.file.flush()
    else this.#complete()
  }

  /** The client will not send the rest; whoever noticed ends the request. */
  abort(): void {
    this.stop()
  }

  #complete(): void {
    const body = this.#body
    body.complete = true
    if (body.bytes !== null && body.bytes.length > 0) {
      if (body.bytes.length > body.length) body.bytes = body.bytes.subarray(0, body.length)
      keepSteady(body.bytes)
    }
    this.#goOn()
  }

  #goOn(): void {
    const r = this.#r
    this.#over = true
    r.source = null
    makeContent(r, this.#next)
  }

  // --- the file

  fileCreated(name: string): void {
    const level = this.#conf.clientBodyInFileOnly === 'off' ? 'warn' : 'notice'
    this.#r.log(level, `a client request body is buffered to a temporary file ${name}`)
  }

  fileWritten(): void {
    if (this.#over) return
    if (this.#ended) this.#complete()
    else this.#content?.resume()
  }

  fileFailed(message: string): void {
    if (this.#over) return
    this.stop()
    const r = this.#r
    r.log('crit', message)
    finalize(r, 500)
  }

  // --- what the request asks

  /** Nothing is being sent. */
  resume(): void {}

  clientGone(): void {
    this.stop()
    finalize(this.#r, CLIENT_CLOSED_REQUEST)
  }

  stop(): void {
    if (this.#over) return
    this.#over = true
    if (this.#body.complete) return
    this.#body.failed = true
    this.#body.file?.close()
  }
}
