// X-Accel-Redirect: a backend leaves the response to another location of the server, which may well be `internal`.

import { finalize } from '../http/finalize.ts'
import { internalRedirect, namedRedirect } from '../http/phases.ts'
import type { Request } from '../http/request.ts'
import { parseUnsafeUri } from '../http/unsafe-uri.ts'

/** Sends the request to `target`, a URI or the `@name` of a location; it ends by itself. */
export function redirectAsAsked(r: Request, target: string): void {
  if (target.startsWith('@')) return namedRedirect(r, target)
  const uri = parseUnsafeUri(target)
  if ('unsafe' in uri) {
    r.log('error', `unsafe URI "${uri.unsafe}" was detected`)
    return finalize(r, 404)
  }
  if (r.method !== 'HEAD') r.method = 'GET'
  internalRedirect(r, uri.path, uri.args)
}
