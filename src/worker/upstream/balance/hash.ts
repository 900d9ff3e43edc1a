// `hash KEY`: the peer is found by the CRC of a text, as Cache::Memcached finds it, so that caches that others fill this
// way are hit. `hash KEY consistent` is in consistent-hash.ts.

import type { BuildContext } from '../../../shared/conf/build.ts'
import type { Directive } from '../../../shared/conf/directive.ts'
import { crc32 } from '../../../shared/crc32.ts'
import { type ComplexValue, compileValue } from '../../http/complex-value.ts'
import type { Request } from '../../http/request.ts'
import type { Peer } from '../peers.ts'
import { available, type Balancer, type MakeBalancer, markChosen, type Picker } from './balancer.ts'
import { ConsistentHash } from './consistent-hash.ts'
import type { BalancingMethod } from './methods.ts'
import { RoundRobin } from './round-robin.ts'
import { MOST_TRIES, WeightedList } from './weighted-list.ts'

export class Hash implements Balancer {
  readonly list: WeightedList
  /** Decides where there is no key, or the hash finds no peer. */
  readonly turns: RoundRobin
  readonly #key: ComplexValue
  readonly #alone: boolean

  constructor(peers: readonly Peer[], key: ComplexValue) {
    this.list = new WeightedList(peers)
    this.turns = new RoundRobin(peers)
    this.#key = key
    this.#alone = peers.length < 2
  }

  begin(r: Request): Picker {
    const key = this.#alone ? '' : this.#key.evaluate(r)
    return key === '' ? this.turns : new HashPicker(this, key)
  }
}

class HashPicker implements Picker {
  readonly #balancer: Hash
  readonly #key: string
  /** How often the key was hashed: what stands before it, but for the first time. */
  #round = 0
  #hash = 0
  #tries = 0

  constructor(balancer: Hash, key: string) {
    this.#balancer = balancer
    this.#key = key
  }

  pick(tried: ReadonlySet<Peer> | null, now: number): Peer | null {
    const { list, turns } = this.#balancer
    while (this.#tries <= MOST_TRIES) {
      const before = this.#round === 0 ? 0 : crc32(String(this.#round))
      this.#hash += (crc32(this.#key, before) >>> 16) & 0x7fff
      this.#round++
      const peer = list.at(this.#hash % list.total)
      if (!tried?.has(peer) && available(peer, now)) {
        markChosen(peer, now)
        return peer
      }
      this.#tries++
    }
    return turns.pick(tried, now)
  }
}

function makeHash({ args }: Directive, context: BuildContext): MakeBalancer {
  const [text, word] = args as [string, string | undefined]
  const key = compileValue(text, context)
  if (word !== undefined && word !== 'consistent') context.error(`invalid parameter "${word}"`)
  const Method = word === undefined ? Hash : ConsistentHash
  return (peers, backup) => (backup ? new RoundRobin(peers) : new Method(peers, key))
}

export const hash: BalancingMethod = {
  name: 'hash',
  args: [1, 2],
  without: ['backup', 'slow_start'],
  make: makeHash,
}
