// Connection and host -> server: which addresses are listened on, which servers stand behind each, and how a name
// picks one (exact, longest wildcard in front, longest wildcard at the end, first regular expression, default).

import type { BuildContext, Cycle, Scope } from '../../shared/conf/build.ts'
import { HTTP, SERVER } from '../../shared/conf/command.ts'
import type { ListenAddress } from '../../shared/messages.ts'
import { HeadRules, headConf } from '../http1/head-rules.ts'
import { coreServer } from '../modules/core-conf.ts'
import { allProtocols, checkListensOf, type Listen, type ListenProtocols } from './listen-conf.ts'
import { type PlanContext, planServer, type ServerPlan } from './plan.ts'
import { matchRegex, type Regex, RegexLimitError } from './regex.ts'
import type { Request } from './request.ts'

/** One name of `server_name`. */
export interface ServerName {
  /** As written. */
  text: string
  regex: Regex | null
}

/** The servers of one listen address. */
export class AddressServers {
  /** What connections begin with, by all `listen`s together. */
  readonly protocols: ListenProtocols
  /** Of those that `named` gives: the ones it was asked of. */
  readonly origin: AddressServers | null
  #default: ServerPlan | null = null
  #exact = new Map<string, ServerPlan>()
  /** `*.example.com` and `.example.com` by what follows the first label, with its dot. */
  #leading = new Map<string, ServerPlan>()
  /** `mail.*` by what stands before the last labels, with its dot. */
  #trailing = new Map<string, ServerPlan>()
  #regexes: { regex: Regex; server: ServerPlan }[] = []
  #servers = new Set<ServerPlan>()
  #headRules: HeadRules | null = null
  /** The same servers with another default, by that. */
  readonly #views = new Map<ServerPlan, AddressServers>()

  constructor(protocols: ListenProtocols, origin: AddressServers | null = null) {
    this.protocols = protocols
    this.origin = origin
  }

  /** Connections are HTTP/1 from their first byte on. */
  get straight(): boolean {
    const { proxyProtocol, ssl } = this.protocols
    return !proxyProtocol && !ssl && !this.http2
  }

  /** Clients of the default server may speak HTTP/2. */
  get http2(): boolean {
    return this.protocols.http2 || this.defaultServer.http2
  }

  /**
   * The servers as a connection sees them whose client named one of them in SNI (normalised; '' for none): that one takes
   * the place of the default.
   */
  named(serverName: string): AddressServers {
    if (serverName === '') return this
    const server = this.#exact.get(serverName) ?? this.#findWildcard(serverName) ?? this.#matching(serverName)
    if (server === null) return this
    let view = this.#views.get(server)
    if (view === undefined) this.#views.set(server, (view = this.#viewOf(server)))
    return view
  }

  #viewOf(server: ServerPlan): AddressServers {
    const view = new AddressServers(this.protocols, this)
    view.#default = server
    view.#exact = this.#exact
    view.#leading = this.#leading
    view.#trailing = this.#trailing
    view.#regexes = this.#regexes
    view.#servers = this.#servers
    return view
  }

  /** How the heads of requests to this address are read. */
  get headRules(): HeadRules {
    this.#headRules ??= new HeadRules(
      headConf(this.defaultServer),
      [...this.#servers].map(headConf),
      (host) => this.#exact.get(host) ?? this.#findWildcard(host) ?? this.#matching(host),
    )
    return this.#headRules
  }

  /** The server for requests that name none of the others. */
  get defaultServer(): ServerPlan {
    return this.#default!
  }

  /** `explicit`: the listen says `default_server`; otherwise the first server is the default. */
  add(server: ServerPlan, names: readonly ServerName[], explicit: boolean): void {
    if (explicit || this.#default === null) this.#default = server
    this.#servers.add(server)
    for (const name of names) this.#addName(server, name)
  }

  /** The server for `host` (normalised; '' for none). */
  find(r: Request, host: string): ServerPlan {
    const exact = this.#exact.get(host)
    if (exact !== undefined) return exact
    // As in nginx what SNI has chosen ends here: hosts that nobody has are for the address's default server.
    const { defaultServer } = this.origin ?? this
    if (host === '') return defaultServer
    return this.#findWildcard(host) ?? this.#findRegex(r, host) ?? defaultServer
  }

  #findWildcard(host: string): ServerPlan | null {
    if (this.#leading.size > 0) {
      for (let dot = host.indexOf('.'); dot >= 0; dot = host.indexOf('.', dot + 1)) {
        const server = this.#leading.get(host.slice(dot))
        if (server !== undefined) return server
      }
    }
    if (this.#trailing.size > 0) {
      for (let dot = host.lastIndexOf('.'); dot > 0; dot = host.lastIndexOf('.', dot - 1)) {
        const server = this.#trailing.get(host.slice(0, dot + 1))
        if (server !== undefined) return server
      }
    }
    return null
  }

  #findRegex(r: Request, host: string): ServerPlan | null {
    for (const { regex, server } of this.#regexes) if (matchRegex(r, regex, host)) return server
    return null
  }

  /** As #findRegex, before there is a request. */
  #matching(host: string): ServerPlan | null {
    try {
      return this.#regexes.find(({ regex }) => regex.exec(host) !== null)?.server ?? null
    } catch (error) {
      // The request will be closed and logged for it when its server is to be found.
      if (error instanceof RegexLimitError) return null
      throw error
    }
  }

  #addName(server: ServerPlan, { text, regex }: ServerName): void {
    if (regex !== null) {
      this.#regexes.push({ regex, server })
      return
    }
    const name = text.toLowerCase()
    if (name.startsWith('*.')) this.#set(this.#leading, name.slice(1), server)
    else if (name.endsWith('.*')) this.#set(this.#trailing, name.slice(0, -1), server)
    else if (name.startsWith('.')) {
      this.#set(this.#exact, name.slice(1), server)
      this.#set(this.#leading, name, server)
    } else this.#set(this.#exact, name, server)
  }

  /** The first server with a name keeps it. */
  #set(map: Map<string, ServerPlan>, name: string, server: ServerPlan): void {
    if (!map.has(name)) map.set(name, server)
  }
}

