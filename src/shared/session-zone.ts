// Sessions of `sticky learn` that all workers know: which server a client belongs to. Layout, writers and meaning stand
// here only.
//
// Zone `sticky NAME UPSTREAM`: a header, then the buckets of a hash table, then entries.
//   header, 64 bytes: int32 0: lock; 1: newest entry; 2: oldest entry; 3: entries ever used; 4: the first of those that
//     are free again. The rest is free.
//   buckets, int32 each: the first entry whose session's hash falls into it.
//   entry, 72 bytes: float64 0: when the session was last used, milliseconds of `sharedNow`. int32 2: next entry of the
//     bucket, or next free one; 3: the next newer entry; 4: the next older one; 5: length of the server's ID; 6-9: MD5
//     of the session's ID. bytes 40-71: the server's ID.
// Entries are numbered from 1; 0 is none. All is read and written under the lock.

import { hash } from 'node:crypto'
import { latin1 } from './latin1.ts'
import { SharedLock } from './shared-lock.ts'

const HEADER_BYTES = 64
const ENTRY_BYTES = 72
const BUCKET_BYTES = 4
const HASH_BYTES = 16

const NEWEST = 1
const OLDEST = 2
const USED = 3
const FREE = 4

const NEXT = 2
const NEWER = 3
const OLDER = 4
const ID_LENGTH = 5
const KEY = 6
const ID_AT = 40
/** Longest ID of a server. */
const LONGEST_ID = ENTRY_BYTES - ID_AT

/** What became of a session to be stored; `pushed out`: another one that was still good had to make room for it. */
export type Stored = 'stored' | 'unknown' | 'pushed out'

export class SessionZone {
  readonly #ints: Int32Array
  readonly #floats: Float64Array
  readonly #bytes: Buffer
  readonly #lock: SharedLock
  readonly #capacity: number
  readonly #buckets: number
  readonly #timeout: number

  /** `worker`: slot of the worker this thread is; `timeout`: milliseconds after which unused sessions are forgotten. */
  constructor(memory: SharedArrayBuffer, worker: number, timeout: number) {
    this.#ints = new Int32Array(memory, 0, Math.floor(memory.byteLength / 4))
    this.#floats = new Float64Array(memory, 0, Math.floor(memory.byteLength / 8))
    this.#bytes = Buffer.from(memory)
    this.#lock = new SharedLock(this.#ints, 0, worker + 1)
    this.#capacity = Math.floor((memory.byteLength - HEADER_BYTES) / (ENTRY_BYTES + BUCKET_BYTES))
    this.#buckets = 2 ** Math.floor(Math.log2(this.#capacity))
    this.#timeout = timeout
  }

  /** Sessions it has room for. */
  get capacity(): number {
    return this.#capacity
  }

  /** ID of the server that a session belongs to; '': there is no such session. `now`: milliseconds of `sharedNow`. */
  find(session: string, now: number): string {
    const key = keyOf(session)
    this.#lock.lock()
    const entry = this.#find(key)
    const good = entry !== 0 && now - this.#time(entry) < this.#timeout
    const server = good ? this.#server(entry) : ''
    this.#lock.unlock()
    return server
  }

  /** The session belongs to `server` and was used just now. Unless `create`, one that is not known stays so. */
  store(session: string, server: string, now: number, create: boolean): Stored {
    const key = keyOf(session)
    this.#lock.lock()
    let stored: Stored = 'stored'
    let entry = this.#find(key)
    if (entry !== 0) this.#unlinkAge(entry)
    else if (!create) stored = 'unknown'
    else {
      this.#forgetOld(now)
      entry = this.#claim()
      if (entry === 0) {
        this.#forget(this.#ints[OLDEST]!)
        entry = this.#claim()
        stored = 'pushed out'
      }
      this.#linkKey(entry, key)
    }
    if (entry !== 0) {
      this.#floats[this.#word(entry) / 2] = now
      this.#linkNewest(entry)
      this.#writeServer(entry, server)
    }
    this.#lock.unlock()
    return stored
  }

