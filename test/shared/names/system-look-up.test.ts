// Look-ups by a system that finds what the test says, beside name servers that say how long it holds.

import type { LookupAddress } from 'node:dns'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { DEFAULT_RESOLVER, type Found } from '../../../src/shared/names/found.ts'
import { lookUpBy } from '../../../src/shared/names/look-up.ts'
import { DnsServer } from '../../support/dns-server.ts'

const system = vi.hoisted(() => ({
  addresses: [] as string[],
  error: '',
  servers: [] as string[],
  silent: false,
}))

vi.mock('node:dns', async (original) => {
  type Done = (error: Error | null, found: LookupAddress[]) => void
  const lookup = (_name: string, _options: object, done: Done) => {
    if (system.silent) return
    const error = system.error === '' ? null : Object.assign(new Error(), { code: system.error })
    const found = system.addresses.map((address) => ({ address, family: 4 }))
    setImmediate(() => done(error, found))
  }
  return { ...(await original<typeof import('node:dns')>()), lookup, getServers: () => system.servers }
})

let dns: DnsServer

beforeEach(async () => {
  dns = await DnsServer.start()
  Object.assign(system, { addresses: ['127.0.0.2'], error: '', servers: [dns.address], silent: false })
})
afterEach(() => dns.stop())

const find = (timeout = 5000): Promise<Found> =>
  new Promise((done) => lookUpBy({ ...DEFAULT_RESOLVER, timeout })('a.test', done))

describe('what the system finds', () => {
  it('holds for as long as its name servers say of the same address', async () => {
    dns.set('a.test', ['127.0.0.2'], 7)
    expect(await find()).toEqual({ addresses: ['127.0.0.2'], ttl: 7000 })
  })

  it('holds for a second at least', async () => {
    dns.set('a.test', ['127.0.0.2'], 0)
    expect(await find()).toEqual({ addresses: ['127.0.0.2'], ttl: 1000 })
  })

  it.each([
    ['know another address', { records: [{ type: 'A' as const, value: '127.0.0.3' }] }],
    ['do not know the name', { code: 3 }],
    ['fail', { code: 2 }],
    ['do not answer', { mischief: 'silent' as const }],
  ])('holds for a time nobody knows where name servers %s', async (_, answer) => {
    dns.names.set('a.test', answer)
    expect(await find()).toEqual({ addresses: ['127.0.0.2'], ttl: null })
  })

  it('is the failure it says, whatever name servers know', async () => {
    dns.set('a.test', ['127.0.0.2'])
    system.error = 'ENOTFOUND'
    expect(await find()).toEqual({ failure: '3: Host not found', gone: true })
    system.error = 'EAI_AGAIN'
    expect(await find()).toEqual({ failure: '2: Server failure', gone: false })
  })

  it('is nothing where it takes too long', async () => {
    dns.set('a.test', ['127.0.0.2'])
    system.silent = true
    expect(await find(100)).toEqual({ failure: '110: Operation timed out', gone: false })
  })

  it('is asked of the name servers that the system has at that time', async () => {
    const lookUp = lookUpBy(DEFAULT_RESOLVER)
    const ask = () => new Promise<Found>((done) => lookUp('a.test', done))
    dns.set('a.test', ['127.0.0.2'], 7)
    expect(await ask()).toMatchObject({ ttl: 7000 })
    const other = await DnsServer.start()
    other.set('a.test', ['127.0.0.2'], 9)
    system.servers = [other.address]
    expect(await ask()).toMatchObject({ ttl: 9000 })
    await other.stop()
  })
})
