// What a backend of the chaos is like for a while: how often it answers, what it does else, and what becomes of
// connections that could be kept.

import { answers, type Behaviour, failing, lying, slow } from './faults.ts'
import type { Random } from './random.ts'

/** What happens to a connection after an answer. */
export type Keeping = 'kept' | 'ends' | 'half ends' | 'resets' | 'closes at the next request' | 'babbles'

export interface Mood {
  name: string
  /** Milliseconds it lasts: least and most. */
  lasts: readonly [number, number]
  /** null: nobody listens. */
  answer: ((random: Random) => Behaviour) | null
  keeping(random: Random): Keeping
}

const kept = (): Keeping => 'kept'
const some =
  (share: number, list: readonly Behaviour[]) =>
  (random: Random): Behaviour =>
    random.chance(share) ? random.pick(list) : answers

export const well: Mood = { name: 'well', lasts: [300, 2000], answer: () => answers, keeping: kept }
export const stopped: Mood = { name: 'stopped', lasts: [100, 2500], answer: null, keeping: kept }

export const moods: readonly Mood[] = [
  well,
  stopped,
  { name: 'lying', lasts: [500, 3000], answer: some(0.5, lying), keeping: kept },
  { name: 'failing', lasts: [300, 1500], answer: some(0.7, failing), keeping: kept },
  { name: 'slow', lasts: [500, 3000], answer: some(0.5, slow), keeping: kept },
  {
    name: 'babbling',
    lasts: [300, 1500],
    answer: () => answers,
    keeping: (random) => random.pick(['kept', 'babbles']),
  },
  {
    name: 'closing',
    lasts: [500, 3000],
    answer: () => answers,
    keeping: (random) => random.pick(['kept', 'ends', 'half ends', 'resets', 'closes at the next request']),
  },
]
