// Content that is held in memory for many requests, and with it what filters have made of all of it: a compressed form
// is made once, not for each request. It goes when the content goes. All that a thread holds shares one bound.

import { keepSteady } from '../transport/read-buffer.ts'

/** Bytes that a thread holds at most, content and what was made of it. */
const MEMORY = 64 * 1024 * 1024

let memory = 0

/** Whether `bytes` more may be held. */
export function hasRoom(bytes: number): boolean {
  return memory + bytes <= MEMORY
}

/** What a filter made of content. */
export interface MadeContent {
  readonly bytes: Buffer
  /** Bytes that it was made of. */
  readonly madeOf: number
}

export class HeldContent {
  /** Bytes of the content itself. */
  readonly length: number
  readonly #makeRoom: (bytes: number) => boolean
  #made: Map<string, MadeContent> | null = null
  #size: number
  #released = false

  /** The caller has seen that there is room, and calls `release` in the end. `makeRoom`: lets others go for this one. */
  constructor(length: number, makeRoom: (bytes: number) => boolean) {
    this.length = this.#size = length
    this.#makeRoom = makeRoom
    memory += length
  }

  /** What was kept by that name; null: nothing. */
  find(name: string): MadeContent | null {
    return this.#made?.get(name) ?? null
  }

  /** Keeps a copy of what was made of all of the content, where there is room. `name` says how, to the last parameter. */
  keep(name: string, bytes: Buffer): void {
    if (this.#released || this.#made?.has(name) === true || !this.#makeRoom(bytes.length)) return
    // It may have been the oldest itself.
    if (this.#released) return
    const copy = Buffer.allocUnsafeSlow(bytes.length)
    bytes.copy(copy)
    keepSteady(copy)
    this.#made ??= new Map()
    this.#made.set(name, { bytes: copy, madeOf: this.length })
    this.#size += copy.length
    memory += copy.length
  }

  /** The content is not held any more. Who is sending some of it goes on. */
  release(): void {
    if (this.#released) return
    this.#released = true
    this.#made = null
    memory -= this.#size
  }
}
