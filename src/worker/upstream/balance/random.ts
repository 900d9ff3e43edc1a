// `random`: a peer by chance and weight; with `two`, the better of two such peers: what does well where several proxies
// that know nothing of each other share the servers.

import type { BuildContext } from '../../../shared/conf/build.ts'
import type { Directive } from '../../../shared/conf/directive.ts'
import type { Peer } from '../peers.ts'
import { available, type Balancer, type MakeBalancer, markChosen, type Picker } from './balancer.ts'
import type { BalancingMethod } from './methods.ts'
import { ResponseTimes } from './response-times.ts'
import { RoundRobin } from './round-robin.ts'
import { MOST_TRIES, WeightedList } from './weighted-list.ts'

/** What counts against a peer when two are compared. */
type Load = (peer: Peer, now: number) => number

export interface RandomOptions {
  /** Compares two peers; null: the first will do. */
  load: Load | null
  timing?: ResponseTimes
  /** From 0 to 1, without 1; default `Math.random`. */
  random?: () => number
}

export class Random implements Balancer {
  readonly timing?: ResponseTimes
  /** Decides where chance finds no peer. */
  readonly turns: RoundRobin
  readonly load: Load | null
  readonly #list: WeightedList
  readonly #random: () => number
  readonly #alone: boolean

  constructor(peers: readonly Peer[], { load, timing, random = Math.random }: RandomOptions) {
    if (timing !== undefined) this.timing = timing
    this.turns = new RoundRobin(peers)
    this.load = load
    this.#list = new WeightedList(peers)
    this.#random = random
    this.#alone = peers.length < 2
  }

  begin(): Picker {
    return this.#alone ? this.turns : new RandomPicker(this)
  }

  /** Any peer, available or not. */
  draw(): Peer {
    return this.#list.at(Math.floor(this.#random() * this.#list.total))
  }
}

class RandomPicker implements Picker {
  readonly #balancer: Random
  #tries = 0

  constructor(balancer: Random) {
    this.#balancer = balancer
  }

  pick(tried: ReadonlySet<Peer> | null, now: number): Peer | null {
    const { load, turns } = this.#balancer
    let first: Peer | null = null
    while (this.#tries <= MOST_TRIES) {
      const peer = this.#balancer.draw()
      if (peer !== first && !tried?.has(peer) && available(peer, now)) {
        if (load === null) return chosen(peer, now)
        if (first !== null) return chosen(better(first, peer, load, now), now)
        first = peer
      }
      this.#tries++
    }
    return turns.pick(tried, now)
  }
}

function better(first: Peer, second: Peer, load: Load, now: number): Peer {
  return load(second, now) * first.weight > load(first, now) * second.weight ? first : second
}

function chosen(peer: Peer, now: number): Peer {
  markChosen(peer, now)
  return peer
}

function makeRandom({ args }: Directive, context: BuildContext): MakeBalancer {
  const [two, method = 'least_conn'] = args
  if (two !== undefined && two !== 'two') context.error(`invalid parameter "${two}"`)
  const options = two === undefined ? { load: null } : comparison(method, context)
  return (peers, backup) => (backup ? new RoundRobin(peers) : new Random(peers, options))
}

function comparison(method: string, context: BuildContext): RandomOptions {
  if (method === 'least_conn') return { load: ({ state }) => state.conns }
  const measured = /^least_time=(header|last_byte)$/.exec(method)?.[1]
  if (measured !== 'header' && measured !== 'last_byte') context.error(`invalid parameter "${method}"`)
  const timing = new ResponseTimes(measured, false)
  return { load: (peer, now) => timing.estimate(peer, now), timing }
}

export const random: BalancingMethod = {
  name: 'random',
  args: [0, 2],
  without: ['backup', 'slow_start'],
  make: makeRandom,
}
