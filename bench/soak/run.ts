// What the parts of the soak share: a folder, a moment of quiet, disturbances now and then.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { describeMachine, findTools } from '../tools.ts'
import { OPEN, total } from './inside.ts'
import type { Sample, SoakedWeir } from './weir.ts'

export const BENCH = fileURLToPath(new URL('..', import.meta.url))
/** Longer than every timeout of the configurations: after it nothing is open any more. */
const QUIET = 30_000

/** `keep`: it stays when the soak ends. */
export function workFolder(keep: boolean): string {
  mkdirSync(join(BENCH, '.work'), { recursive: true })
  const folder = mkdtempSync(join(BENCH, '.work/soak-'))
  if (!keep) process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A sample once nothing is open; the last one when that does not come. `baseline`: null before the load. */
export async function quiet(weir: SoakedWeir, baseline: Sample | null): Promise<Sample> {
  const deadline = Date.now() + QUIET
  for (;;) {
    await delay(1100)
    const sample = weir.sample(0)
    const { inside } = sample
    const calm =
      inside !== null && inside.workers > 0 && OPEN.every((counter) => total(inside, counter) === 0)
    if (calm && (baseline === null || sample.descriptors <= baseline.descriptors)) return sample
    if (Date.now() > deadline) return sample
    if (!weir.child.running) throw new Error(`weir has ended\n${weir.child.stderr}`)
  }
}

/** Something that happens now and then until it is stopped. */
export interface Disturbance {
  stop(): void
}

/** As setInterval, with a call after half of the time too, so that short runs meet everything. */
export function every(milliseconds: number, action: () => void): Disturbance {
  const first = setTimeout(action, milliseconds / 2)
  const timer = setInterval(action, milliseconds)
  return {
    stop() {
      clearTimeout(first)
      clearInterval(timer)
    },
  }
}

/** Where and when, for a report. */
export function machine(): string {
  const { cpu, cores, kernel, node } = describeMachine(findTools())
  return `${cpu}, ${cores} cores, Linux ${kernel}; Node ${node}; ${new Date().toISOString()}`
}
