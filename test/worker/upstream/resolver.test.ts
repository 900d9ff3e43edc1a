// The look-up of names at run time, with a system that answers when the test says so, and the groups made of them.

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { DEFAULT_RESOLVER, type Found } from '../../../src/shared/names/found.ts'
import type { PeerGroup, UpstreamHost } from '../../../src/worker/upstream/peers.ts'
import { type Answer, Resolver } from '../../../src/worker/upstream/resolver.ts'
import { RuntimeGroups, runtimeIdle } from '../../../src/worker/upstream/runtime-groups.ts'
import { parseUpstreamUrl, type UpstreamUrl } from '../../../src/worker/upstream/url.ts'

let clock: number
let asked: { name: string; done: (found: Found) => void }[]
let said: string[]
let resolver: Resolver

beforeEach(() => {
  clock = 1000
  asked = []
  said = []
  resolver = new Resolver({
    lookUp: (name, done) => asked.push({ name, done }),
    limits: { running: 10, each: 4, waiting: 5, allWaiting: 20 },
    timeout: 30_000,
    now: () => clock,
    log: (level, message) => said.push(`${level}: ${message}`),
  })
})
afterEach(() => vi.useRealTimers())

const url = (text: string) => parseUpstreamUrl(text, 80, true) as UpstreamUrl
const found = (...addresses: string[]): Found => ({ addresses, ttl: null })
const GONE: Found = { failure: '3: Host not found', gone: true }
const BROKEN: Found = { failure: '2: Server failure', gone: false }
const client = '192.0.2.99'

/** Asks for `name` as `asker`; the answers come into the list that is returned. */
function ask(name: string, asker = client): Answer[] {
  const answers: Answer[] = []
  resolver.resolve(name, asker, (answer) => answers.push(answer))
  return answers
}

describe('a name', () => {
  it('is looked up once for all who ask meanwhile, and once its answer is old', () => {
    const answers = [ask('a.test'), ask('a.test'), ask('a.test')]
    expect(asked).toHaveLength(1)
    expect(answers).toEqual([[], [], []])
    asked[0]!.done(found('192.0.2.1', '192.0.2.2'))
    expect(answers).toEqual(Array(3).fill([{ addresses: ['192.0.2.1', '192.0.2.2'] }]))
    clock += 9_999
    expect(resolver.known('a.test')).toEqual({ addresses: ['192.0.2.1', '192.0.2.2'] })
    clock += 1
    expect(resolver.known('a.test')).toBeNull()
  })

  it('has 32 addresses at most', () => {
    const answers = ask('a.test')
    asked[0]!.done(found(...Array.from({ length: 100 }, (_, index) => `192.0.2.${index}`)))
    expect(answers[0]).toMatchObject({ addresses: { length: 32 } })
  })

  it('is known for as long as its answer says', () => {
    ask('a.test')
    asked[0]!.done({ addresses: ['192.0.2.1'], ttl: 3000 })
    clock += 2_999
    expect(resolver.known('a.test')).not.toBeNull()
    clock += 1
    expect(resolver.known('a.test')).toBeNull()
  })

  it.each([GONE, BROKEN])('that cannot be found fails as the look-up says, for a second', (failed) => {
    const { failure } = failed as { failure: string }
    const answers = ask('a.test')
    asked[0]!.done(failed)
    expect(answers).toEqual([{ failure }])
    expect(resolver.known('a.test')).toEqual({ failure })
    clock += 1000
    expect(resolver.known('a.test')).toBeNull()
  })

  it('keeps its last addresses while look-ups fail, which is said once, and so is that they work again', () => {
    const old = { addresses: ['192.0.2.1'] }
    ask('a.test')
    asked[0]!.done(found('192.0.2.1'))
    clock += 10_000
    const answers = ask('a.test')
    asked[1]!.done(BROKEN)
    expect(answers).toEqual([old])
    clock += 5_000
    // Nobody waits for the next look-up.
    expect(resolver.known('a.test')).toEqual(old)
    expect(resolver.known('a.test')).toEqual(old)
    expect(asked).toHaveLength(3)
    asked[2]!.done(BROKEN)
    expect(said).toEqual([
      'warn: a.test could not be resolved (2: Server failure): its last addresses are used until it can',
    ])
    clock += 5_000
    resolver.known('a.test')
    asked[3]!.done(found('192.0.2.2'))
    expect(resolver.known('a.test')).toEqual({ addresses: ['192.0.2.2'] })
    expect(said.slice(1)).toEqual(['notice: a.test can be resolved again'])
  })

  it('that is gone for good keeps no addresses', () => {
    ask('a.test')
    asked[0]!.done(found('192.0.2.1'))
    clock += 10_000
    const answers = ask('a.test')
    asked[1]!.done(GONE)
    expect(answers).toEqual([{ failure: '3: Host not found' }])
    expect(said).toEqual([])
  })

  it('whose look-up takes long lets nobody wait who can have its last addresses', () => {
    vi.useFakeTimers()
    ask('a.test')
    asked[0]!.done(found('192.0.2.1'))
    clock += 10_000
    const answers = ask('a.test')
    vi.advanceTimersByTime(1_999)
    expect(answers).toEqual([])
    vi.advanceTimersByTime(1)
    expect(answers).toEqual([{ addresses: ['192.0.2.1'] }])
    asked[1]!.done(found('192.0.2.2'))
    expect(resolver.known('a.test')).toEqual({ addresses: ['192.0.2.2'] })
    expect(said).toHaveLength(2)
  })

  it('is not told to those who have given up, and they are not kept until it is found', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const told: string[] = []
    const giveUp = () => {
      const request = { id: 'gone' }
      resolver.resolve('a.test', client, () => told.push(request.id))()
      return new WeakRef(request)
    }
    const gone = giveUp()
    resolver.resolve('a.test', client, () => told.push('waiting'))
    await new Promise(setImmediate)
    collect()
    expect(gone.deref()).toBeUndefined()
    asked[0]!.done(found('192.0.2.1'))
    expect(told).toEqual(['waiting'])
    expect(resolver.known('a.test')).not.toBeNull()
  })

  it('is forgotten when too many newer ones are known', () => {
    for (let index = 0; index < 1001; index++) {
      ask(`n${index}`)
      asked[index]!.done(found('192.0.2.1'))
    }
    expect(resolver.known('n0')).toBeNull()
    expect(resolver.known('n1')).not.toBeNull()
    expect(resolver.known('n1000')).not.toBeNull()
  })
})

