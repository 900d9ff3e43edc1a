// The look-up of names at run time, with a system that answers when the test says so, and the groups made of them.

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { beforeEach, describe, expect, it } from 'vitest'
import type { PeerGroup, UpstreamHost } from '../../../src/worker/upstream/peers.ts'
import { type Answer, Resolver } from '../../../src/worker/upstream/resolver.ts'
import { RuntimeGroups } from '../../../src/worker/upstream/runtime-groups.ts'
import { parseUpstreamUrl, type UpstreamUrl } from '../../../src/worker/upstream/url.ts'

type Done = (error: NodeJS.ErrnoException | null, addresses: string[]) => void

let clock: number
let asked: { name: string; done: Done }[]
let resolver: Resolver

beforeEach(() => {
  clock = 1000
  asked = []
  resolver = new Resolver({ lookup: (name, done) => asked.push({ name, done }), now: () => clock })
})

const failed = (code: string) => Object.assign(new Error(code), { code })
const url = (text: string) => parseUpstreamUrl(text, 80, true) as UpstreamUrl

describe('a name', () => {
  it('is looked up once for all who ask meanwhile, and once its answer is old', () => {
    const answers: Answer[] = []
    for (let index = 0; index < 3; index++) resolver.resolve('a.test', (answer) => answers.push(answer))
    expect(asked).toHaveLength(1)
    expect(answers).toEqual([])
    asked[0]!.done(null, ['192.0.2.1', '192.0.2.2'])
    expect(answers).toEqual(Array(3).fill({ addresses: ['192.0.2.1', '192.0.2.2'] }))
    clock += 9_999
    expect(resolver.known('a.test')).toEqual({ addresses: ['192.0.2.1', '192.0.2.2'] })
    clock += 1
    expect(resolver.known('a.test')).toBeNull()
  })

  it.each([
    ['ENOTFOUND', '3: Host not found'],
    ['EAI_AGAIN', '2: Server failure'],
  ])('that gives %s fails in nginx words, which hold for a second', (code, failure) => {
    let answer: Answer | null = null
    resolver.resolve('a.test', (given) => (answer = given))
    asked[0]!.done(failed(code), [])
    expect(answer).toEqual({ failure })
    expect(resolver.known('a.test')).toEqual({ failure })
    clock += 1000
    expect(resolver.known('a.test')).toBeNull()
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
    const answer = await new Promise<Answer>((done) => resolver.resolve(name, done))
    expect(answer).toEqual({ failure: '3: Host not found' })
    expect(asked).toEqual([])
  })

  it('is not told to those who have given up, and they are not kept until it is found', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const told: string[] = []
    const giveUp = () => {
      const request = { id: 'gone' }
      resolver.resolve('a.test', () => told.push(request.id))()
      return new WeakRef(request)
    }
    const gone = giveUp()
    resolver.resolve('a.test', () => told.push('waiting'))
    await new Promise(setImmediate)
    collect()
    expect(gone.deref()).toBeUndefined()
    asked[0]!.done(null, ['192.0.2.1'])
    expect(told).toEqual(['waiting'])
    expect(resolver.known('a.test')).not.toBeNull()
  })

  it('is refused while too many others are asked for', async () => {
    for (let index = 0; index < 100; index++) resolver.resolve(`n${index}`, () => {})
    const answer = await new Promise<Answer>((done) => resolver.resolve('one.more', done))
    expect(answer).toEqual({ failure: '5: Operation refused' })
    expect(asked).toHaveLength(100)
    asked[0]!.done(null, ['192.0.2.1'])
    resolver.resolve('one.more', () => {})
    expect(asked).toHaveLength(101)
  })

  it('is forgotten when too many newer ones are known', () => {
    for (let index = 0; index < 1001; index++) {
      resolver.resolve(`n${index}`, () => {})
      asked[index]!.done(null, ['192.0.2.1'])
    }
    expect(resolver.known('n0')).toBeNull()
    expect(resolver.known('n1')).not.toBeNull()
    expect(resolver.known('n1000')).not.toBeNull()
  })
})

describe('groups of run time', () => {
  const configured = new Map<string, PeerGroup>()
  let groups: RuntimeGroups

  const found = async (text: string): Promise<PeerGroup> => {
    const known = groups.find(url(text))
    if (known !== null) return known
    const before = asked.length
    const group = new Promise<PeerGroup | null>((done) => groups.resolve(url(text), done))
    if (asked.length > before) asked.at(-1)!.done(null, ['192.0.2.1', '192.0.2.2'])
    return (await group)!
  }

  beforeEach(() => {
    configured.clear()
    groups = new RuntimeGroups(configured, resolver)
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
    const first = await found('a.test')
    expect(first.set.peers.map(({ name }) => name)).toEqual(['192.0.2.1:80', '192.0.2.2:80'])
    clock += 10_000
    expect(await found('a.test')).toBe(first)
    clock += 10_000
    const later = new Promise<PeerGroup | null>((done) => groups.resolve(url('a.test'), done))
    asked.at(-1)!.done(null, ['192.0.2.2', '192.0.2.3'])
    const second = (await later)!
    expect(second).not.toBe(first)
    expect(second.set.peers.map(({ name }) => name)).toEqual(['192.0.2.2:80', '192.0.2.3:80'])
    expect(second.set.peers[0]).toBe(first.set.peers[1])
  })

  it('differ by port and share their idle connections', async () => {
    const [first, second] = [await found('a.test'), await found('a.test:81')]
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
    const failure = new Promise<string>((done) => groups.resolve(url('a.test'), (_, text) => done(text)))
    asked[0]!.done(failed('ENOTFOUND'), [])
    expect(await failure).toBe('3: Host not found')
    const again = new Promise<string>((done) => groups.resolve(url('a.test'), (_, text) => done(text)))
    expect(await again).toBe('3: Host not found')
    expect(asked).toHaveLength(1)
  })
})
