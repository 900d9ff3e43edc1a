// A listening socket that gives away what it accepts without a net.Socket around it: making one here, and another in
// the thread that serves the connection, is most of what a hand-over costs. With src/worker/transport/
// handle-transport.ts the place where private members of Node are used (`server._handle`); without them the server's
// public 'connection' event does the same, at a higher price.

import { type BoundSocket, createServer, type Server, type Socket } from 'node:net'
import { errnoText } from './errno.ts'
import { utf8 } from './latin1.ts'
import type { AcceptedConnection, ListenAddress } from './messages.ts'

/** Node's handle of a listening socket, as far as it is used here. */
interface ServerHandle {
  onconnection: (error: number, handle: object | undefined) => void
  setNoDelay?(on: boolean): number
}

/** Node's handle of an accepted connection, as far as it is used here. */
interface ConnectionHandle {
  readonly fd?: number
  close(): void
}

export interface ListeningEvents {
  accepted(connection: AcceptedConnection): void
  /** accept() failed; `reason` in nginx's form. The socket goes on listening. */
  acceptFailed(reason: string): void
}

/** Listens on a bound socket, or binds a unix one itself. Rejects with the system's error. */
export async function listenOn(
  address: ListenAddress,
  bound: BoundSocket | null,
  events: ListeningEvents,
): Promise<Server> {
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: address.path === null })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.once('listening', () => {
      server.off('error', reject)
      resolve()
    })
    if (bound !== null) server.listen(bound, address.backlog)
    // Anyone may connect, as with nginx; the folder's permissions decide.
    else
      server.listen({
        path: utf8(address.path!),
        backlog: address.backlog,
        readableAll: true,
        writableAll: true,
      })
  })
  server.on('error', (error) => events.acceptFailed(errnoText(error)))
  if (!acceptHandles(server, address, events))
    server.on('connection', (socket) => accept(socket, address, events))
  return server
}

/** Closes a listening socket; accepted connections are not its own. */
export function stopListening(server: Server): void {
  server.close()
}

function accept(socket: Socket, address: ListenAddress, events: ListeningEvents): void {
  const keepalive = address.soKeepalive
  if (keepalive !== null) {
    const { on, idle, interval, count } = keepalive
    socket.setKeepAlive({
      enable: on,
      ...(idle > 0 && { initialDelay: idle }),
      ...(interval > 0 && { interval }),
      ...(count > 0 && { count }),
    })
  }
  events.accepted({ socket })
}

/** Takes accepted handles as they come; false where this Node, or a socket option, needs the socket. */
function acceptHandles(server: Server, address: ListenAddress, events: ListeningEvents): boolean {
  const handle = (server as unknown as { _handle?: ServerHandle })._handle
  if (typeof handle?.onconnection !== 'function' || address.soKeepalive !== null) return false
  if (process.env.WEIR_TRANSPORT === 'socket') return false
  if (address.path === null) {
    if (typeof handle.setNoDelay !== 'function') return false
    // Accepted connections inherit it: one system call less for each.
    handle.setNoDelay(true)
  }
  handle.onconnection = (error, accepted) => {
    if (accepted !== undefined && error === 0) events.accepted({ handle: accepted })
    else events.acceptFailed(errnoText(systemError(error)))
  }
  return true
}

function systemError(errno: number): NodeJS.ErrnoException {
  return Object.assign(new Error('accept'), { errno, code: 'EACCEPT' })
}

/** Closes a connection that nobody takes. */
export function closeConnection(connection: AcceptedConnection): void {
  if ('socket' in connection) connection.socket.destroy()
  else (connection.handle as ConnectionHandle).close()
}

/** Whether a connection that was transferred is still here: its receiver was gone. */
export function isStillOurs(connection: AcceptedConnection): boolean {
  if ('socket' in connection) return !connection.socket.destroyed
  return (connection.handle as ConnectionHandle).fd !== -1
}

/** What the engine asks of a socket before it takes the handle out of it. */
class BareSocket {
  readonly _handle: ConnectionHandle
  readonly destroyed = false

  constructor(handle: ConnectionHandle) {
    this._handle = handle
  }

  destroy(): void {
    this._handle.close()
  }
}

/** The connection in the form that src/worker/transport/open.ts takes. */
export function asSocket(connection: AcceptedConnection): Socket {
  if ('socket' in connection) return connection.socket
  return new BareSocket(connection.handle as ConnectionHandle) as unknown as Socket
}