describe('names of one client', () => {
  const names = () => asked.map(({ name }) => name).join(' ')

  it('wait for their turn, while those of others are looked up', () => {
    for (const name of ['a1', 'a2', 'a3', 'a4', 'a5', 'a6']) ask(name, 'A')
    ask('b1', 'B')
    expect(names()).toBe('a1 a2 a3 a4 b1')
    asked[0]!.done(GONE)
    expect(names()).toBe('a1 a2 a3 a4 b1 a5')
  })

  it('come one by one after those of others when all look-ups are taken', () => {
    for (const asker of ['A', 'B', 'C']) for (let index = 1; index < 5; index++) ask(asker + index, asker)
    expect(asked).toHaveLength(10)
    ask('D1', 'D')
    for (let index = 0; index < 3; index++) asked[index]!.done(GONE)
    expect(names().slice(-8)).toBe('C3 D1 C4')
  })

  it('that wait for longer than a look-up may take have not been answered', () => {
    vi.useFakeTimers()
    for (const name of ['a1', 'a2', 'a3', 'a4']) ask(name, 'A')
    const answers = ask('a5', 'A')
    vi.advanceTimersByTime(29_999)
    expect(answers).toEqual([])
    vi.advanceTimersByTime(1)
    expect(answers).toEqual([{ failure: '110: Operation timed out' }])
    asked[0]!.done(GONE)
    expect(names()).toBe('a1 a2 a3 a4')
    ask('a6', 'A')
    expect(names()).toBe('a1 a2 a3 a4 a6')
  })

  it('are refused while too many of them wait', async () => {
    for (let index = 0; index < 9; index++) ask(`a${index}`, 'A')
    const answer = await new Promise<Answer>((done) => resolver.resolve('one.more', 'A', done))
    expect(answer).toEqual({ failure: '5: Operation refused' })
    ask('b', 'B')
    expect(names()).toBe('a0 a1 a2 a3 b')
    asked[0]!.done(GONE)
    ask('one.more', 'A')
    for (let index = 1; index < 4; index++) asked[index]!.done(GONE)
    for (let index = 5; index < 9; index++) asked[index]!.done(GONE)
    expect(names()).toContain('one.more')
  })
})

