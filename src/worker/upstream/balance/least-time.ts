// `least_time`: the peer that is expected to be done first, by its average response time, what it has to do already, and
// its weight; round robin among equals.

import type { BuildContext } from '../../../shared/conf/build.ts'
import type { Directive } from '../../../shared/conf/directive.ts'
import type { Peer } from '../peers.ts'
import type { MakeBalancer } from './balancer.ts'
import { Least } from './least.ts'
import type { BalancingMethod } from './methods.ts'
import { type Measured, ResponseTimes } from './response-times.ts'

export class LeastTime extends Least {
  readonly timing: ResponseTimes

  constructor(peers: readonly Peer[], timing: ResponseTimes) {
    super(peers)
    this.timing = timing
  }

  protected override load(peer: Peer, now: number): number {
    this.timing.review(peer.state, now)
    return this.timing.estimate(peer, now)
  }

  override pick(tried: ReadonlySet<Peer> | null, now: number): Peer | null {
    const peer = super.pick(tried, now)
    if (peer !== null) this.timing.start(peer.state, now)
    return peer
  }

  bound({ state }: Peer, _tried: ReadonlySet<Peer> | null, now: number): void {
    this.timing.start(state, now)
  }
}

const MEASURED: Readonly<Record<string, Measured>> = { header: 'header', last_byte: 'last_byte' }

function makeLeastTime({ args }: Directive, context: BuildContext): MakeBalancer {
  const [word, inflight] = args as [string, string | undefined]
  if (inflight !== undefined && inflight !== 'inflight') context.error(`invalid parameter "${inflight}"`)
  const name = word.toLowerCase()
  const measured = Object.hasOwn(MEASURED, name) ? MEASURED[name]! : context.error(`invalid value "${word}"`)
  const timing = new ResponseTimes(measured, inflight !== undefined)
  return (peers) => new LeastTime(peers, timing)
}

export const leastTime: BalancingMethod = {
  name: 'least_time',
  args: [1, 2],
  once: true,
  without: [],
  make: makeLeastTime,
}
