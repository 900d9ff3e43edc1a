// Memory that transports read into. All transports of a thread start on one shared buffer: what arrives is used up
// during the call, so idle connections own none. A transport that fills it takes a buffer of its own from the pool,
// which a writer may pin instead of copying when the kernel does not take all of it at once.

/** Bytes kept free before what is read, so that a message head can be put in front of a body in place. */
export const HEADROOM = 2048
/** Bytes one read takes at most. */
export const READ_SIZE = 65536
/** Buffers kept for reuse; more are left to the garbage collector. */
const POOL_LIMIT = 256
/** Transports with a buffer of their own at most: 66 MiB. */
const MAX_ATTACHED = 1024
/** So many of them may keep it while little arrives for them. */
const KEPT_ATTACHED = 64
/** What counts as little. */
const SMALL_READ = 8192

/** A buffer that may be pinned by unfinished writes. */
export interface ReadBuffer extends Buffer {
  /** Its bytes do not change while they are sent: writes refer to them, and it is not the pool's. */
  steady?: boolean
  /** Unfinished writes from this buffer; undefined for memory that is not ours. */
  pins?: number
  /** A transport reads into it. */
  attached?: boolean
  /** The part that reads go to. */
  window?: Buffer
}

const pool: ReadBuffer[] = []

function create(): ReadBuffer {
  const buffer = Buffer.allocUnsafeSlow(HEADROOM + READ_SIZE) as ReadBuffer
  buffer.pins = 0
  buffer.attached = false
  buffer.window = buffer.subarray(HEADROOM)
  return buffer
}

/** Read into by every transport without a buffer of its own; never pinned: its bytes are copied where they must stay. */
export const sharedBuffer: ReadBuffer = create()

/**
 * Declares that bytes of `buffer` given to a transport will not change before it has drained: from here on they are sent
 * from where they are.
 */
export function keepSteady(buffer: Buffer): void {
  const steady: ReadBuffer = buffer
  steady.steady = true
}

export function isSteady(buffer: Buffer): boolean {
  const { steady }: ReadBuffer = buffer
  return steady === true
}

/** A buffer for one holder; give it back with `release`. */
export function acquire(): ReadBuffer {
  return pool.pop() ?? create()
}

let attached = 0

/** A buffer for a transport to read into, until `detach`; null: there are too many already. */
export function attach(): ReadBuffer | null {
  if (attached >= MAX_ATTACHED) return null
  const buffer = acquire()
  buffer.attached = true
  attached++
  return buffer
}

/** Whether a transport whose last read gave `count` bytes should go back to the shared buffer. */
export function isSpare(buffer: ReadBuffer, count: number): boolean {
  return attached > KEPT_ATTACHED && count < SMALL_READ && buffer.pins === 0
}

/** Returns a buffer that neither a transport nor a write uses any more. */
export function release(buffer: ReadBuffer): void {
  if (pool.length < POOL_LIMIT) pool.push(buffer)
}

/** Lets go of a transport's buffer: back to the pool now, or when its last write is done. */
export function detach(buffer: ReadBuffer): void {
  buffer.attached = false
  attached--
  if (buffer.pins === 0) release(buffer)
}

/** One write from the buffer is done. */
export function unpin(buffer: ReadBuffer): void {
  buffer.pins!--
  if (buffer.pins === 0 && !buffer.attached) release(buffer)
}
