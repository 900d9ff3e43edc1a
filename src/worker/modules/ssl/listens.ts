// nginx's check of `listen ... ssl`: somebody has to have a certificate for those who name no server, or nobody that is
// known.

import type { BuildContext, Scope } from '../../../shared/conf/build.ts'
import { listensByKey } from '../../http/servers.ts'

/** What the check looks at of a server. */
export interface TlsServer {
  readonly hasCertificate: boolean
  readonly rejects: boolean
}

/** Checks all addresses below the main scope `root`, whose servers are known. Throws a ConfError. */
export function checkTlsListens(
  root: Scope,
  tlsOf: (scope: Scope) => TlsServer,
  context: BuildContext,
): void {
  for (const listens of listensByKey(root).values()) {
    if (!listens.some(({ listen }) => listen.ssl)) continue
    const first = listens.find(({ listen }) => listen.defaultServer) ?? listens[0]!
    const { hasCertificate, rejects } = tlsOf(first.scope)
    if (hasCertificate) continue
    if (!rejects) refuse(first.scope, context)
    for (const { scope } of listens) {
      const other = tlsOf(scope)
      if (!other.hasCertificate && !other.rejects) refuse(scope, context)
    }
  }
}

function refuse(scope: Scope, context: BuildContext): never {
  context.error('no "ssl_certificate" is defined for the "listen ... ssl" directive', scope.directive)
}
