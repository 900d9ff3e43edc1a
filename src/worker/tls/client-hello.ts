// The first message of a TLS client (RFC 8446 section 4.1.2), read before OpenSSL sees it: which server it asks for
// decides with which certificate, protocols and ciphers OpenSSL is to go on. What is no ClientHello, or not a sound one,
// is left to OpenSSL to refuse.

import { latin1 } from '../../shared/latin1.ts'
import type { TlsOffer } from './session.ts'

/** What a client asks for. */
export interface ClientHello extends TlsOffer {
  /** The name in SNI as it came (RFC 6066 section 3); '' for none. */
  readonly serverName: string
  /** Protocols in ALPN (RFC 7301). */
  readonly alpn: readonly string[]
  /** The newest version it speaks, as in records: 0x0304 is TLS 1.3. */
  readonly version: number
  /** The session id it gives, for sessions kept by the server. */
  readonly sessionId: Buffer
  /** It can keep a session in a ticket (RFC 5077); before TLS 1.3, where all can. */
  readonly takesTickets: boolean
  /** Keys from earlier connections, as it calls them (RFC 8446 section 4.2.11). */
  readonly identities: readonly Buffer[]
  /** It asks for a stapled OCSP response (RFC 6066 section 8). */
  readonly asksStatus: boolean
}

/** Where a hello that is being read stands. */
export type HelloState =
  /** More bytes are needed. */
  | null
  /** It is whole. */
  | { hello: ClientHello }
  /** It is none that is understood here. */
  | { hello: null }

/** Bytes of a hello at most, records and all; nginx and OpenSSL give up on larger ones as well. */
export const LONGEST_HELLO = 65536

const RECORD_HEAD = 5
/** RFC 8446 section 5.1; OpenSSL takes no longer ones before encryption begins. */
const LONGEST_RECORD = 16384
const HANDSHAKE = 22
const CLIENT_HELLO = 1
const MESSAGE_HEAD = 4

const UNKNOWN = { hello: null } satisfies HelloState

/** Whether a connection that begins with this byte is left to OpenSSL, as in nginx: TLS, or an SSLv2 hello. */
export function beginsTls(byte: number): boolean {
  return byte === HANDSHAKE || (byte & 0x80) !== 0
}

/** Bytes that are put behind each other; each is copied a few times at most, however many pieces they come in. */
class Gathering {
  length = 0
  #room = Buffer.allocUnsafe(2048)

