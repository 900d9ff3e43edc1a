// What workers are told of new addresses, and when slots of peers that are gone are freed, with workers that answer when
// the test says so.

import { afterEach, beforeEach, expect, it } from 'vitest'
import { buildLoaded, type LoadedCycle, type Source } from '../../src/master/cycle.ts'
import { LivePeers } from '../../src/master/live-peers.ts'
import type { Paths } from '../../src/master/paths.ts'
import type { WorkerHandle } from '../../src/master/worker-handle.ts'
import { parseText } from '../../src/shared/conf/parser.ts'
import type { ToWorker } from '../../src/shared/messages.ts'
import { PeerZone } from '../../src/shared/peer-zone.ts'
import { DnsServer } from '../support/dns-server.ts'
import { eventually } from '../support/wait.ts'

type Told = Extract<ToWorker, { type: 'addresses' }>

/** One worker as the master sees it; null: it ended before it answered. */
class Worker {
  readonly told: { message: Told; answer: (answer: { leftOut: number } | null) => void }[] = []

  ask(message: Told): Promise<{ leftOut: number } | null> {
    return new Promise((answer) => this.told.push({ message, answer }))
  }

  /** Waits for the next message and returns its addresses and a function that answers. */
  async next(): Promise<{ addresses: string; answer: (leftOut?: number | null) => void }> {
    const { message, answer } = await eventually('a message', () => this.told.shift())
    const [found] = Object.values(message.answers)
    const addresses = found!.map(({ ip }) => ip).join(' ')
    return { addresses, answer: (leftOut = 0) => answer(leftOut === null ? null : { leftOut }) }
  }
}

let dns: DnsServer
let loaded: LoadedCycle
let live: LivePeers
let workers: [Worker, Worker]
let zone: PeerZone
const said: string[] = []

beforeEach(async () => {
  dns = await DnsServer.start()
  const conf = `events {} http { upstream back { server a.test resolve; resolver ${dns.address} ipv6=off; } }`
  const source: Source = { tree: parseText(conf, 'nginx.conf', '/'), files: [] }
  const paths = { prefix: '/', confPrefix: '/', errorLog: null } as Paths
  loaded = await buildLoaded(source, paths, null)
  zone = PeerZone.in(loaded.options.zones!['upstream back']!, 0)
  workers = [new Worker(), new Worker()]
  said.length = 0
  const log = { report: (level: string, text: string) => void said.push(`${level}: ${text}`) }
  const handles = workers as unknown as WorkerHandle[]
  live = new LivePeers(
    log,
    loaded,
    () => handles,
    () => {},
  )
  dns.set('a.test', ['127.0.0.1'], 1)
  await live.add(loaded)
  for (const worker of workers) (await worker.next()).answer()
})
afterEach(async () => {
  live.close()
  await dns.stop()
})

/** The name has this address now; resolves with what both workers are told. */
async function change(ip: string) {
  dns.set('a.test', [ip], 1)
  return [await workers[0].next(), await workers[1].next()] as const
}

it('all workers are told of new addresses', async () => {
  const [one, two] = await change('127.0.0.2')
  expect([one.addresses, two.addresses]).toEqual(['127.0.0.2', '127.0.0.2'])
  expect(Object.values(loaded.options.live!)).toEqual([[{ ip: '127.0.0.2', service: null }]])
})

it('the slot of a peer that is gone is freed when all workers know, and no request is at it', async () => {
  const busy = zone.claim('127.0.0.1:80', 1)!
  zone.claim('127.0.0.9:80', 1)
  busy.take(0)
  const [one, two] = await change('127.0.0.2')
  one.answer()
  await new Promise(setImmediate)
  expect(zone.has('127.0.0.9:80')).toBe(true)
  two.answer()
  await eventually('a free slot', () => !zone.has('127.0.0.9:80'))
  expect(zone.has('127.0.0.1:80')).toBe(true)
  busy.give()
  for (const { answer } of await change('127.0.0.3')) answer()
  await eventually('a free slot', () => !zone.has('127.0.0.1:80'))
})

it('a worker that ends instead of answering is not waited for', async () => {
  zone.claim('127.0.0.1:80', 1)
  const [one, two] = await change('127.0.0.2')
  one.answer(null)
  two.answer()
  await eventually('a free slot', () => !zone.has('127.0.0.1:80'))
})

it('nothing is freed before workers know of the latest addresses', async () => {
  zone.claim('127.0.0.1:80', 1)
  const first = await change('127.0.0.2')
  const second = await change('127.0.0.3')
  for (const { answer } of first) answer()
  await new Promise(setImmediate)
  expect(zone.has('127.0.0.1:80')).toBe(true)
  for (const { answer } of second) answer()
  await eventually('a free slot', () => !zone.has('127.0.0.1:80'))
})

it('addresses that found no room are told again when room has been freed', async () => {
  zone.claim('127.0.0.1:80', 1)
  const [one, two] = await change('127.0.0.2')
  one.answer(1)
  two.answer()
  const again = await workers[0].next()
  expect(again.addresses).toBe('127.0.0.2')
  expect(zone.has('127.0.0.1:80')).toBe(false)
  expect(said).toEqual([])
})
