// All transports, over TCP and unix sockets, plain and in TLS: what is sent arrives whole, in order and unharmed, however slowly it is
// read; ends and errors are told once.

import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { connect as connectSecurely, createSecureContext, type SecureContext, TLSSocket } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { stealHandle } from '../../../src/worker/transport/handle-transport.ts'
import { openTransport } from '../../../src/worker/transport/open.ts'
import { keepSteady } from '../../../src/worker/transport/read-buffer.ts'
import { SocketTransport } from '../../../src/worker/transport/socket-transport.ts'
import { openTlsTransport } from '../../../src/worker/transport/tls-transport.ts'
import { plainAddress, type Transport, type TransportOwner } from '../../../src/worker/transport/transport.ts'
import { Authority } from '../../support/certificates.ts'
import { Peer } from '../../support/peer.ts'
import { removeFolder, temporaryFolder } from '../../support/temporary.ts'
import { eventually } from '../../support/wait.ts'

class Owner implements TransportOwner {
  received = ''
  ends = 0
  drains = 0
  closes: (NodeJS.ErrnoException | null)[] = []
  data: ((bytes: Buffer, start: number, end: number) => void) | null = null
  drained: (() => void) | null = null

  onData(bytes: Buffer, start: number, end: number): void {
    if (this.data === null) this.received += bytes.toString('latin1', start, end)
    else this.data(bytes, start, end)
  }
  onEnd(): void {
    this.ends++
  }
  onDrain(): void {
    this.drains++
    this.drained?.()
  }
  onClose(error: NodeJS.ErrnoException | null): void {
    this.closes.push(error)
  }
}

interface Pair {
  owner: Owner
  transport: Transport
  peer: Peer
}

const open = {
  handle: (socket: Socket, owner: TransportOwner) => stealHandle(socket, owner)!,
  socket: (socket: Socket, owner: TransportOwner) => new SocketTransport(socket, owner),
}

const openSecure = {
  'TLS handle': openTlsTransport,
  'TLS socket': (socket: TLSSocket, beneath: Socket, owner: TransportOwner) =>
    new SocketTransport(socket, owner, beneath),
}

/** A peer that can still reset the connection that its TLS is on. */
class SecurePeer extends Peer {
  readonly #beneath: Socket

  constructor(socket: TLSSocket, beneath: Socket, keep: boolean) {
    super(socket, keep)
    this.#beneath = beneath
  }

  override destroy(reset = false): void {
    if (reset) this.#beneath.resetAndDestroy()
    else this.socket.destroy()
  }
}

