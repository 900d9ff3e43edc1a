// ClientHellos as real clients send them and as nobody should: cut at every byte, spread over records, with what is
// broken left to OpenSSL, and whatever else bytes may be.

import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { type ConnectionOptions, connect } from 'node:tls'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  beginsTls,
  type ClientHello,
  HelloReading,
  type HelloState,
  LONGEST_HELLO,
} from '../../../src/worker/tls/client-hello.ts'

/** The first bytes that Node's client sends. */
async function helloOf(options: ConnectionOptions): Promise<Buffer> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const accepted = once(server, 'connection') as Promise<[Socket]>
  const { port } = server.address() as AddressInfo
  const client = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options })
  client.on('error', () => {})
  const [socket] = await accepted
  const [bytes] = (await once(socket, 'data')) as [Buffer]
  client.destroy()
  socket.destroy()
  server.close()
  return bytes
}

function readHello(bytes: Buffer): HelloState {
  return new HelloReading().read(bytes, 0, bytes.length)
}

/** The same, of bytes that come one by one. */
function readSlowly(bytes: Buffer): HelloState {
  const reading = new HelloReading()
  for (let at = 0; at < bytes.length; at++) {
    const state = reading.read(bytes, at, at + 1)
    if (state !== null) return state
  }
  return null
}

/** The hello in `bytes`, which are the whole of one. */
function read(bytes: Buffer): ClientHello | null {
  const state = readHello(bytes)
  if (state === null) throw new Error('the hello is not whole')
  return state.hello
}

const word = (value: number): number[] => [value >> 8, value & 255]
const vector8 = (bytes: readonly number[]): number[] => [bytes.length, ...bytes]
const vector16 = (bytes: readonly number[]): number[] => [...word(bytes.length), ...bytes]
const text = (value: string): number[] => [...Buffer.from(value, 'latin1')]
const extension = (type: number, value: readonly number[]): number[] => [...word(type), ...vector16(value)]
const sni = (name: string): number[] => extension(0, vector16([0, ...vector16(text(name))]))
const RANDOM = Array.from({ length: 32 }, (_, index) => index)

interface Parts {
  version?: number[]
  sessionId?: number[]
  ciphers?: number[]
  compressions?: number[]
  extensions?: number[] | null
  tail?: number[]
}

/** The message without its head. */
function body(parts: Parts = {}): number[] {
  const { extensions = [] } = parts
  return [
    ...(parts.version ?? [3, 3]),
    ...RANDOM,
    ...vector8(parts.sessionId ?? []),
    ...vector16(parts.ciphers ?? [0x13, 0x01]),
    ...vector8(parts.compressions ?? [0]),
    ...(extensions === null ? [] : vector16(extensions)),
    ...(parts.tail ?? []),
  ]
}

function records(message: readonly number[], size = 16384, type = 22): Buffer {
  const whole = [1, message.length >> 16, ...word(message.length & 0xffff), ...message]
  const all: number[] = []
  for (let at = 0; at < whole.length; at += size)
    all.push(type, 3, 1, ...vector16(whole.slice(at, at + size)))
  return Buffer.from(all)
}

const hello = (parts: Parts): ClientHello | null => read(records(body(parts)))

