// What the core module keeps of a server: its listen addresses and names.

import type { Scope } from '../../shared/conf/build.ts'
import type { Listen } from '../http/listen-conf.ts'
import type { ServerName } from '../http/servers.ts'

export interface CoreServer {
  listens: Listen[]
  names: ServerName[]
}

const servers = new WeakMap<Scope, CoreServer>()

/** `listen` and `server_name` of a server scope. */
export function coreServer(scope: Scope): CoreServer {
  return servers.get(scope)!
}

/** Called by the core module when a server's directives are merged. */
export function setCoreServer(scope: Scope, server: CoreServer): void {
  servers.set(scope, server)
}
