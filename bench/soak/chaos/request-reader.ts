// Reads the requests of one connection at a backend of the chaos: heads, and content that must be the pattern.

import { PatternCheck } from '../pattern.ts'

export interface RequestHead {
  /** The number the client gave it. */
  id: number
  /** Bytes that the answer must have. */
  length: number
  /** Bytes of content that the client has sent, or will. */
  content: number
}

export interface RequestEvents {
  head(head: RequestHead): void
  /** All of it has come; `right`: content as the client has sent it. */
  complete(right: boolean): void
}

type State = 'head' | 'content' | 'size' | 'chunk' | 'trailer'

export class RequestReader {
  readonly #events: RequestEvents
  #bytes: Buffer = Buffer.alloc(0)
  #state: State = 'head'
  /** Bytes of content, or of a chunk with its line end, still to come. */
  #left = 0
  #expected = 0
  #check = new PatternCheck()

  constructor(events: RequestEvents) {
    this.#events = events
  }

  read(chunk: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk])
    while (this.#step()) {
      // One part after the other.
    }
  }

  /** false: more has to come. */
  #step(): boolean {
    switch (this.#state) {
      case 'head':
        return this.#head()
      case 'content':
        return this.#content(0)
      case 'chunk':
        return this.#content(2)
      case 'size':
        return this.#line((line) => {
          const size = Number.parseInt(line, 16)
          this.#left = size + 2
          this.#state = size === 0 ? 'trailer' : 'chunk'
        })
      case 'trailer':
        return this.#line((line) => {
          if (line === '') this.#complete()
        })
    }
  }

  #head(): boolean {
    const end = this.#bytes.indexOf('\r\n\r\n')
    if (end < 0) return false
    const text = this.#bytes.toString('latin1', 0, end)
    this.#bytes = this.#bytes.subarray(end + 4)
    const [, length, id, content] = /^\S+ \/bytes\/(\d+)\?n=(\d+)&l=(\d+) /.exec(text) ?? []
    this.#expected = Number(content)
    this.#check = new PatternCheck()
    this.#events.head({ id: Number(id), length: Number(length), content: this.#expected })
    this.#left = Number(/\r\ncontent-length: *(\d+)/i.exec(text)?.[1] ?? 0)
    if (/\r\ntransfer-encoding: *chunked/i.test(text)) this.#state = 'size'
    else if (this.#left > 0) this.#state = 'content'
    else this.#complete()
    return true
  }

  /** `behind`: bytes behind the content that are no content. */
  #content(behind: number): boolean {
    if (this.#bytes.length === 0) return false
    const part = this.#bytes.subarray(0, this.#left)
    const most = Math.max(0, this.#left - behind)
    this.#check.add(part.subarray(0, most))
    this.#left -= part.length
    this.#bytes = this.#bytes.subarray(part.length)
    if (this.#left > 0) return false
    if (this.#state === 'chunk') this.#state = 'size'
    else this.#complete()
    return true
  }

  #line(use: (line: string) => void): boolean {
    const end = this.#bytes.indexOf('\r\n')
    if (end < 0) return false
    const line = this.#bytes.toString('latin1', 0, end)
    this.#bytes = this.#bytes.subarray(end + 2)
    use(line)
    return true
  }

  #complete(): void {
    this.#state = 'head'
    this.#events.complete(this.#check.right && this.#check.length === this.#expected)
  }
}