describe.each(['handle', 'socket', 'TLS handle', 'TLS socket'] as const)('%s transport', (kind) => {
  const onSocket = kind === 'socket' || kind === 'TLS socket'
  let context: SecureContext
  let server: Server
  let unixServer: Server
  let folder: string
  let pairs: Pair[] = []

  beforeAll(async () => {
    folder = await temporaryFolder()
    const authority = await Authority.create('localhost')
    context = createSecureContext({ cert: authority.cert, key: authority.key, ca: [] })
    await authority.remove()
    const options = { pauseOnConnect: true, allowHalfOpen: true, noDelay: true }
    server = createServer(options).listen(0, '127.0.0.1')
    unixServer = createServer(options).listen(join(folder, 'a.sock'))
    await Promise.all([once(server, 'listening'), once(unixServer, 'listening')])
  })
  afterEach(async () => {
    for (const { transport, peer } of pairs) {
      transport.destroy()
      peer.destroy()
    }
    await eventually('close of all transports', () => pairs.every(({ owner }) => owner.closes.length > 0))
    expect(pairs.every(({ owner }) => owner.closes.length === 1)).toBe(true)
    pairs = []
  })
  afterAll(async () => {
    server.close()
    unixServer.close()
    await removeFolder(folder)
  })

  /** An accepted transport and its peer, who keeps what it reads unless `keep` is false. */
  async function pair(options: { keep?: boolean; paused?: boolean; unix?: boolean } = {}): Promise<Pair> {
    const from = options.unix ? unixServer : server
    const accepted = once(from, 'connection') as Promise<[Socket]>
    const address = from.address()
    const socket =
      typeof address === 'string'
        ? connect({ path: address, allowHalfOpen: true })
        : connect({ port: address!.port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    const owner = new Owner()
    const { keep = true, paused = false } = options
    const made =
      kind === 'handle' || kind === 'socket'
        ? await plainPair(open[kind], accepted, socket, owner, keep, paused)
        : await securePair(openSecure[kind], accepted, socket, owner, keep, paused)
    pairs.push(made)
    return made
  }

  async function plainPair(
    take: (socket: Socket, owner: TransportOwner) => Transport,
    accepted: Promise<[Socket]>,
    socket: Socket,
    owner: Owner,
    keep: boolean,
    paused: boolean,
  ): Promise<Pair> {
    const peer = new Peer(socket, keep)
    if (paused) socket.pause()
    const [[accepting]] = await Promise.all([accepted, once(socket, 'connect')])
    return { owner, transport: take(accepting, owner), peer }
  }

  async function securePair(
    take: (socket: TLSSocket, beneath: Socket, owner: TransportOwner) => Transport,
    accepted: Promise<[Socket]>,
    socket: Socket,
    owner: Owner,
    keep: boolean,
    paused: boolean,
  ): Promise<Pair> {
    const client = connectSecurely({ socket, rejectUnauthorized: false })
    client.allowHalfOpen = true
    const peer = new SecurePeer(client, socket, keep)
    if (paused) client.pause()
    const [beneath] = await accepted
    const own = new TLSSocket(beneath, { isServer: true, secureContext: context })
    const [transport] = await Promise.all([
      new Promise<Transport>((done) => own.once('secure', () => done(take(own, beneath, owner)))),
      once(client, 'secureConnect'),
    ])
    return { owner, transport, peer }
  }

  const text = (transport: Transport, value: string) => transport.send(value, null, 0, 0, '')

  it('knows both addresses', async () => {
    const { transport, peer } = await pair()
    expect(transport.remoteAddress).toBe('127.0.0.1')
    expect(transport.remotePort).toBe(peer.socket.localPort)
    expect(transport.localAddress).toBe('127.0.0.1')
    expect(transport.localPort).toBe(peer.socket.remotePort)
  })

  it('over a unix socket works without addresses', async () => {
    const { owner, transport, peer } = await pair({ unix: true })
    expect([transport.remoteAddress, transport.remotePort]).toEqual(['', 0])
    expect([transport.localAddress, transport.localPort]).toEqual(['', 0])
    transport.resume()
    await peer.send('ping')
    await eventually('ping', () => owner.received === 'ping')
    text(transport, 'pong')
    await peer.take('pong')
  })

  it('reads nothing until resumed, then what came before', async () => {
    const { owner, transport, peer } = await pair()
    await peer.send('early')
    expect(owner.received).toBe('')
    transport.resume()
    await eventually('early bytes', () => owner.received === 'early')
  })

  it('paused in a read gives no more until resumed', async () => {
    const { owner, transport, peer } = await pair()
    let reads = 0
    owner.data = (bytes, start, end) => {
      owner.received += bytes.toString('latin1', start, end)
      reads++
      transport.pause()
    }
    transport.resume()
    await peer.send('one')
    await eventually('first read', () => reads === 1)
    await peer.send('two')
    expect(owner.received).toBe('one')
    transport.resume()
    await eventually('second read', () => owner.received === 'onetwo')
  })

  it.each([0, 1, 5, 12_287, 12_288, 12_289, 70_000, 300_000])(
    'sends prefix, %i bytes and suffix in order',
    async (size) => {
      const { transport, peer } = await pair()
      const bytes = Buffer.alloc(size + 20, 'x')
      bytes.write('<', 10)
      bytes.write('>', 10 + size - 1)
      const body = bytes.toString('latin1', 10, 10 + size)
      transport.send('prefix\xe9', bytes, 10, 10 + size, 'suffix')
      // The caller may use its buffer again at once.
      bytes.fill('!')
      expect(await peer.take('suffix')).toBe(`prefix\xe9${body}suffix`)
    },
  )

  it.each([
    ['<', '>'],
    ['<', ''],
    ['', '>'],
    ['', ''],
  ])('sends bytes that never change from where they are, between "%s" and "%s"', async (prefix, suffix) => {
    const { transport, peer, owner } = await pair({ paused: true, keep: false })
    const hash = createHash('md5')
    peer.socket.on('data', (chunk) => hash.update(chunk))
    const bytes = Buffer.alloc(100_000, 'x')
    bytes.write('begin', 10)
    bytes.write('finish', 90_000)
    keepSteady(bytes)
    const part = prefix + bytes.toString('latin1', 10, 90_006) + suffix
    let expected = 0
    const all = createHash('md5')
    while (owner.drains === 0 && !transport.backlogged) {
      transport.send(prefix, bytes, 10, 90_006, suffix)
      all.update(part)
      expected += part.length
    }
    peer.socket.resume()
    await eventually('drain', () => owner.drains === 1)
    await peer.when('all bytes', () => peer.count === expected)
    expect(hash.digest('hex')).toBe(all.digest('hex'))
  })

  it('sends a prefix longer than what fits before the bytes', async () => {
    const { transport, peer } = await pair()
    const prefix = 'p'.repeat(10_000)
    transport.send(prefix, Buffer.alloc(20_000, 'b'), 0, 20_000, '.')
    expect(await peer.take('.')).toBe(`${prefix}${'b'.repeat(20_000)}.`)
  })

  it('tells a sender to wait when the peer does not read, and once when it may go on', async () => {
    const { owner, transport, peer } = await pair({ paused: true, keep: false })
    const bytes = Buffer.alloc(262_144)
    let total = 0
    let more = true
    while (more) {
      more = transport.send('', bytes, 0, bytes.length, '')
      total += bytes.length
      expect(total).toBeLessThan(1024 * 1024 * 1024)
    }
    expect(transport.backlogged).toBe(true)
    expect(owner.drains).toBe(0)
    peer.socket.resume()
    await eventually('drain', () => owner.drains === 1)
    expect(transport.backlogged).toBe(false)
    // A TLS socket says of each write on a later turn only that it is done.
    expect(transport.send('', bytes, 0, 10, '')).toBe(kind !== 'TLS socket')
    await peer.when('all bytes', () => peer.count === total + 10)
    if (kind !== 'TLS socket') expect(owner.drains).toBe(1)
  })

  // net.Socket knows of whole writes only.
  it.skipIf(onSocket)('shows that the peer has taken some of a long send', async () => {
    const { transport, peer, owner } = await pair({ paused: true, keep: false })
    const bytes = Buffer.alloc(64 * 1024)
    for (let part = 0; part < 1000; part++) transport.send('', bytes, 0, bytes.length, '')
    const { queued } = transport
    peer.socket.on('data', () => peer.count > 32 * 1024 * 1024 && peer.socket.pause())
    peer.socket.resume()
    await eventually('progress', () => transport.queued < queued)
    expect(transport.queued).toBeGreaterThan(0)
    expect(owner.drains).toBe(0)
  })

  it('takes TCP_NODELAY off and on', async () => {
    const { transport, peer } = await pair()
    transport.setNoDelay(false)
    transport.setNoDelay(true)
    transport.send('sent', null, 0, 0, '')
    expect(await peer.take('sent')).toContain('sent')
    transport.destroy()
    expect(() => transport.setNoDelay(true)).not.toThrow()
  })

  it('tells about room after a small send that had to wait, too', async () => {
    const { owner, transport, peer } = await pair({ paused: true, keep: false })
    const bytes = Buffer.alloc(1000)
    while (!transport.backlogged) transport.send('', bytes, 0, bytes.length, '')
    peer.socket.resume()
    await eventually('drain', () => owner.drains === 1)
  })

  it('closes only when everything is sent', async () => {
    const { owner, transport, peer } = await pair({ paused: true, keep: false })
    const bytes = Buffer.alloc(65_536)
    let total = 0
    while (!transport.backlogged) {
      transport.send('', bytes, 0, bytes.length, '')
      total += bytes.length
    }
    transport.close()
    expect(owner.closes).toEqual([])
    text(transport, 'after the close')
    peer.socket.resume()
    await peer.when('end', () => peer.ended)
    expect(peer.count).toBe(total)
    await eventually('close', () => owner.closes.length === 1)
    expect(owner.closes).toEqual([null])
  })

  it('closed with nothing to send is gone, but never within the call', async () => {
    const { owner, transport, peer } = await pair()
    text(transport, 'bye')
    transport.close()
    expect(owner.closes).toEqual([])
    expect(await peer.untilEnd()).toBe('bye')
    await eventually('close', () => owner.closes.length === 1)
    expect(owner.closes).toEqual([null])
  })

  it('ended still reads, and the peer sees the end after what was sent', async () => {
    const { owner, transport, peer } = await pair()
    transport.resume()
    text(transport, 'last words')
    transport.end()
    expect(await peer.untilEnd()).toBe('last words')
    await peer.send('answer')
    await eventually('answer', () => owner.received === 'answer')
    peer.end()
    await eventually('end', () => owner.ends === 1)
  })

  it('tells about the end of the peer once, after its bytes, and can still send', async () => {
    const { owner, transport, peer } = await pair()
    await peer.send('bytes')
    peer.end()
    transport.resume()
    await eventually('end', () => owner.ends === 1)
    expect(owner.received).toBe('bytes')
    text(transport, 'still here')
    await peer.take('still here')
    expect(owner.closes).toEqual([])
    expect(owner.ends).toBe(1)
  })

  it('reset by the peer is closed with the error', async () => {
    const { owner, transport, peer } = await pair()
    transport.resume()
    // So that nothing of a handshake is under way.
    await peer.send('ping')
    await eventually('ping', () => owner.received === 'ping')
    text(transport, 'pong')
    await peer.take('pong')
    peer.destroy(true)
    await eventually('close', () => owner.closes.length === 1)
    expect(owner.closes[0]).toMatchObject({ code: 'ECONNRESET', errno: -104 })
  })

  // net.Socket knows of whole writes only.
  it.skipIf(onSocket)('reset by the peer still knows what it could not pass on', async () => {
    const { owner, transport, peer } = await pair({ paused: true, keep: false })
    const bytes = Buffer.alloc(65_536)
    while (!transport.backlogged) transport.send('', bytes, 0, bytes.length, '')
    transport.send('', bytes, 0, bytes.length, '')
    transport.resume()
    peer.destroy(true)
    await eventually('close', () => owner.closes.length === 1)
    expect(transport.queued).toBeGreaterThan(65_536)
  })

  it('destroyed with reset resets', async () => {
    const { owner, transport, peer } = await pair()
    transport.resume()
    transport.destroy(true)
    await peer.untilClosed()
    expect(peer.reset).toBe(true)
    await eventually('close', () => owner.closes.length === 1)
    expect(owner.closes).toEqual([null])
  })

  it('destroyed while a reset is impossible closes all the same', async () => {
    const { owner, transport } = await pair({ paused: true, keep: false })
    const bytes = Buffer.alloc(65_536)
    while (!transport.backlogged) transport.send('', bytes, 0, bytes.length, '')
    // The shutdown waits for the backlog.
    transport.end()
    transport.destroy(true)
    await eventually('close', () => owner.closes.length === 1)
  })

  it('destroyed in the middle of a read says nothing more of it', async () => {
    const { owner, transport, peer } = await pair()
    let reads = 0
    owner.data = () => {
      reads++
      transport.destroy()
    }
    transport.resume()
    await peer.send(Buffer.alloc(1_000_000)).catch(() => {})
    await eventually('close', () => owner.closes.length === 1)
    expect(reads).toBe(1)
    expect(owner.ends).toBe(0)
  })

  it('destroyed with a backlog lets go of it', async () => {
    const { owner, transport } = await pair({ paused: true, keep: false })
    const bytes = Buffer.alloc(262_144)
    while (transport.send('', bytes, 0, bytes.length, ''));
    transport.destroy()
    await eventually('close', () => owner.closes.length === 1)
    expect(owner.drains).toBe(0)
  })

  it('may change its owner between calls', async () => {
    const { owner, transport, peer } = await pair()
    const second = new Owner()
    transport.resume()
    await peer.send('first')
    await eventually('first', () => owner.received === 'first')
    transport.owner = second
    await peer.send('second')
    await eventually('second', () => second.received === 'second')
    transport.owner = owner
  })

  it('relays 20 MiB each way through slow readers unharmed, with several sharing the read buffer', async () => {
    const SIZE = 20 * 1024 * 1024
    const ends: [Pair, Pair][] = []
    for (let count = 0; count < 3; count++)
      ends.push([await pair({ keep: false }), await pair({ keep: false })])
    const relays = await Promise.all(ends.map(([from, to], index) => relay(from, to, SIZE, index + 1)))
    for (const { sent, received } of relays) expect(received).toBe(sent)
  }, 30_000)
})

/** Random bytes through two transports with chunk framing added on the way; digests of both ends. */
async function relay(
  from: Pair,
  to: Pair,
  size: number,
  seed: number,
): Promise<{ sent: string; received: string }> {
  from.owner.data = (bytes, start, end) => {
    const prefix = `${(end - start).toString(16).padStart(6, '0')}\n`
    if (!to.transport.send(prefix, bytes, start, end, '\n')) from.transport.pause()
  }
  to.owner.drained = () => from.transport.resume()
  from.transport.resume()

  const sent = createHash('sha1')
  const received = createHash('sha1')
  const frames = new Frames((bytes) => received.update(bytes))
  let random = seed * 7919
  to.peer.socket.removeAllListeners('data')
  to.peer.socket.on('data', (bytes: Buffer) => {
    frames.add(bytes)
    random = (random * 48271) % 2147483647
    // A reader that stops now and then.
    if (random % 3 === 0) {
      to.peer.socket.pause()
      setTimeout(() => to.peer.socket.resume(), random % 4)
    }
  })

  let left = size
  const block = Buffer.alloc(1 << 20)
  while (left > 0) {
    for (let index = 0; index < block.length; index += 4) {
      random = (random * 48271) % 2147483647
      block.writeUInt32LE(random, index)
    }
    const bytes = Buffer.from(block.subarray(0, Math.min(left, 1 + (random % block.length))))
    sent.update(bytes)
    left -= bytes.length
    await from.peer.send(bytes)
  }
  await eventually('whole body', () => frames.total === size, 25_000)
  return { sent: sent.digest('hex'), received: received.digest('hex') }
}

/** Takes the framing of `relay` off again. */
class Frames {
  total = 0
  #rest: Buffer = Buffer.alloc(0)
  readonly #content: (bytes: Buffer) => void

  constructor(content: (bytes: Buffer) => void) {
    this.#content = content
  }

  add(bytes: Buffer): void {
    let rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    while (rest.length >= 7) {
      const size = Number.parseInt(rest.toString('latin1', 0, 6), 16)
      if (Number.isNaN(size) || rest[6] !== 10) throw new Error('framing lost')
      if (rest.length < size + 8) break
      if (rest[size + 7] !== 10) throw new Error('framing lost')
      this.#content(rest.subarray(7, 7 + size))
      this.total += size
      rest = rest.subarray(size + 8)
    }
    this.#rest = Buffer.from(rest)
  }
}

describe('openTransport', () => {
  it('takes the handle where this Node allows it', async () => {
    const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const accepted = once(server, 'connection') as Promise<[Socket]>
    const client = connect((server.address() as { port: number }).port, '127.0.0.1')
    const owner = new Owner()
    const transport = openTransport((await accepted)[0], owner)
    expect(transport.constructor.name).toBe('HandleTransport')
    transport.destroy()
    client.destroy()
    await eventually('close', () => owner.closes.length === 1)
    server.close()
  })

  it('has nothing to take from a socket that is closed: the socket itself then', async () => {
    const { Socket } = await import('node:net')
    const socket = new Socket()
    const owner = new Owner()
    const transport = openTransport(socket, owner)
    expect(transport.constructor.name).toBe('SocketTransport')
    transport.destroy()
    await eventually('close', () => owner.closes.length === 1)
  })
})

describe('plainAddress', () => {
  it.each([
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['192.0.2.1', '192.0.2.1'],
    ['::1', '::1'],
    ['::ffff:0:1', '::ffff:0:1'],
    ['', ''],
  ])('%j is %j', (address, expected) => {
    expect(plainAddress(address)).toBe(expected)
  })
})
