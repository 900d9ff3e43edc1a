// Loaded into weir's threads by a test: writes how many requests the peers of every upstream have, and the most they
// had, to logs/peer-counts.json; on SIGUSR2 a worker throws an exception that nobody catches.

import { renameSync, writeFileSync } from 'node:fs'
import { isMainThread, workerData } from 'node:worker_threads'
import { PeerZone } from '../../src/shared/peer-zone.ts'

const OBSERVER = 300
const memory = new BroadcastChannel('peer-counts')
const crash = new BroadcastChannel('peer-crash')
memory.unref()
crash.unref()

if (isMainThread) {
  const zones = new Map()
  const most = {}
  memory.onmessage = ({ data }) => {
    for (const [name, shared] of Object.entries(data)) zones.set(name, shared)
  }
  const look = () => {
    const counts = {}
    for (const [name, shared] of zones) {
      for (const [key, { conns }] of PeerZone.existing(shared, OBSERVER)?.states() ?? []) {
        const id = `${name} ${key}`
        counts[id] = conns
        most[id] = Math.max(most[id] ?? 0, conns)
      }
    }
    return counts
  }
  setInterval(look, 2).unref()
  setInterval(() => {
    writeFileSync('logs/peer-counts.new', JSON.stringify({ counts: look(), most }))
    renameSync('logs/peer-counts.new', 'logs/peer-counts.json')
  }, 50).unref()
  let turn = 0
  process.on('SIGUSR2', () => crash.postMessage(turn++ % 2))
} else {
  const zones = Object.entries(workerData.plan.options.zones).filter(([name]) => name.startsWith('upstream '))
  memory.postMessage(Object.fromEntries(zones))
  crash.onmessage = ({ data }) => {
    if (data !== workerData.slot) return
    setImmediate(() => {
      throw new Error('thrown by the test')
    })
  }
}
