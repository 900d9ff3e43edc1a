// Loaded into weir's threads by the soak (`--import`), so that weir itself needs no hook: tells what is in the shared
// statistics and on the heaps, and makes the first worker throw an exception that nobody catches.
//
// Once a second the main thread writes one line of JSON (see Inside) at the start of the file that SOAK_INSIDE names;
// SIGUSR2 is the crash. Threads talk over a BroadcastChannel.

import { openSync, writeSync } from 'node:fs'
import { isMainThread, workerData } from 'node:worker_threads'
import { PeerZone } from '../../src/shared/peer-zone.ts'
import { WORKER_SLOTS, WorkerStats } from '../../src/shared/stats.ts'
import { COUNTERS, type Inside, LINE_BYTES } from './inside.ts'

/** Full collections cost some milliseconds of a worker's time each. */
const COLLECT_EVERY = 5000

type Message =
  | { type: 'crash' }
  | { type: 'worker'; slot: number; stats: SharedArrayBuffer; zones: Zones }
  | { type: 'heap'; slot: number; bytes: number; committed: number }

type Zones = Record<string, SharedArrayBuffer>

interface Boot {
  slot: number
  stats: SharedArrayBuffer
  plan: { options: { zones?: Zones } }
}

const channel = new BroadcastChannel('soak')
channel.unref()
const tell = (message: Message): void => channel.postMessage(message)

if (isMainThread) watch()
else work(workerData as Boot)

/** Bytes alive after a full collection: what only grows is a leak. */
function liveHeap(): number {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}

function watch(): void {
  const file = openSync(process.env.SOAK_INSIDE!, 'w')
  const inside: Inside = { rows: [], heaps: {}, committed: {}, peers: {}, workers: 0 }
  let stats: SharedArrayBuffer | null = null
  let zones: Zones = {}
  process.on('SIGUSR2', () => tell({ type: 'crash' }))
  channel.onmessage = ({ data }) => {
    const message = data as Message
    if (message.type === 'heap') {
      inside.heaps[message.slot] = message.bytes
      inside.committed[message.slot] = message.committed
    }
    if (message.type !== 'worker') return
    stats = message.stats
    zones = message.zones
    inside.workers++
  }
  setInterval(() => {
    inside.rows = stats === null ? [] : rows(stats)
    inside.peers = peers(zones)
    writeSync(file, `${JSON.stringify(inside).padEnd(LINE_BYTES - 1)}\n`, 0)
  }, 1000).unref()
  setInterval(() => {
    inside.heaps.master = liveHeap()
    inside.committed.master = process.memoryUsage().heapTotal
  }, COLLECT_EVERY).unref()
}

function rows(memory: SharedArrayBuffer): Inside['rows'] {
  // A row has 128 bytes; its layout is that of WorkerStats.
  const all = Array.from({ length: memory.byteLength / 128 }, (_, slot) => {
    const row = new WorkerStats(memory, slot)
    return Object.fromEntries(COUNTERS.map((name) => [name, row[name]])) as Inside['rows'][number]
  })
  return all.filter((row) => COUNTERS.some((name) => row[name] !== 0))
}

/** Reloads keep the zones of upstreams that stay. */
function peers(zones: Zones): Record<string, number> {
  const conns: Record<string, number> = {}
  for (const [name, memory] of Object.entries(zones)) {
    const zone = name.startsWith('upstream ') ? PeerZone.existing(memory, WORKER_SLOTS - 1) : null
    for (const [key, state] of zone?.states() ?? []) conns[`${name.slice(9)} ${key}`] = state.conns
  }
  return conns
}

function work({ slot, stats, plan }: Boot): void {
  tell({ type: 'worker', slot, stats, zones: plan.options.zones ?? {} })
  setInterval(() => {
    const bytes = liveHeap()
    tell({ type: 'heap', slot, bytes, committed: process.memoryUsage().heapTotal })
  }, COLLECT_EVERY).unref()
  if (slot !== 0) return
  channel.onmessage = ({ data }) => {
    if ((data as Message).type !== 'crash') return
    setImmediate(() => {
      throw new Error('thrown by the soak')
    })
  }
}
