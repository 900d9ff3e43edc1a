// `ip_hash`: a client's requests go to one peer, found by its address: the first three bytes of IPv4, so that a network
// stays together, all of IPv6. The hash and its repetition are nginx's.

import { parseAddress } from '../../http/address.ts'
import type { Request } from '../../http/request.ts'
import type { Peer } from '../peers.ts'
import { available, type Balancer, markChosen, type Picker } from './balancer.ts'
import type { BalancingMethod } from './methods.ts'
import { RoundRobin } from './round-robin.ts'
import { MOST_TRIES, WeightedList } from './weighted-list.ts'

const FIRST_HASH = 89
const FACTOR = 113
const MODULUS = 6271

/** Of clients without an IP address: those of unix sockets. */
const NO_ADDRESS = [0, 0, 0]

export class IpHash implements Balancer {
  readonly list: WeightedList
  /** Decides where the hash finds no peer. */
  readonly turns: RoundRobin
  readonly #alone: boolean

  constructor(peers: readonly Peer[]) {
    this.list = new WeightedList(peers)
    this.turns = new RoundRobin(peers)
    this.#alone = peers.length < 2
  }

  begin(r: Request): Picker {
    return this.#alone ? this.turns : new IpHashPicker(this, hashedBytes(r.remoteAddress))
  }
}

class IpHashPicker implements Picker {
  readonly #balancer: IpHash
  readonly #bytes: readonly number[]
  #hash = FIRST_HASH
  #tries = 0

  constructor(balancer: IpHash, bytes: readonly number[]) {
    this.#balancer = balancer
    this.#bytes = bytes
  }

  pick(tried: ReadonlySet<Peer> | null, now: number): Peer | null {
    const { list, turns } = this.#balancer
    while (this.#tries <= MOST_TRIES) {
      for (const byte of this.#bytes) this.#hash = (this.#hash * FACTOR + byte) % MODULUS
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

/** The bytes of an address that count; `address` as `remoteAddress` gives it. */
export function hashedBytes(address: string): readonly number[] {
  const zone = address.indexOf('%')
  const parsed = parseAddress(zone < 0 ? address : address.slice(0, zone))
  if (parsed === null) return NO_ADDRESS
  if (typeof parsed === 'number') return [parsed >>> 24, (parsed >>> 16) & 255, (parsed >>> 8) & 255]
  return parsed.flatMap((word) => [word >>> 8, word & 255])
}

export const ipHash: BalancingMethod = {
  name: 'ip_hash',
  args: 0,
  without: ['backup', 'slow_start'],
  make: () => (peers, backup) => (backup ? new RoundRobin(peers) : new IpHash(peers)),
}
