// Which settings the head of a request is read by: those of the address's default server until the request names
// another server, then that one's. Where all servers of an address agree, nobody has to look.

import type { ServerPlan } from '../http/plan.ts'
import { type ClientHeadConf, clientHead, clientHeadDefaults } from '../modules/client-head.ts'

export class HeadRules {
  /** By which the request line is read. */
  readonly first: ClientHeadConf
  /** The server that a request names may read it differently. */
  readonly several: boolean
  readonly #find: (host: string) => ServerPlan | null

  /** `find` gives the server that `host` (normalised) names; null: the default one. */
  constructor(
    first: ClientHeadConf,
    others: Iterable<ClientHeadConf>,
    find: (host: string) => ServerPlan | null,
  ) {
    this.first = first
    this.several = [...others].some((other) => !same(first, other))
    this.#find = find
  }

  /** The settings of the server that `host` names. */
  of(host: string): ClientHeadConf {
    const server = this.#find(host)
    return server === null ? this.first : headConf(server)
  }
}

/** nginx's defaults. */
export const DEFAULT_RULES = new HeadRules(clientHeadDefaults, [], () => null)

export function headConf(server: ServerPlan): ClientHeadConf {
  return server.scope.conf(clientHead)
}

function same(a: ClientHeadConf, b: ClientHeadConf): boolean {
  return (
    a.largeClientHeaderBuffers.count === b.largeClientHeaderBuffers.count &&
    a.largeClientHeaderBuffers.size === b.largeClientHeaderBuffers.size &&
    a.maxHeaders === b.maxHeaders &&
    a.ignoreInvalidHeaders === b.ignoreInvalidHeaders &&
    a.underscoresInHeaders === b.underscoresInHeaders
  )
}
