// What kinds of health checks have in common: each asks one peer once, and says how that went.

import type { NetConnectOpts, TcpNetConnectOpts } from 'node:net'
import type { Level } from '../../shared/error-log.ts'
import { utf8 } from '../../shared/latin1.ts'
import type { HealthCheck } from '../../worker/upstream/health/health-check.ts'
import { connectFailure } from '../../worker/upstream/next.ts'
import type { PeerAddress } from '../../worker/upstream/peers.ts'

export interface Verdict {
  readonly passed: boolean
  /** What was being done when that was clear: `checking body`. */
  readonly doing: string
  /** What went wrong, in nginx's words for the error log; '': nothing but that the answer is not as it should be. */
  readonly error: string
  /** Default `error`. */
  readonly level?: Level
}

/** Asks one peer, again and again, but once at a time. */
export interface Prober {
  /** Calls `done` once, unless it is stopped before. Not to be called again until then. */
  start(done: (verdict: Verdict) => void): void
  /** Gives up what is under way, and closes what is kept. */
  stop(): void
}

export const TIMED_OUT = 'upstream timed out (110: Connection timed out)'
export const CONNECTING = 'connecting to upstream'
export const HANDSHAKING = 'SSL handshaking to upstream'

/** The longest time Node can wait. */
const LONGEST = 2 ** 31 - 1

/** As a delay of Node's; nginx's 0 is as soon as can be. */
export function delay(time: number): number {
  return Math.min(Math.max(1, time), LONGEST)
}

/** Where `check` asks `peer`, and from where. */
export function placeOf({ port, settings, requests }: HealthCheck, peer: PeerAddress): NetConnectOpts {
  if (peer.path !== null) return { path: utf8(peer.path) }
  const options: TcpNetConnectOpts = {
    host: peer.host!,
    port: port || peer.port,
    noDelay: true,
    keepAlive: settings.socketKeepalive,
  }
  const local = settings.bind?.find(requests.make()) ?? null
  if (local !== null) {
    options.localAddress = local.ip
    if (local.port !== 0) options.localPort = local.port
  }
  return options
}

export function connectVerdict(error: NodeJS.ErrnoException, peer: PeerAddress, doing = CONNECTING): Verdict {
  const { message, level = 'error' } = connectFailure(error, peer)
  return { passed: false, doing, error: message, level }
}