/** The addresses served through one listening socket. */
export class SocketServers {
  readonly #byAddress = new Map<string, AddressServers>()
  readonly #fallback: AddressServers

  constructor(fallback: AddressServers) {
    this.#fallback = fallback
  }

  add(host: string, servers: AddressServers): void {
    this.#byAddress.set(host, servers)
  }

  /** The connection's own address has to be known to choose. */
  get several(): boolean {
    return this.#byAddress.size > 0
  }

  find(localAddress: string): AddressServers {
    return this.#byAddress.get(localAddress) ?? this.#fallback
  }

  get fallback(): AddressServers {
    return this.#fallback
  }
}

/** One `listen` and the server it stands in. */
export interface ServerListen {
  scope: Scope
  listen: Listen
}

function httpScope(root: Scope): Scope | null {
  return root.children.find((scope) => scope.kind === HTTP) ?? null
}

/** Every `listen` of every server, by address key in the order of the file. */
export function listensByKey(root: Scope): Map<string, ServerListen[]> {
  const byKey = new Map<string, ServerListen[]>()
  for (const scope of httpScope(root)?.children ?? []) {
    if (scope.kind !== SERVER) continue
    for (const listen of coreServer(scope).listens) {
      const list = byKey.get(listen.address.key)
      if (list === undefined) byKey.set(listen.address.key, [{ scope, listen }])
      else list.push({ scope, listen })
    }
  }
  return byKey
}

/** One address with the socket parameters that one of its `listen`s gives. */
function socketAddress(listens: ServerListen[]): ListenAddress {
  return (listens.find(({ listen }) => listen.socketOptions) ?? listens[0]!).listen.address
}

/** Key of the wildcard address that covers `address`, itself excepted. */
function wildcardKey({ host, port, key }: ListenAddress): string | null {
  if (host === null) return null
  const wildcard = host.includes(':') ? `[::]:${port}` : `0.0.0.0:${port}`
  return wildcard === key ? null : wildcard
}

/** As nginx: an address is covered by the wildcard socket of its port unless it has socket parameters of its own. */
function coveredBy(listens: ServerListen[], byKey: Map<string, ServerListen[]>): string | null {
  if (listens.some(({ listen }) => listen.socketOptions)) return null
  const wildcard = wildcardKey(listens[0]!.listen.address)
  return wildcard !== null && byKey.has(wildcard) ? wildcard : null
}

/** The sockets a Cycle needs. */
export function listenAddresses(cycle: Cycle): ListenAddress[] {
  const byKey = listensByKey(cycle.root)
  return [...byKey.values()].filter((listens) => coveredBy(listens, byKey) === null).map(socketAddress)
}

/** nginx's checks across servers: one default server and one set of socket parameters an address. */
export function checkListens(root: Scope, context: BuildContext): void {
  for (const [key, listens] of listensByKey(root)) {
    checkListensOf(
      key,
      listens.map(({ listen }) => listen),
      context,
    )
  }
}

/** Plans all servers of a Cycle: what stands behind each listening socket, by its key. */
export function planServers(cycle: Cycle, context: PlanContext): Map<string, SocketServers> {
  const byKey = listensByKey(cycle.root)
  const plans = new Map<Scope, ServerPlan>()
  const addresses = new Map<string, AddressServers>()
  for (const [key, listens] of byKey) {
    const servers = new AddressServers(allProtocols(listens.map(({ listen }) => listen)))
    for (const { scope, listen } of listens) {
      const { names } = coreServer(scope)
      let plan = plans.get(scope)
      if (plan === undefined) plans.set(scope, (plan = planServer(scope, names[0]?.text ?? '', context)))
      servers.add(plan, names, listen.defaultServer)
    }
    addresses.set(key, servers)
  }
  const sockets = new Map<string, SocketServers>()
  for (const [key, listens] of byKey) {
    if (coveredBy(listens, byKey) === null) sockets.set(key, new SocketServers(addresses.get(key)!))
  }
  for (const [key, listens] of byKey) {
    const wildcard = coveredBy(listens, byKey)
    if (wildcard !== null) sockets.get(wildcard)!.add(listens[0]!.listen.address.host!, addresses.get(key)!)
  }
  return sockets
}
