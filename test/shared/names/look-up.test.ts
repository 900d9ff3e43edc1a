// Look-ups of names, by name servers that answer, do not answer, and lie.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DEFAULT_RESOLVER, type Found, type ResolverSettings } from '../../../src/shared/names/found.ts'
import { lookUpBy } from '../../../src/shared/names/look-up.ts'
import { DnsServer } from '../../support/dns-server.ts'

let server: DnsServer

beforeEach(async () => {
  server = await DnsServer.start()
})
afterEach(() => server.stop())

function find(name: string, settings: Partial<ResolverSettings> = {}): Promise<Found> {
  const lookUp = lookUpBy({ ...DEFAULT_RESOLVER, servers: [server.address], timeout: 5000, ...settings })
  return new Promise((done) => lookUp(name, done))
}

const NOT_FOUND = { failure: '3: Host not found', gone: true }
const TIMED_OUT = { failure: '110: Operation timed out', gone: false }

describe('a name server', () => {
  it('gives addresses of both kinds, IPv4 first, with the shortest time they hold', async () => {
    server.names.set('a.test A', { records: [{ type: 'A', value: '127.0.0.2', ttl: 9 }] })
    server.names.set('a.test AAAA', { records: [{ type: 'AAAA', value: '::1', ttl: 7 }] })
    expect(await find('a.test')).toEqual({ addresses: ['127.0.0.2', '::1'], ttl: 7000 })
  })

  it('is asked for one kind only where the other is off', async () => {
    server.set('a.test', ['127.0.0.2', '::1'])
    expect(await find('a.test', { ipv6: false })).toMatchObject({ addresses: ['127.0.0.2'] })
    expect(server.asked).toEqual(['a.test A'])
    expect(await find('a.test', { ipv4: false })).toMatchObject({ addresses: ['::1'] })
    expect(server.asked).toEqual(['a.test A', 'a.test AAAA'])
  })

  it('that knows one kind of address only is enough, even where it fails for the other', async () => {
    server.set('a.test', ['127.0.0.2'], 5)
    server.names.set('a.test AAAA', { code: 2 })
    expect(await find('a.test')).toEqual({ addresses: ['127.0.0.2'], ttl: 5000 })
  })

  it('that says how long an answer holds is overruled by valid=', async () => {
    server.set('a.test', ['127.0.0.2'], 5)
    expect(await find('a.test', { valid: 60_000 })).toEqual({ addresses: ['127.0.0.2'], ttl: 60_000 })
  })

  it('may send an alias, which holds for as long as its shortest part', async () => {
    const records = [
      { type: 'CNAME', value: 'b.test', ttl: 3 },
      { type: 'A', value: '127.0.0.3', ttl: 60, name: 'b.test' },
    ] as const
    server.names.set('a.test', { records: [...records] })
    expect(await find('a.test', { ipv6: false })).toEqual({ addresses: ['127.0.0.3'], ttl: 3000 })
  })

  it.each([
    [1, '1: Format error', false],
    [2, '2: Server failure', false],
    [3, '3: Host not found', true],
    [4, '4: Unimplemented', false],
    [5, '5: Operation refused', false],
  ])('that answers with code %i fails in nginx words', async (code, failure, gone) => {
    server.names.set('a.test', { code })
    expect(await find('a.test')).toEqual({ failure, gone })
  })

  it('that gives an empty answer does not know the name', async () => {
    server.names.set('a.test', { records: [] })
    expect(await find('a.test')).toEqual(NOT_FOUND)
  })

  it('that is silent is given up after the timeout', async () => {
    server.names.set('a.test', { mischief: 'silent' })
    expect(await find('a.test', { timeout: 200 })).toEqual(TIMED_OUT)
  })

  it('where nothing listens is given up after the timeout', async () => {
    await server.stop()
    expect(await find('a.test', { timeout: 200 })).toEqual(TIMED_OUT)
    server = await DnsServer.start(server.port)
  })

  it('that is silent is passed over for the next one', async () => {
    const silent = await DnsServer.start()
    silent.names.set('a.test', { mischief: 'silent' })
    server.set('a.test', ['127.0.0.2'])
    const servers = [silent.address, server.address]
    const found = await find('a.test', { servers, timeout: 1000, ipv6: false })
    await silent.stop()
    expect(found).toMatchObject({ addresses: ['127.0.0.2'] })
    expect(silent.asked).toContain('a.test A')
  })

  it.each(['wrong id', 'wrong name'] as const)(
    'that answers with the %s is not believed',
    async (mischief) => {
      server.names.set('a.test', { mischief, records: [{ type: 'A', value: '127.0.0.2' }] })
      expect(await find('a.test', { ipv6: false })).toMatchObject({ addresses: ['127.0.0.2'] })
    },
  )

  it('that cuts its answer short is asked over TCP', async () => {
    server.names.set('a.test', { mischief: 'truncated', records: [{ type: 'A', value: '127.0.0.2' }] })
    expect(await find('a.test', { ipv6: false })).toMatchObject({ addresses: ['127.0.0.2'] })
    expect(server.asked).toEqual(['a.test A', 'a.test A tcp'])
  })

  it('that sends garbage has not answered', async () => {
    server.names.set('a.test', { mischief: 'garbage' })
    expect(await find('a.test', { timeout: 300 })).toMatchObject({ gone: false })
  })

  it('is one of several that take turns', async () => {
    const other = await DnsServer.start()
    for (const each of [server, other]) each.set('a.test', ['127.0.0.2'])
    const lookUp = lookUpBy({
      ...DEFAULT_RESOLVER,
      servers: [server.address, other.address],
      ipv6: false,
    })
    for (let index = 0; index < 4; index++) await new Promise((done) => lookUp('a.test', done))
    await other.stop()
    expect([server.asked.length, other.asked.length]).toEqual([2, 2])
  })
})

const noNames = [
  'a b',
  'a\r\nb',
  'a\0',
  'x'.repeat(256),
  '',
  '127.1',
  '2130706433',
  '0x7f.0.0.1',
  'a.0X1',
  '1.2.3.',
]
it.each(noNames)('%j is not looked up at all', async (name) => {
  expect(await find(name)).toEqual(NOT_FOUND)
  expect(server.asked).toEqual([])
})

describe('the system', () => {
  const system = { servers: null }

  it('knows names of the hosts file', async () => {
    expect(await find('localhost', { ...system, ipv6: false })).toMatchObject({ addresses: ['127.0.0.1'] })
  })
})
