// A request that became a tunnel: the client asked for another protocol, and the backend agreed.

import { sendHead } from '../http/finalize.ts'
import type { Request } from '../http/request.ts'
import type { PeerConnection } from './connect.ts'
import { Tunnel, type TunnelEnd, type TunnelSettings } from './tunnel.ts'

/**
 * Sends the head of `r.response` and joins both connections, after what came early from the backend (`fromPeer`).
 * `ended` is called once both sides are accounted for; it closes the peer's connection and ends the request.
 */
export function openTunnel(
  r: Request,
  connection: PeerConnection,
  settings: TunnelSettings,
  fromPeer: Buffer | null,
  ended: (tunnel: Tunnel) => void,
): void {
  r.keepalive = false
  r.doing = 'proxying upgraded connection'
  sendHead(r)
  r.out.flush()
  r.source = null
  const { transport, early } = r.stream.openTunnel(r)
  const tunnel = new Tunnel(transport, connection.release(), settings, (end) => {
    account(r, tunnel, end)
    ended(tunnel)
    // Nothing that is still queued would be taken.
    if (end === 'client timeout') transport.destroy()
  })
  tunnel.start(early, fromPeer)
}

function account(r: Request, tunnel: Tunnel, end: TunnelEnd): void {
  r.length += tunnel.clientBytes
  if (end === 'peer timeout') r.log('error', 'upstream timed out (110: Connection timed out)')
  if (end === 'client timeout') r.log('info', 'client timed out (110: Connection timed out)')
  r.stream.closeTunnel(r, tunnel.peerBytes)
}
