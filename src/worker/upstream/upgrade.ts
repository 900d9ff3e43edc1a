// A request that became a tunnel: the client asked for another protocol, and the backend agreed.

import { errnoText } from '../../shared/errno.ts'
import { sendHead } from '../http/finalize.ts'
import type { Request } from '../http/request.ts'
import { clientConnection } from '../modules/connection.ts'
import type { PeerConnection } from './connect.ts'
import type { UpstreamSettings } from './protocol.ts'
import { Tunnel, type TunnelEnd } from './tunnel.ts'

const TIMED_OUT = 'timed out (110: Connection timed out)'

/**
 * Sends the head of `r.response` and joins both connections, after what came early from the backend (`fromPeer`).
 * `ended` is called once both sides are accounted for; it closes the peer's connection and ends the request.
 */
export function openTunnel(
  r: Request,
  connection: PeerConnection,
  { readTimeout, sendTimeout }: UpstreamSettings,
  fromPeer: Buffer | null,
  ended: (tunnel: Tunnel) => void,
): Tunnel {
  r.keepalive = false
  r.doing = 'proxying upgraded connection'
  sendHead(r)
  r.out.flush()
  const conf = r.conf(clientConnection)
  const { transport, early } = r.stream.openTunnel(r)
  const settings = { readTimeout, sendTimeout, clientSendTimeout: conf.sendTimeout }
  const tunnel = new Tunnel(transport, connection.release(), settings, (end) => {
    logEnd(r, tunnel, end)
    // What the client will never get is not what it was sent.
    const lost = end.kind === 'client slow' || end.kind === 'client gone' ? transport.queued : 0
    r.stream.closeTunnel(r, tunnel.peerBytes - lost)
    ended(tunnel)
    // Nothing that is still queued would be taken.
    if (end.kind === 'client slow') transport.destroy(conf.resetTimedoutConnection)
  })
  tunnel.start(early, fromPeer)
  return tunnel
}

/** In nginx's words and levels: of a backend that is silent it says so at `info`. */
function logEnd(r: Request, tunnel: Tunnel, end: TunnelEnd): void {
  switch (end.kind) {
    case 'silence':
      return r.log('info', `${tunnel.peerEnded ? 'client' : 'upstream'} ${TIMED_OUT}`)
    case 'peer slow':
      return r.log('info', `upstream ${TIMED_OUT}`)
    case 'client slow':
      return r.log('info', `client ${TIMED_OUT}`)
    case 'client gone':
      return logGone(r, 'info', end.error)
    case 'peer gone':
      return logGone(r, 'error', end.error)
    default:
  }
}

function logGone(r: Request, level: 'info' | 'error', error: NodeJS.ErrnoException | null): void {
  if (error === null) return
  const call = error.code === 'EPIPE' ? 'send' : 'recv'
  r.log(level, `${call}() failed (${errnoText(error)})`)
}