  /** The worker in this slot has died. What it left half done is not to be trusted: all sessions begin anew. */
  reclaim(worker: number): void {
    if (!this.#lock.heldBy(worker + 1)) return
    this.#ints.fill(0, 1)
    this.#lock.releaseOf(worker + 1)
  }

  // --- entries

  /** Index of the first int32 of an entry. */
  #word(entry: number): number {
    return (HEADER_BYTES + this.#buckets * BUCKET_BYTES + (entry - 1) * ENTRY_BYTES) / 4
  }

  #time(entry: number): number {
    return this.#floats[this.#word(entry) / 2]!
  }

  #server(entry: number): string {
    const at = this.#word(entry)
    return latin1(this.#bytes, at * 4 + ID_AT, at * 4 + ID_AT + this.#ints[at + ID_LENGTH]!)
  }

  #writeServer(entry: number, server: string): void {
    const at = this.#word(entry)
    const length = Math.min(server.length, LONGEST_ID)
    this.#ints[at + ID_LENGTH] = length
    this.#bytes.write(server, at * 4 + ID_AT, length, 'latin1')
  }

  /** An entry nothing is in; 0: there is none. */
  #claim(): number {
    const ints = this.#ints
    const free = ints[FREE]!
    if (free !== 0) {
      ints[FREE] = ints[this.#word(free) + NEXT]!
      return free
    }
    if (ints[USED] === this.#capacity) return 0
    return ++ints[USED]!
  }

  // --- by key

  #bucket(first: number): number {
    return HEADER_BYTES / 4 + (first & (this.#buckets - 1))
  }

  #find(key: Int32Array): number {
    const ints = this.#ints
    let entry = ints[this.#bucket(key[0]!)]!
    while (entry !== 0) {
      const at = this.#word(entry)
      let same = 0
      while (same < key.length && ints[at + KEY + same] === key[same]) same++
      if (same === key.length) return entry
      entry = ints[at + NEXT]!
    }
    return 0
  }

  #linkKey(entry: number, key: Int32Array): void {
    const at = this.#word(entry)
    const bucket = this.#bucket(key[0]!)
    this.#ints.set(key, at + KEY)
    this.#ints[at + NEXT] = this.#ints[bucket]!
    this.#ints[bucket] = entry
  }

  #unlinkKey(entry: number): void {
    const ints = this.#ints
    const at = this.#word(entry)
    let link = this.#bucket(ints[at + KEY]!)
    while (ints[link] !== entry) link = this.#word(ints[link]!) + NEXT
    ints[link] = ints[at + NEXT]!
  }

  // --- by age

  #linkNewest(entry: number): void {
    const ints = this.#ints
    const at = this.#word(entry)
    const before = ints[NEWEST]!
    ints[at + NEWER] = 0
    ints[at + OLDER] = before
    ints[before === 0 ? OLDEST : this.#word(before) + NEWER] = entry
    ints[NEWEST] = entry
  }

  #unlinkAge(entry: number): void {
    const ints = this.#ints
    const at = this.#word(entry)
    const newer = ints[at + NEWER]!
    const older = ints[at + OLDER]!
    ints[newer === 0 ? NEWEST : this.#word(newer) + OLDER] = older
    ints[older === 0 ? OLDEST : this.#word(older) + NEWER] = newer
  }

  #forget(entry: number): void {
    this.#unlinkAge(entry)
    this.#unlinkKey(entry)
    this.#ints[this.#word(entry) + NEXT] = this.#ints[FREE]!
    this.#ints[FREE] = entry
  }

  #forgetOld(now: number): void {
    for (let entry = this.#ints[OLDEST]!; entry !== 0; entry = this.#ints[OLDEST]!) {
      if (now - this.#time(entry) < this.#timeout) return
      this.#forget(entry)
    }
  }
}

/** Sessions are known by a hash of what clients call them, of one length and nobody's secret. */
function keyOf(session: string): Int32Array {
  const digest = hash('md5', Buffer.from(session, 'latin1'), 'buffer')
  const key = new Int32Array(HASH_BYTES / 4)
  for (let index = 0; index < key.length; index++) key[index] = digest.readInt32LE(index * 4)
  return key
}
