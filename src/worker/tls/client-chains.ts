// What OpenSSL's judgement of clients' certificates lacks in Node: `ssl_verify_depth`, which Node has no option for.

import type { TLSSocket } from 'node:tls'
import { Chains } from './chains.ts'

const UNSPECIFIED = 1
const UNABLE_TO_GET_ISSUER = 2
const UNABLE_TO_GET_ISSUER_LOCALLY = 20

/** Judges the chains of the clients of one server. */
export interface ClientChains {
  /** `result`: OpenSSL's X509_V_...; returns that, or what it would be at the depth. */
  judge(socket: TLSSocket, result: number): number
}

/** Nobody's certificate is asked for. */
export const NO_CHAINS: ClientChains = { judge: (_socket, result) => result }

export class DepthLimit implements ClientChains {
  readonly #depth: number
  readonly #chains: Chains

  /** `depth`: certificates there may be between a client's and the root; `trusted`: authorities, PEM. */
  constructor(depth: number, trusted: readonly string[]) {
    this.#depth = depth
    this.#chains = new Chains(trusted)
  }

  judge(socket: TLSSocket, result: number): number {
    // A session is only kept of a chain that has been looked at; its chain is not there any more.
    if (result !== 0 || socket.isSessionReused()) return result
    try {
      return this.#count(socket)
    } catch {
      // A certificate so odd that it cannot even be looked at.
      return UNSPECIFIED
    }
  }

  #count(socket: TLSSocket): number {
    const leaf = socket.getPeerX509Certificate()
    if (leaf === undefined) return 0
    const chain = this.#chains.find(leaf)
    if (chain === null) return UNABLE_TO_GET_ISSUER_LOCALLY
    // The root does not count, nor does the client's own.
    if (chain.length - 2 <= this.#depth) return 0
    // OpenSSL stops looking for issuers, and misses the next one.
    return this.#chains.has(chain[this.#depth + 1]!) ? UNABLE_TO_GET_ISSUER : UNABLE_TO_GET_ISSUER_LOCALLY
  }
}