describe('groups of run time', () => {
  const configured = new Map<string, PeerGroup>()
  let groups: RuntimeGroups

  const reach = async (text: string): Promise<PeerGroup> => {
    const known = groups.find(url(text))
    if (known !== null) return known
    const before = asked.length
    const group = new Promise<PeerGroup | null>((done) => groups.resolve(url(text), client, done))
    if (asked.length > before) asked.at(-1)!.done(found('192.0.2.1', '192.0.2.2'))
    return (await group)!
  }

  beforeEach(() => {
    configured.clear()
    groups = new RuntimeGroups(configured, DEFAULT_RESOLVER, runtimeIdle(), resolver)
    groups.bind({} as UpstreamHost)
  })

  it('are those of the configuration where it has the name, without a port only for upstream{} blocks', () => {
    const group = (name: string) => ({ name }) as PeerGroup
    configured.set('back', group('back')).set('plain.test:80', group('plain'))
    expect(groups.find(url('BACK/x'))?.name).toBe('back')
    expect(groups.find(url('back:80'))).toBeNull()
    expect(groups.find(url('plain.test'))?.name).toBe('plain')
    expect(groups.find(url('plain.test:80'))?.name).toBe('plain')
    expect(groups.find(url('plain.test:81'))).toBeNull()
  })

  it('of addresses and sockets need no resolver', () => {
    expect(groups.find(url('127.0.0.1:81'))!.set.peers).toMatchObject([{ name: '127.0.0.1:81', port: 81 }])
    expect(groups.find(url('[::01]:81'))!.set.peers).toMatchObject([{ name: '[::1]:81', host: '::1' }])
    expect(groups.find(url('unix:/a:/b'))!.set.peers).toMatchObject([{ name: 'unix:/a', path: '/a' }])
    expect(asked).toEqual([])
    expect(groups.find(url('127.0.0.1:81'))).toBe(groups.find(url('127.0.0.1:81/other')))
  })

  it('stay the same while their addresses do, and keep the peers that stay', async () => {
    const first = await reach('a.test')
    expect(first.set.peers.map(({ name }) => name)).toEqual(['192.0.2.1:80', '192.0.2.2:80'])
    clock += 10_000
    expect(await reach('a.test')).toBe(first)
    clock += 10_000
    const later = new Promise<PeerGroup | null>((done) => groups.resolve(url('a.test'), client, done))
    asked.at(-1)!.done(found('192.0.2.2', '192.0.2.3'))
    const second = (await later)!
    expect(second).not.toBe(first)
    expect(second.set.peers.map(({ name }) => name)).toEqual(['192.0.2.2:80', '192.0.2.3:80'])
    expect(second.set.peers[0]).toBe(first.set.peers[1])
  })

  it('hold on to no group before them', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const old = new WeakRef(await reach('a.test'))
    clock += 10_000
    const later = new Promise<PeerGroup | null>((done) => groups.resolve(url('a.test'), client, done))
    asked.at(-1)!.done(found('192.0.2.2', '192.0.2.3'))
    const group = await later
    await new Promise(setImmediate)
    collect()
    expect(old.deref()).toBeUndefined()
    expect(groups.find(url('a.test'))).toBe(group)
  })

  it('differ by port and share their idle connections', async () => {
    const [first, second] = [await reach('a.test'), await reach('a.test:81')]
    expect(second).not.toBe(first)
    expect(asked).toHaveLength(1)
    expect(second.idle).toBe(first.idle)
    expect(second.idle).toBe(groups.idle)
  })

  it('are forgotten, the least recently used first, when there are too many', () => {
    const first = groups.find(url('10.0.0.0'))
    const second = groups.find(url('10.0.0.1'))
    for (let index = 2; index < 512; index++) groups.find(url(`10.0.${index >> 8}.${index & 255}`))
    expect(groups.find(url('10.0.0.0'))).toBe(first)
    groups.find(url('10.1.0.0'))
    expect(groups.find(url('10.0.0.0'))).toBe(first)
    expect(groups.find(url('10.0.0.1'))).not.toBe(second)
  })

  it('of a name that failed a moment ago fail at once', async () => {
    const failure = new Promise<string>((done) =>
      groups.resolve(url('a.test'), client, (_, text) => done(text)),
    )
    asked[0]!.done(GONE)
    expect(await failure).toBe('3: Host not found')
    const again = new Promise<string>((done) =>
      groups.resolve(url('a.test'), client, (_, text) => done(text)),
    )
    expect(await again).toBe('3: Host not found')
    expect(asked).toHaveLength(1)
  })
})
