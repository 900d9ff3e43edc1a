// Makes a Transport of a socket: on its handle where this Node allows, else on the socket itself.

import type { Socket } from 'node:net'
import { HandleTransport, stealHandle } from './handle-transport.ts'
import { SocketTransport } from './socket-transport.ts'
import type { Transport, TransportOwner } from './transport.ts'

/** Takes over `socket` (connected or accepted; not read from yet). The transport is paused. */
export function openTransport(socket: Socket, owner: TransportOwner): Transport {
  return stealHandle(socket, owner) ?? new SocketTransport(socket, owner)
}

/** Gives back the socket of a transport that `openTransport` made, paused: from here on the transport is nobody's. */
export function takeSocket(transport: Transport): Socket {
  if (transport instanceof HandleTransport || transport instanceof SocketTransport) return transport.release()
  throw new Error('only transports on sockets can be given back')
}
