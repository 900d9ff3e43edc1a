// TLS sessions that all workers can resume: the memory of `ssl_session_cache shared:NAME:SIZE`. Layout, writers and
// meaning stand here only.
//
// Zone `ssl_session NAME`: a header, then the buckets of a hash table, then entries one behind the other in a ring.
//   header, 64 bytes: int32 0: lock; 1: how often it was taken; 2: where the next entry goes; 3: where the oldest one is;
//     4: bytes from there to here. Places count from the first entry. The rest is free.
//   buckets, int32 each: 1 + the place of the first entry whose session's id falls into it; 0: none.
//   entry, a multiple of 8 bytes: int32 0: its length, negative where nothing is in it (any more); 1: the next entry of
//     the bucket, as buckets name it; 2: length of the id; 3: length of the session. float64 2: milliseconds of
//     `sharedNow` until which it may be resumed. bytes 24-55: the id; then the session as OpenSSL stores it.
// What is new takes the place of what is oldest. All is read and written under the lock.

import { SharedLock } from './shared-lock.ts'

const HEADER_BYTES = 64
/** For each bucket: about as many as there are entries. */
const BYTES_PER_BUCKET = 256
const ID_AT = 24
const ID_BYTES = 32
const DATA_AT = ID_AT + ID_BYTES
/** Longest session; one with a long certificate of the client. */
const LONGEST = 8192

const TURNS = 1
const NEXT_PLACE = 2
const OLDEST_PLACE = 3
const USED = 4

const LENGTH = 0
const NEXT = 1
const ID_LENGTH = 2
const DATA_LENGTH = 3
const EXPIRES = 2

export class TlsSessionZone {
  readonly #ints: Int32Array
  readonly #floats: Float64Array
  readonly #bytes: Buffer
  readonly #lock: SharedLock
  readonly #buckets: number
  /** Of the ring: where it begins, and its length. */
  readonly #base: number
  readonly #room: number

  /** `worker`: slot of the worker this thread is. */
  constructor(memory: SharedArrayBuffer, worker: number) {
    this.#ints = new Int32Array(memory, 0, Math.floor(memory.byteLength / 4))
    this.#floats = new Float64Array(memory, 0, Math.floor(memory.byteLength / 8))
    this.#bytes = Buffer.from(memory)
    this.#lock = new SharedLock(this.#ints, 0, worker + 1, TURNS)
    this.#buckets = 2 ** Math.floor(Math.log2(memory.byteLength / BYTES_PER_BUCKET))
    this.#base = HEADER_BYTES + this.#buckets * 4
    this.#room = Math.floor((memory.byteLength - this.#base) / 8) * 8
  }

  /** The session of this id, a copy; null: there is none (any more). `now`: milliseconds of `sharedNow`. */
  find(id: Uint8Array, now: number): Buffer | null {
    if (id.length === 0 || id.length > ID_BYTES) return null
    this.#lock.lock()
    const entry = this.#find(id)
    let data: Buffer | null = null
    if (entry >= 0 && this.#floats[entry / 8 + EXPIRES]! > now) {
      data = Buffer.from(
        this.#bytes.subarray(entry + DATA_AT, entry + DATA_AT + this.#int(entry, DATA_LENGTH)),
      )
    }
    this.#lock.unlock()
    return data
  }

