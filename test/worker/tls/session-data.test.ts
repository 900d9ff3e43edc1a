import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { connect, createSecureContext, TLSSocket } from 'node:tls'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readSession } from '../../../src/worker/tls/session-data.ts'
import { Authority } from '../../support/certificates.ts'

let authority: Authority
const data: Record<string, Buffer> = {}

beforeAll(async () => {
  authority = await Authority.create('Data')
  const { cert, key } = await authority.issue('localhost', { key: 'rsa' })
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) data[version] = await sessionOf(cert, key, version)
})
afterAll(() => authority.remove())

/** What the server's side of a connection has for its session. */
async function sessionOf(cert: string, key: string, version: 'TLSv1.2' | 'TLSv1.3'): Promise<Buffer> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const client = connect({
    port,
    host: '127.0.0.1',
    rejectUnauthorized: false,
    maxVersion: version,
    ecdhCurve: 'P-384',
  })
  const [plain] = await once(server, 'connection')
  const secureContext = createSecureContext({ cert, key, ca: [] })
  const socket = new TLSSocket(plain, {
    isServer: true,
    secureContext,
    requestCert: true,
    rejectUnauthorized: false,
  })
  await once(socket, 'secure')
  const session = socket.getSession()!
  client.destroy()
  socket.destroy()
  server.close()
  return session
}

describe('the data of a session', () => {
  it.each([
    ['TLSv1.2', 0x0303],
    ['TLSv1.3', 0x0304],
  ])('of %s tell its version and its group', (version, number) => {
    expect(readSession(data[version])).toMatchObject({ version: number, group: 24, verifyResult: 0 })
  })

  it('that are not there tell nothing', () => {
    const nothing = { version: 0, id: Buffer.alloc(0), verifyResult: 1, group: 0 }
    expect(readSession(undefined)).toEqual(nothing)
    expect(readSession(null)).toEqual(nothing)
    expect(readSession(Buffer.from('no DER'))).toEqual(nothing)
  })

  it('that are damaged never throw', () => {
    const whole = data['TLSv1.2']!
    fc.assert(
      fc.property(
        fc.nat(whole.length - 1),
        fc.integer({ min: 0, max: 255 }),
        fc.nat(whole.length),
        (at, value, end) => {
          const damaged = Buffer.from(whole)
          damaged[at] = value
          const { version, id, verifyResult, group } = readSession(damaged.subarray(0, end))
          for (const number of [version, verifyResult, group]) expect(Number.isSafeInteger(number)).toBe(true)
          expect(id.length).toBeLessThanOrEqual(whole.length)
        },
      ),
    )
  })
})
