// Keys that session tickets are encrypted with (RFC 5077): of files, or made up once for all workers, in shared memory,
// so that a session that began in one of them goes on in any other, and after a reload.

import { hkdfSync, randomFillSync } from 'node:crypto'
import type { SecureContext } from 'node:tls'

/** Name, HMAC key and AES key, 16 bytes each: what Node takes. */
export const KEY_LENGTH = 48
/** nginx's other length, for AES with 256 bits. */
export const LONG_KEY_LENGTH = 80
const PART = 16

/** Name and size of the zone that `sharedKeys` lives in: a word that says whether there are keys, then the keys. */
export const TICKET_ZONE = 'ssl session tickets'
export const TICKET_ZONE_SIZE = 4 + KEY_LENGTH
const EMPTY = 0
const BEING_FILLED = 1
const FILLED = 2
/** Milliseconds for another thread to make keys up. */
const PATIENCE = 1000

/** The keys in `zone`; whoever comes first makes them up. Keys of this thread alone where somebody has begun to and died. */
export function sharedKeys(zone: SharedArrayBuffer): Buffer {
  const state = new Int32Array(zone, 0, 1)
  if (Atomics.compareExchange(state, 0, EMPTY, BEING_FILLED) === EMPTY) {
    const keys = randomFillSync(Buffer.alloc(KEY_LENGTH))
    Buffer.from(zone, 4, KEY_LENGTH).set(keys)
    Atomics.store(state, 0, FILLED)
    Atomics.notify(state, 0)
  }
  // A thread that died in between has left nothing to wait for, and keys that anybody could guess.
  if (
    Atomics.load(state, 0) === BEING_FILLED &&
    Atomics.wait(state, 0, BEING_FILLED, PATIENCE) === 'timed-out'
  )
    return randomFillSync(Buffer.alloc(KEY_LENGTH))
  return Buffer.from(Buffer.from(zone, 4, KEY_LENGTH))
}

/** The key in a file (latin1); null: it has neither length. Node has no AES-256 for tickets: long ones are cut down. */
export function keyOfFile(content: string): Buffer | null {
  const bytes = Buffer.from(content, 'latin1')
  if (bytes.length === KEY_LENGTH) return bytes
  if (bytes.length !== LONG_KEY_LENGTH) return null
  const secret = hkdfSync('sha256', bytes.subarray(PART), '', 'weir session tickets', 2 * PART)
  return Buffer.concat([bytes.subarray(0, PART), Buffer.from(secret)])
}

/** What Node's context asks for each ticket: parts of a key, or that it is none of ours. */
interface TicketContext {
  onticketkeycallback?: (name: Buffer, iv: Buffer, encrypt: boolean) => unknown[]
  enableTicketKeyCallback?: () => void
}

const UNKNOWN = 0
const USE = 1
const RENEW = 2

/**
 * Has tickets of the other keys taken too, and replaced. A private member of Node; false: this one has none, and only
 * the first key counts.
 */
export function takeOlderTickets(context: SecureContext, keys: readonly Buffer[]): boolean {
  const inner = context.context as TicketContext
  if (typeof inner.enableTicketKeyCallback !== 'function') return false
  const parts = keys.map((key) => ({
    name: key.subarray(0, PART),
    hmac: key.subarray(PART, 2 * PART),
    aes: key.subarray(2 * PART, KEY_LENGTH),
  }))
  inner.onticketkeycallback = (name, iv, encrypt) => {
    const first = parts[0]!
    if (encrypt)
      return [USE, first.hmac, first.aes, first.name, randomFillSync(Buffer.alloc(iv.length || PART))]
    const index = parts.findIndex((part) => part.name.equals(name))
    if (index < 0) return [UNKNOWN, first.hmac, first.aes]
    return [index === 0 ? USE : RENEW, parts[index]!.hmac, parts[index]!.aes]
  }
  inner.enableTicketKeyCallback()
  return true
}