  /** Keeps a session until `expires`; one that is too long is not kept. false: it is not. */
  store(id: Uint8Array, data: Uint8Array, expires: number): boolean {
    const length = Math.ceil((DATA_AT + data.length) / 8) * 8
    if (id.length === 0 || id.length > ID_BYTES || data.length > LONGEST || length > this.#room) return false
    this.#lock.lock()
    this.#remove(id)
    const entry = this.#claim(length)
    const at = entry / 4
    this.#ints[at + LENGTH] = length
    this.#ints[at + ID_LENGTH] = id.length
    this.#ints[at + DATA_LENGTH] = data.length
    this.#floats[entry / 8 + EXPIRES] = expires
    this.#bytes.set(id, entry + ID_AT)
    this.#bytes.set(data, entry + DATA_AT)
    const bucket = this.#bucket(id)
    this.#ints[at + NEXT] = this.#ints[bucket]!
    this.#ints[bucket] = entry - this.#base + 1
    this.#lock.unlock()
    return true
  }

  /** Forgets the session of this id. */
  remove(id: Uint8Array): void {
    if (id.length === 0 || id.length > ID_BYTES) return
    this.#lock.lock()
    this.#remove(id)
    this.#lock.unlock()
  }

  /** The worker in this slot has died. What it left half done is not to be trusted: all sessions begin anew. */
  reclaim(worker: number): void {
    if (!this.#lock.heldBy(worker + 1)) return
    this.#ints.fill(0, TURNS + 1)
    this.#lock.releaseOf(worker + 1)
  }

  // --- by id

  /** Index of the int32 that names the first entry for `id`. Ids are random, and ours: clients cannot make them meet. */
  #bucket(id: Uint8Array): number {
    const hash = id[0]! | ((id[1] ?? 0) << 8) | ((id[2] ?? 0) << 16)
    return HEADER_BYTES / 4 + (hash & (this.#buckets - 1))
  }

  /** Byte position of the entry; -1: there is none. */
  #find(id: Uint8Array): number {
    let named = this.#ints[this.#bucket(id)]!
    while (named !== 0) {
      const entry = this.#base + named - 1
      if (this.#isOf(entry, id)) return entry
      named = this.#int(entry, NEXT)
    }
    return -1
  }

  #isOf(entry: number, id: Uint8Array): boolean {
    const length = this.#int(entry, ID_LENGTH)
    return (
      length === id.length && this.#bytes.compare(id, 0, length, entry + ID_AT, entry + ID_AT + length) === 0
    )
  }

  #remove(id: Uint8Array): void {
    const entry = this.#find(id)
    if (entry < 0) return
    this.#unlink(entry)
    this.#ints[entry / 4 + LENGTH] = -this.#int(entry, LENGTH)
  }

  #unlink(entry: number): void {
    const named = entry - this.#base + 1
    const id = this.#bytes.subarray(entry + ID_AT, entry + ID_AT + this.#int(entry, ID_LENGTH))
    let link = this.#bucket(id)
    while (this.#ints[link] !== named) link = (this.#base + this.#ints[link]! - 1) / 4 + NEXT
    this.#ints[link] = this.#int(entry, NEXT)
  }

  // --- by age

  /** Makes room for an entry of so many bytes; returns its byte position. */
  #claim(length: number): number {
    const ints = this.#ints
    for (;;) {
      if (ints[USED] === 0) ints[NEXT_PLACE] = ints[OLDEST_PLACE] = 0
      const next = ints[NEXT_PLACE]!
      const oldest = ints[OLDEST_PLACE]!
      const atEnd = next > oldest || ints[USED] === 0
      const free = atEnd ? this.#room - next : oldest - next
      if (free >= length) {
        ints[NEXT_PLACE] = next + length === this.#room ? 0 : next + length
        ints[USED]! += length
        return this.#base + next
      }
      if (atEnd) {
        // Entries are in one piece: what is left at the end stays empty until the ring has come round.
        ints[(this.#base + next) / 4 + LENGTH] = -free
        ints[USED]! += free
        ints[NEXT_PLACE] = 0
      } else this.#forgetOldest()
    }
  }

  #forgetOldest(): void {
    const ints = this.#ints
    const oldest = ints[OLDEST_PLACE]!
    const entry = this.#base + oldest
    const length = this.#int(entry, LENGTH)
    if (length > 0) this.#unlink(entry)
    const bytes = Math.abs(length)
    ints[OLDEST_PLACE] = oldest + bytes === this.#room ? 0 : oldest + bytes
    ints[USED]! -= bytes
  }

  #int(entry: number, field: number): number {
    return this.#ints[entry / 4 + field]!
  }
}
