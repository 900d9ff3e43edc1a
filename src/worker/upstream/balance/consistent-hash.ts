// `hash KEY consistent`: ketama, with the points of Cache::Memcached::Fast. Servers have 160 points on a circle for each
// unit of weight; a key belongs to the next point, so that a server that comes or goes moves few keys.

import { crc32, crc32OfWord } from '../../../shared/crc32.ts'
import type { ComplexValue } from '../../http/complex-value.ts'
import type { Request } from '../../http/request.ts'
import type { Peer } from '../peers.ts'
import type { Balancer, Picker } from './balancer.ts'
import { RoundRobin } from './round-robin.ts'
import { MOST_TRIES } from './weighted-list.ts'

const POINTS_FOR_WEIGHT = 160
/** Points of all servers: weights that come to more, of services in the DNS for one, get their part of so many. */
const MOST_POINTS = 2 ** 21

export class ConsistentHash implements Balancer {
  readonly circle: Circle
  /** The peers of each server as written: several where its name has several addresses. */
  readonly servers: readonly RoundRobin[]
  /** Decides where there is no key, or no peer is found near it. */
  readonly turns: RoundRobin
  readonly #key: ComplexValue
  readonly #alone: boolean

  constructor(peers: readonly Peer[], key: ComplexValue) {
    const servers = [...Map.groupBy(peers, ({ server }) => server)]
    const total = peers.reduce((sum, { weight }) => sum + weight, 0)
    const scale = Math.min(POINTS_FOR_WEIGHT, MOST_POINTS / total)
    this.circle = new Circle(
      servers.flatMap(([server, own], index) =>
        own.map(({ weight }) => ({ index, server, count: Math.max(1, Math.floor(weight * scale)) })),
      ),
    )
    this.servers = servers.map(([, own]) => new RoundRobin(own))
    this.turns = new RoundRobin(peers)
    this.#key = key
    this.#alone = peers.length < 2
  }

  begin(r: Request): Picker {
    const key = this.#alone ? '' : this.#key.evaluate(r)
    return key === '' ? this.turns : new ConsistentPicker(this, this.circle.find(crc32(key)))
  }
}

class ConsistentPicker implements Picker {
  readonly #balancer: ConsistentHash
  /** The point to look at, not yet brought back to the circle. */
  #point: number
  #tries = 0

  constructor(balancer: ConsistentHash, point: number) {
    this.#balancer = balancer
    this.#point = point
  }

  pick(tried: ReadonlySet<Peer> | null, now: number): Peer | null {
    const { circle, servers, turns } = this.#balancer
    while (this.#tries <= MOST_TRIES) {
      const peer = servers[circle.server(this.#point)]!.pick(tried, now)
      if (peer !== null) return peer
      this.#point++
      this.#tries++
    }
    return turns.pick(tried, now)
  }
}

/** What one peer puts on the circle. */
interface Points {
  /** Of the server. */
  index: number
  /** As written. */
  server: string
  count: number
}

/** More than there are servers: a point in order is a hash times this and the index of a server. Below 2 ** 53 in all. */
const SERVERS = 2 ** 21

/** Points in order, each at a place of its own; of several at one place the first server's stays. */
export class Circle {
  readonly #hashes: Uint32Array
  readonly #servers: Uint32Array

  constructor(all: readonly Points[]) {
    const points = new Float64Array(all.reduce((sum, { count }) => sum + count, 0))
    let used = 0
    for (const { index, server, count } of all) {
      const base = crc32(serverKey(server))
      let hash = 0
      for (const end = used + count; used < end; used++) {
        hash = crc32OfWord(hash, base)
        points[used] = hash * SERVERS + index
      }
    }
    // Numbers sort much faster than anything that needs a function to compare.
    points.sort()
    const hashes = new Uint32Array(used)
    const servers = new Uint32Array(used)
    let kept = 0
    for (const point of points) {
      const hash = Math.floor(point / SERVERS)
      if (kept > 0 && hashes[kept - 1] === hash) continue
      hashes[kept] = hash
      servers[kept++] = point - hash * SERVERS
    }
    this.#hashes = hashes.subarray(0, kept)
    this.#servers = servers.subarray(0, kept)
  }

  /** Index of the first point at or behind `hash`; behind the last one, their number. */
  find(hash: number): number {
    let low = 0
    let high = this.#hashes.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (hash > this.#hashes[middle]!) low = middle + 1
      else high = middle
    }
    return low
  }

  /** How many there are. */
  get size(): number {
    return this.#hashes.length
  }

  /** Index of the server whose point number `point` is, going around as often as needed. */
  server(point: number): number {
    return this.#servers[point % this.#servers.length]!
  }
}

/** What is hashed of a server: HOST NUL PORT, the path of a unix socket in place of the host. */
function serverKey(server: string): string {
  if (/^unix:/i.test(server)) return `${server.slice(5)}\0`
  const [, host = server, port = ''] = /^(.*):(\d*)$/s.exec(server) ?? []
  return `${host}\0${port}`
}
