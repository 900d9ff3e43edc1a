// A client's connection in the soak: raw bytes out, answers read strictly and checked against the pattern, reading as
// slowly as asked.

import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { drained, PatternCheck } from './pattern.ts'

/** The connection ended where an answer was due. */
export class Broken extends Error {}

/** The answer is not what it must be. */
export class Wrong extends Error {}

export interface Answer {
  status: number
  fields: Map<string, string>
  /** Bytes of the body. */
  length: number
  /** The body is the pattern from its start. */
  pattern: boolean
  /** The first bytes of the body. */
  start: string
}

/** No answer within this time is an error. */
const PATIENCE = 20_000
/** More than this is not taken from the socket before it is used. */
const READ_AHEAD = 64 * 1024

export class Wire {
  readonly socket: Socket
  /** The answer that is being read or was read last, as far as it has come; null before its head. */
  partial: Answer | null = null
  #bytes: Buffer = Buffer.alloc(0)
  #closed: Error | null = null
  #wake: (() => void) | null = null

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.socket.setTimeout(PATIENCE, () => this.#close(new Wrong('no byte for 20 seconds')))
    this.socket.on('data', (chunk: Buffer) => {
      this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk])
      if (this.#bytes.length > READ_AHEAD) this.socket.pause()
      this.#wake?.()
    })
    this.socket.on('error', (error) => this.#close(new Broken(error.message)))
    this.socket.on('end', () => this.#close(new Broken('connection closed')))
    this.socket.on('close', () => this.#close(new Broken('connection closed')))
  }

  get open(): boolean {
    return this.#closed === null
  }

  write(data: string | Buffer): void {
    this.socket.write(data)
  }

  /** Waits until the socket has taken what was written. */
  async drained(): Promise<void> {
    while (this.socket.writableNeedDrain && this.open) await drained(this.socket)
  }

  /** Closes as a client that is done. */
  end(): void {
    this.socket.destroy()
  }

  /** Closes with a reset. */
  reset(): void {
    this.socket.resetAndDestroy()
  }

  /** Reads one answer; `slow` waits that many milliseconds between pieces of the body. */
  async answer(head = false, slow = 0): Promise<Answer> {
    this.partial = null
    const { status, fields } = await this.#head()
    const check = new PatternCheck()
    const answer: Answer = { status, fields, length: 0, pattern: true, start: '' }
    this.partial = answer
    const take = async (count: number): Promise<void> => {
      for (let left = count; left > 0; ) {
        const chunk = await this.#some(left)
        left -= chunk.length
        if (answer.start.length < 64) answer.start += chunk.toString('latin1', 0, 64)
        check.add(chunk)
        answer.length = check.length
        answer.pattern = check.right
        if (slow > 0) await delay(slow)
      }
    }
    if (!head && status !== 101 && status !== 204 && status !== 304) {
      if (fields.get('transfer-encoding') === 'chunked') await this.#chunks(take)
      else if (fields.has('content-length')) await take(Number(fields.get('content-length')))
      else await this.#untilEnd(take)
    }
    return answer
  }

  /** Exactly `count` bytes. */
  async exactly(count: number): Promise<Buffer> {
    while (this.#bytes.length < count) await this.#more()
    return this.#cut(count)
  }

  /** Waits for the other side to close; false when bytes come instead. */
  async closed(): Promise<boolean> {
    while (this.open && this.#bytes.length === 0) await this.#more().catch(() => {})
    return this.#bytes.length === 0
  }

  async #head(): Promise<{ status: number; fields: Map<string, string> }> {
    let end = this.#bytes.indexOf('\r\n\r\n')
    for (; end < 0; end = this.#bytes.indexOf('\r\n\r\n')) await this.#more()
    const lines = this.#cut(end + 4)
      .toString('latin1', 0, end)
      .split('\r\n')
    const status = /^HTTP\/1\.1 (\d{3}) /.exec(lines[0]!)?.[1]
    if (status === undefined) throw new Wrong(`status line "${lines[0]}"`)
    const fields = new Map<string, string>()
    for (const line of lines.slice(1)) {
      const colon = line.indexOf(':')
      fields.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim())
    }
    return { status: Number(status), fields }
  }

  async #chunks(take: (count: number) => Promise<void>): Promise<void> {
    for (;;) {
      const size = Number.parseInt(await this.#line(), 16)
      if (Number.isNaN(size)) throw new Wrong('chunk size')
      if (size > 0) await take(size)
      if ((await this.#line()) !== '') throw new Wrong('end of chunk')
      if (size === 0) return
    }
  }

  async #untilEnd(take: (count: number) => Promise<void>): Promise<void> {
    for (;;) {
      if (this.#bytes.length > 0) await take(this.#bytes.length)
      else if (!this.open) return
      else await this.#more().catch(() => {})
    }
  }

  async #line(): Promise<string> {
    let end = this.#bytes.indexOf('\r\n')
    for (; end < 0; end = this.#bytes.indexOf('\r\n')) await this.#more()
    return this.#cut(end + 2).toString('latin1', 0, end)
  }

  async #some(most: number): Promise<Buffer> {
    while (this.#bytes.length === 0) await this.#more()
    return this.#cut(Math.min(most, this.#bytes.length))
  }

  #cut(count: number): Buffer {
    const part = this.#bytes.subarray(0, count)
    this.#bytes = this.#bytes.subarray(count)
    if (this.#bytes.length <= READ_AHEAD && this.open) this.socket.resume()
    return part
  }

  async #more(): Promise<void> {
    if (this.#closed !== null) throw this.#closed
    await new Promise<void>((resolve) => {
      this.#wake = resolve
    })
    this.#wake = null
  }

  #close(reason: Error): void {
    this.#closed ??= reason
    this.socket.destroy()
    this.#wake?.()
  }
}
