// What a client may have a connection do for nothing. Frames that carry no request and no content are cheap to send and
// cost us a look each, some of them an answer; so each costs the client some credit, which requests, content and time
// give back. The words for the log are nginx's where nginx has any.

import { monotonicNow } from '../tick.ts'

/** Frames that a client may send at once without any use. */
const CREDIT = 10000
/** What a second gives back, a request, and so many bytes of content. */
const CREDIT_A_SECOND = 100
const CREDIT_A_REQUEST = 20
const BYTES_A_CREDIT = 2048
/** What any piece of content gives back: a client may open two windows for it. */
const CREDIT_A_PIECE = 2
/** Of streams that a client opens and resets without waiting for an answer, and what a second gives back. */
const RESETS = 600
const RESETS_A_SECOND = 100
/** ... more than what an answer gives back. */
const COST_OF_RESET = 2
/** Bytes without content that nginx lets pass, and how many of them to each byte of content from there on. */
const OVERHEAD = 1048576
const OVERHEAD_RATIO = 8

export class Guard {
  #credit = CREDIT
  #resets = RESETS
  #since = monotonicNow()
  /** Bytes in both directions; those of them that are heads and content. */
  #total = 0
  #payload = 0

  /** So many bytes have been read or sent, whatever they are. */
  transferred(bytes: number): void {
    this.#total += bytes
  }

  /** So many of them are heads of messages or content. */
  used(bytes: number): void {
    this.#payload += bytes
    this.#credit = Math.min(CREDIT, this.#credit + CREDIT_A_PIECE + bytes / BYTES_A_CREDIT)
  }

  /** A request has come. */
  request(): void {
    this.#credit = Math.min(CREDIT, this.#credit + CREDIT_A_REQUEST)
  }

  /** A response has gone out whole: the client was there for it. */
  answered(): void {
    this.#resets = Math.min(RESETS, this.#resets + 1)
  }

  /** A frame has come that is of no use by itself. false: it was one too many. */
  frame(): boolean {
    if (--this.#credit >= 0) return true
    this.#refill()
    return this.#credit >= 0
  }

  /**
   * The client has reset a stream whose response was not complete, or has spoiled what was begun for it. false: it was one
   * too many.
   */
  reset(): boolean {
    this.#resets -= COST_OF_RESET
    if (this.#resets >= 0) return true
    this.#refill()
    return this.#resets >= 0
  }

  /** nginx's test: far more bytes than there is content among them. */
  get flooded(): boolean {
    return this.#total > OVERHEAD_RATIO * (this.#payload + OVERHEAD)
  }

  #refill(): void {
    const seconds = (monotonicNow() - this.#since) / 1000
    this.#since += seconds * 1000
    this.#credit = Math.min(CREDIT, this.#credit + seconds * CREDIT_A_SECOND)
    this.#resets = Math.min(RESETS, this.#resets + seconds * RESETS_A_SECOND)
  }
}
