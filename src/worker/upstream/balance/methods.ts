// THE list of balancing methods: the directive of upstream{} that chooses each, and which parameters of `server` it
// can do with.

import type { BuildContext } from '../../../shared/conf/build.ts'
import type { Directive } from '../../../shared/conf/directive.ts'
import type { MakeBalancer } from './balancer.ts'
import { hash } from './hash.ts'
import { ipHash } from './ip-hash.ts'
import { leastConn } from './least-conn.ts'
import { leastTime } from './least-time.ts'
import { random } from './random.ts'

/** Parameters of `server` that not every method has a use for. */
export type ServerParameter =
  | 'weight'
  | 'max_conns'
  | 'max_fails'
  | 'fail_timeout'
  | 'backup'
  | 'down'
  | 'slow_start'

export interface BalancingMethod {
  /** Of the directive. */
  readonly name: string
  /** How many arguments it takes: a number, or the least and the most. */
  readonly args: number | readonly [number, number]
  /** The directive must not come twice. */
  readonly once?: true
  /** Parameters a `server` line must not have. */
  readonly without: readonly ServerParameter[]
  /** Throws a ConfError for arguments that make no sense. */
  make(directive: Directive, context: BuildContext): MakeBalancer
}

/** All but round robin, which is in use where none of them is named. */
export const methods: readonly BalancingMethod[] = [hash, ipHash, leastConn, leastTime, random]
