// The address a client connection came in on: which servers stand behind it, by the newest Cycle, and what is logged
// of the connection outside of its requests.

import type { Level } from '../../shared/error-log.ts'
import type { AddressServers } from '../http/servers.ts'
import { type ConnectionConf, clientConnection } from '../modules/connection.ts'
import type { Transport } from '../transport/transport.ts'
import type { ConnectionHost } from './host.ts'

export class ListenedAt {
  readonly #host: ConnectionHost
  readonly #key: string
  /** The connection itself, also where TLS is spoken on it: a peer that is gone by then has no address any more. */
  readonly #transport: Transport
  #servers: AddressServers | null = null
  /** What SNI says, normalised; '' for nothing. */
  #serverName = ''
  #generation = -1

  /** `key` names the listening socket. */
  constructor(host: ConnectionHost, key: string, transport: Transport) {
    this.#host = host
    this.#key = key
    this.#transport = transport
  }

  /**
   * The client asks by SNI for the server of this name (normalised): if there is one, it is the default one from here
   * on.
   */
  choose(serverName: string): void {
    this.#serverName = serverName
    this.#generation = -1
  }

  /** The name that SNI has chosen a server by; '' for none. */
  get serverName(): string {
    return this.servers.origin !== null ? this.#serverName : ''
  }

  /** The servers of the newest Cycle that listens there. */
  get servers(): AddressServers {
    if (this.#generation === this.#host.generation) return this.#servers!
    const socket = this.#host.servers(this.#key)
    if (socket !== null) {
      const servers = socket.several ? socket.find(this.#transport.localAddress) : socket.fallback
      this.#servers = servers.named(this.#serverName)
    }
    this.#generation = this.#host.generation
    return this.#servers!
  }

  /** The peer's, as Transport has it. */
  get remoteAddress(): string {
    return this.#transport.remoteAddress
  }

  get remotePort(): number {
    return this.#transport.remotePort
  }

  get localPort(): number {
    return this.#transport.localPort
  }

  /** Own side of the connection; `unix:` and the path for a unix socket. */
  get localAddress(): string {
    return this.#transport.localAddress || (this.#key.startsWith('unix:') ? this.#key : '')
  }

  /** Settings that count before a request has chosen its server. */
  get settings(): ConnectionConf {
    return this.servers.defaultServer.plan.confs[clientConnection.index] as ConnectionConf
  }

  /** Logs what happens on the connection while it is `doing` something. */
  log(level: Level, message: string, doing: string, connection: number): void {
    const { errorLog } = this.servers.defaultServer.plan
    if (!errorLog.enabled(level)) return
    errorLog.log(
      level,
      `${message} while ${doing}, client: ${this.#client}, server: ${this.#key}`,
      connection,
    )
  }

  /** Logs that the client has ended a kept connection, as nginx does: without any context. */
  logEndOfKept(connection: number): void {
    const { errorLog } = this.servers.defaultServer.plan
    errorLog.log('info', `client ${this.#client} closed keepalive connection`, connection)
  }

  get #client(): string {
    return this.#transport.remoteAddress || 'unix:'
  }
}
