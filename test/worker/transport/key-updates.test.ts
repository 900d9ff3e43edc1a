// A peer that asks for new keys again and again and reads none of the answers (RFC 8446 section 4.6.3): OpenSSL makes the
// answers by itself, and they may not pile up without end. Node has no call for such requests, so the records are made
// here, from the secret that it tells for key logs.

import { createCipheriv, createHmac } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { connect as connectSecurely, createSecureContext, TLSSocket } from 'node:tls'
import { expect, it } from 'vitest'
import { openTlsTransport } from '../../../src/worker/transport/tls-transport.ts'
import type { Transport, TransportOwner } from '../../../src/worker/transport/transport.ts'
import { Authority } from '../../support/certificates.ts'
import { eventually } from '../../support/wait.ts'

const SUITE = 'TLS_AES_128_GCM_SHA256'
const HANDSHAKE = 22
const APPLICATION_DATA = 23
/** A message of one byte: update_requested. */
const KEY_UPDATE = Buffer.from('1800000101', 'hex')

/** HKDF-Expand-Label of RFC 8446 section 7.1, without a context; at most one hash long. */
function expand(secret: Buffer, label: string, length: number): Buffer {
  const name = `tls13 ${label}`
  const info = Buffer.from(`\0${String.fromCharCode(length, name.length)}${name}\0\x01`, 'latin1')
  return createHmac('sha256', secret).update(info).digest().subarray(0, length)
}

/** Makes the records that a client sends after its handshake. */
class Forger {
  #secret: Buffer
  #key!: Buffer
  #iv!: Buffer
  #sequence = 0

  constructor(secret: Buffer) {
    this.#secret = secret
    this.#derive()
  }

  keyUpdate(): Buffer {
    const record = this.record(HANDSHAKE, KEY_UPDATE)
    this.#secret = expand(this.#secret, 'traffic upd', 32)
    this.#derive()
    return record
  }

  record(type: number, content: Buffer): Buffer {
    const nonce = Buffer.from(this.#iv)
    nonce[11]! ^= this.#sequence++
    const head = Buffer.from([23, 3, 3, 0, content.length + 17])
    const cipher = createCipheriv('aes-128-gcm', this.#key, nonce).setAAD(head)
    const sealed = cipher.update(Buffer.concat([content, Buffer.of(type)]))
    cipher.final()
    return Buffer.concat([head, sealed, cipher.getAuthTag()])
  }

  #derive(): void {
    this.#key = expand(this.#secret, 'key', 16)
    this.#iv = expand(this.#secret, 'iv', 12)
    this.#sequence = 0
  }
}

it('key updates whose answers nobody reads: the connection is closed', async () => {
  const authority = await Authority.create()
  const { cert, key } = await authority.issue('localhost')
  const context = createSecureContext({ cert, key })
  let transport: Transport | null = null
  let received = 0
  const closes: (NodeJS.ErrnoException | null)[] = []
  const owner: TransportOwner = {
    onData: (_bytes, start, end) => {
      received += end - start
    },
    onEnd() {},
    onDrain() {},
    onClose: (error) => closes.push(error),
  }
  const server = createServer({ pauseOnConnect: true }, (beneath) => {
    const socket = new TLSSocket(beneath, { isServer: true, secureContext: context })
    socket.once('secure', () => {
      transport = openTlsTransport(socket, beneath, owner)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const beneath: Socket = connect(address.port, '127.0.0.1')
  beneath.on('error', () => {})
  const client = connectSecurely({ socket: beneath, ca: authority.cert, host: 'localhost', ciphers: SUITE })
  client.on('error', () => {})
  let secret = ''
  client.on('keylog', (line) => {
    secret ||= /^CLIENT_TRAFFIC_SECRET_0 \S+ (\S+)/.exec(line.toString())?.[1] ?? ''
  })
  await once(client, 'secureConnect')
  client.pause()
  beneath.pause()
  await eventually('the transport', () => transport !== null)
  // What the kernel takes is full before the first answer.
  transport!.send('', Buffer.alloc(16 << 20), 0, 16 << 20, '')
  transport!.resume()

  const forger = new Forger(Buffer.from(secret, 'hex'))
  let sent = 0
  const data = Buffer.from('x')
  for (let turn = 0; turn < 100 && closes.length === 0; turn++) {
    const records: Buffer[] = []
    for (let count = 0; count < 500; count++) records.push(forger.keyUpdate())
    beneath.write(Buffer.concat([...records, forger.record(APPLICATION_DATA, data)]))
    sent++
    await eventually('the byte behind them', () => received === sent || closes.length > 0)
  }
  beneath.destroy()
  server.close()
  await authority.remove()
  expect(closes.map((error) => error?.code)).toEqual(['ENOBUFS'])
  // Not at the first of them.
  expect(received).toBeGreaterThan(2)
})