  add(bytes: Buffer, start: number, end: number): void {
    const length = this.length + end - start
    if (length > this.#room.length) {
      const room = Buffer.allocUnsafe(Math.max(length, 2 * this.#room.length))
      this.#room.copy(room, 0, 0, this.length)
      this.#room = room
    }
    bytes.copy(this.#room, this.length, start, end)
    this.length = length
  }

  /** Not a copy. */
  get bytes(): Buffer {
    return this.#room.subarray(0, this.length)
  }
}

/** A hello as it comes in. A byte of it is looked at once, whatever pieces and records it is in. */
export class HelloReading {
  readonly #all = new Gathering()
  /** The handshake message, without the heads of records. */
  readonly #message = new Gathering()
  /** How much of it there is in front of the next record's head, and what is still to come of this one. */
  #at = 0
  #left = 0

  /** Everything that has come. */
  get bytes(): Buffer {
    return this.#all.bytes
  }

  /** Reads on in `bytes[start, end)`. Not to be called again once it is decided what it is. */
  read(bytes: Buffer, start: number, end: number): HelloState {
    this.#all.add(bytes, start, end)
    const all = this.#all.bytes
    for (;;) {
      if (this.#left === 0) {
        if (!isRecordHead(all, this.#at)) return UNKNOWN
        if (this.#at + RECORD_HEAD > all.length) break
        this.#left = all.readUInt16BE(this.#at + 3)
        if (this.#left === 0 || this.#left > LONGEST_RECORD) return UNKNOWN
        this.#at += RECORD_HEAD
      }
      const count = Math.min(this.#left, all.length - this.#at)
      if (count === 0) break
      this.#message.add(all, this.#at, this.#at + count)
      this.#at += count
      this.#left -= count
      const state = this.#messageSoFar()
      if (state !== null) return state
    }
    return all.length < LONGEST_HELLO ? null : UNKNOWN
  }

  #messageSoFar(): HelloState {
    const message = this.#message.bytes
    if (message[0] !== CLIENT_HELLO) return UNKNOWN
    if (message.length < MESSAGE_HEAD) return null
    const whole = MESSAGE_HEAD + message.readUIntBE(1, 3)
    if (whole > LONGEST_HELLO) return UNKNOWN
    if (message.length < whole) return null
    return { hello: parseHello(message.subarray(MESSAGE_HEAD, whole)) }
  }
}

/** What there is of a record's head at `at` is right. */
function isRecordHead(bytes: Buffer, at: number): boolean {
  return (at >= bytes.length || bytes[at] === HANDSHAKE) && (at + 1 >= bytes.length || bytes[at + 1] === 3)
}

/** Reads vectors one after the other; past the end, or past a vector's end, everything is null. */
class Reader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get left(): number {
    return this.#bytes.length - this.#at
  }

  number(size: 1 | 2): number | null {
    if (this.left < size) return null
    const value = this.#bytes.readUIntBE(this.#at, size)
    this.#at += size
    return value
  }

  take(length: number): Buffer | null {
    if (this.left < length) return null
    const part = this.#bytes.subarray(this.#at, this.#at + length)
    this.#at += length
    return part
  }

  /** A vector with its length in front. */
  vector(size: 1 | 2): Buffer | null {
    const length = this.number(size)
    return length === null ? null : this.take(length)
  }
}

const SERVER_NAME = 0
const STATUS_REQUEST = 5
const SUPPORTED_GROUPS = 10
const SIGNATURE_ALGORITHMS = 13
const ALPN = 16
const SESSION_TICKET = 35
const PRE_SHARED_KEY = 41
const SUPPORTED_VERSIONS = 43
const HOST_NAME = 0
/** Clients send one or two. */
const MOST_IDENTITIES = 8
const AGE_BYTES = 4

/** `body`: the message without its head. null: it is not sound. */
function parseHello(body: Buffer): ClientHello | null {
  const reader = new Reader(body)
  const legacyVersion = reader.number(2)
  if (legacyVersion === null || reader.take(32) === null) return null
  const sessionId = reader.vector(1)
  const ciphers = reader.vector(2)
  const compressions = reader.vector(1)
  if (sessionId === null || sessionId.length > 32 || compressions === null || compressions.length === 0)
    return null
  const suites = numbers(ciphers)
  if (suites === null || suites.length === 0) return null
  // Before TLS 1.2 there may be none.
  const extensions = reader.left === 0 ? new Map<number, Buffer>() : readExtensions(reader.vector(2))
  if (extensions === null || reader.left > 0) return null
  return interpret(legacyVersion, sessionId, suites, extensions)
}

/** null: they are not sound, or one stands twice, which RFC 8446 section 4.2 forbids. */
function readExtensions(block: Buffer | null): Map<number, Buffer> | null {
  if (block === null) return null
  const found = new Map<number, Buffer>()
  const reader = new Reader(block)
  while (reader.left > 0) {
    const type = reader.number(2)
    const value = reader.vector(2)
    if (type === null || value === null || found.has(type)) return null
    found.set(type, value)
  }
  return found
}

function interpret(
  legacyVersion: number,
  sessionId: Buffer,
  suites: readonly number[],
  extensions: Map<number, Buffer>,
): ClientHello | null {
  const serverName = nameOf(extensions.get(SERVER_NAME))
  const alpn = protocolsOf(extensions.get(ALPN))
  const groups = listOf(extensions.get(SUPPORTED_GROUPS))
  const signatures = listOf(extensions.get(SIGNATURE_ALGORITHMS))
  const version = versionOf(extensions.get(SUPPORTED_VERSIONS), legacyVersion)
  if (serverName === null || alpn === null || version === null) return null
  if (groups === null || signatures === null) return null
  return {
    serverName,
    alpn,
    version,
    sessionId: Buffer.from(sessionId),
    ciphers: suites,
    groups,
    signatures,
    takesTickets: extensions.has(SESSION_TICKET),
    identities: identitiesOf(extensions.get(PRE_SHARED_KEY)),
    asksStatus: extensions.has(STATUS_REQUEST),
  }
}

/** RFC 6066 section 3: one name of type host_name; OpenSSL takes neither an empty one nor one with a NUL in it. */
function nameOf(value: Buffer | undefined): string | null {
  if (value === undefined) return ''
  const outer = new Reader(value)
  const list = outer.vector(2)
  if (list === null || list.length === 0 || outer.left > 0) return null
  const reader = new Reader(list)
  const type = reader.number(1)
  const name = reader.vector(2)
  if (type !== HOST_NAME || name === null || reader.left > 0) return null
  if (name.length === 0 || name.length > 255 || name.includes(0)) return null
  return latin1(name, 0, name.length)
}

function protocolsOf(value: Buffer | undefined): string[] | null {
  if (value === undefined) return []
  const outer = new Reader(value)
  const list = outer.vector(2)
  if (list === null || list.length === 0 || outer.left > 0) return null
  const reader = new Reader(list)
  const names: string[] = []
  while (reader.left > 0) {
    const name = reader.vector(1)
    if (name === null || name.length === 0) return null
    names.push(latin1(name, 0, name.length))
  }
  return names
}

/** Whatever of them can be read: what is wrong with them is for OpenSSL to say. */
function identitiesOf(value: Buffer | undefined): Buffer[] {
  const list = value === undefined ? null : new Reader(value).vector(2)
  const found: Buffer[] = []
  if (list === null) return found
  const reader = new Reader(list)
  while (reader.left > 0 && found.length < MOST_IDENTITIES) {
    const identity = reader.vector(2)
    if (identity === null || reader.take(AGE_BYTES) === null) break
    found.push(Buffer.from(identity))
  }
  return found
}

function listOf(value: Buffer | undefined): number[] | null {
  if (value === undefined) return []
  const reader = new Reader(value)
  const list = reader.vector(2)
  return reader.left > 0 ? null : numbers(list)
}

function versionOf(value: Buffer | undefined, legacyVersion: number): number | null {
  if (value === undefined) return legacyVersion
  const reader = new Reader(value)
  const versions = numbers(reader.vector(1))?.filter(isReal)
  return versions === undefined || versions.length === 0 || reader.left > 0 ? null : Math.max(...versions)
}

/** The two-byte numbers in `list`; null where it does not hold whole ones. */
function numbers(list: Buffer | null): number[] | null {
  if (list === null || list.length % 2 !== 0) return null
  return Array.from({ length: list.length / 2 }, (_, index) => list.readUInt16BE(2 * index))
}

/** Not one of the values clients put in to keep servers tolerant (GREASE, RFC 8701). */
function isReal(value: number): boolean {
  return (value & 0x0f0f) !== 0x0a0a || value >> 8 !== (value & 0xff)
}