let modern: Buffer
let old: Buffer
beforeAll(async () => {
  modern = await helloOf({ servername: 'www.example.com', ALPNProtocols: ['h2', 'http/1.1'] })
  old = await helloOf({ maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' })
})

describe('a hello of a real client', () => {
  it('tells what it asks for', () => {
    expect(read(modern)).toMatchObject({
      serverName: 'www.example.com',
      alpn: ['h2', 'http/1.1'],
      version: 0x0304,
    })
    expect(read(modern)!.ciphers).toContain(0x1301)
    expect(read(modern)!.groups).toContain(29)
  })

  it('without SNI and ALPN, for TLS 1.2, has none', () => {
    expect(read(old)).toMatchObject({ serverName: '', alpn: [], version: 0x0303 })
    expect(read(old)!.ciphers).toContain(0xc02f)
  })

  it('is the same cut at every byte', () => {
    for (let end = 0; end < modern.length; end++) expect(readHello(modern.subarray(0, end))).toBeNull()
    expect(read(Buffer.concat([modern, Buffer.from('more')]))).toEqual(read(modern))
    expect(readSlowly(modern)).toEqual(readHello(modern))
  })

  it('begins TLS', () => {
    expect(beginsTls(modern[0]!)).toBe(true)
  })
})

describe('a hello made by hand', () => {
  it('is read from records of one byte each', () => {
    const message = body({ extensions: sni('a.test') })
    const bytes = records(message, 1)
    expect(read(bytes)?.serverName).toBe('a.test')
    for (let end = 0; end < bytes.length; end++) expect(readHello(bytes.subarray(0, end))).toBeNull()
    expect(readSlowly(bytes)).toEqual(readHello(bytes))
  })

  it('may have no extensions', () => {
    expect(hello({ extensions: null })).toMatchObject({ serverName: '', version: 0x0303 })
  })

  it('takes the newest version there is, greased or not', () => {
    const versions = (list: number[]) => hello({ extensions: extension(43, vector8(list)) })?.version
    expect(versions([0x7a, 0x7a, 3, 4, 3, 3])).toBe(0x0304)
    expect(versions([3, 3, 3, 2])).toBe(0x0303)
  })

  it.each<[string, Parts]>([
    ['an extension that stands twice', { extensions: [...sni('a'), ...sni('b')] }],
    ['an empty name', { extensions: sni('') }],
    ['a name with NUL', { extensions: sni('a\0b') }],
    ['a name of 256 bytes', { extensions: sni('a'.repeat(256)) }],
    ['a name of another type', { extensions: extension(0, vector16([1, ...vector16(text('a'))])) }],
    ['two names', { extensions: extension(0, vector16([0, 0, 1, 97, 0, 0, 1, 98])) }],
    ['no name in the list', { extensions: extension(0, vector16([])) }],
    ['bytes behind the list of names', { extensions: extension(0, [...vector16([0, 0, 1, 97]), 0]) }],
    ['an empty protocol', { extensions: extension(16, vector16([0])) }],
    ['a protocol longer than its list', { extensions: extension(16, vector16([9, 104])) }],
    ['no protocols in the list', { extensions: extension(16, vector16([])) }],
    ['half a group', { extensions: extension(10, vector16([0])) }],
    ['half a version', { extensions: extension(43, vector8([3])) }],
    ['no version', { extensions: extension(43, vector8([])) }],
    ['half a cipher', { ciphers: [0x13, 0x01, 0x13] }],
    ['no ciphers', { ciphers: [] }],
    ['no compression', { compressions: [] }],
    ['a long session id', { sessionId: Array(33).fill(1) }],
    ['an extension cut short', { extensions: [0, 0, 0, 9, 1] }],
    ['bytes behind the extensions', { tail: [0] }],
  ])('with %s is none', (_name, parts) => {
    expect(hello(parts)).toBeNull()
  })

  it.each<[string, Buffer]>([
    ['another type of record', records(body(), 16384, 23)],
    ['another message', Buffer.from([22, 3, 1, 0, 4, 2, 0, 0, 0])],
    ['another protocol', Buffer.from([22, 9, 1, 0, 4, 1, 0, 0, 0])],
    ['an empty record', Buffer.from([22, 3, 1, 0, 0])],
    ['a record that is too long', Buffer.from([22, 3, 1, 0x40, 1, 1])],
    ['a message that is too long', Buffer.from([22, 3, 1, 0, 4, 1, 1, 0, 0])],
    ['another type of record in the middle', Buffer.from([22, 3, 1, 0, 4, 1, 0, 1, 0, 23])],
    ['an SSLv2 hello', Buffer.from([0x80, 0x2e, 1, 0, 2])],
  ])('in %s is none', (_name, bytes) => {
    expect(readHello(bytes)).toEqual({ hello: null })
  })

  it('is waited for no longer than it may be long', () => {
    const bytes = records(Array(LONGEST_HELLO - 4).fill(0), 1000)
    expect(readHello(bytes.subarray(0, LONGEST_HELLO - 1))).toBeNull()
    expect(readHello(bytes.subarray(0, LONGEST_HELLO))).toEqual({ hello: null })
  })
})

describe('whatever bytes', () => {
  it('are the same at once and byte by byte', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const start = Buffer.concat([Buffer.from([22, 3, 1, 0]), bytes])
        expect(readSlowly(start)).toEqual(readHello(start))
      }),
    )
  })

  it('in a real hello change nothing but what it says', () => {
    fc.assert(
      fc.property(
        fc.nat(modern.length - 1),
        fc.uint8Array({ minLength: 1, maxLength: 4 }),
        fc.nat(modern.length),
        (at, bytes, end) => {
          const broken = Buffer.from(modern)
          broken.set(bytes.subarray(0, broken.length - at), at)
          const state = readHello(broken.subarray(0, end))
          if (state?.hello) expect(state.hello.serverName.length).toBeLessThan(256)
        },
      ),
      { numRuns: 2000 },
    )
  })

  it('after a decision do not change it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.uint8Array({ maxLength: 100 }), (bytes, more) => {
        const start = Buffer.concat([Buffer.from([22, 3, 1]), bytes])
        const state = readHello(start)
        if (state !== null) expect(readHello(Buffer.concat([start, more]))).toEqual(state)
      }),
    )
  })
})
