// `internal`: locations that only redirects of the configuration lead to, not a client's request.

import type { Scope } from '../../shared/conf/build.ts'
import { LOCATION } from '../../shared/conf/command.ts'
import { defineModule } from '../http/module.ts'

interface InternalConf {
  internal: true | undefined
}

export const internal = defineModule<InternalConf>({
  name: 'internal',
  commands: [{ name: 'internal', in: LOCATION, args: 0, set: () => true }],
})

/** Whether requests of clients are not found in `scope`. Locations inside an internal one are internal too. */
export function isInternal(scope: Scope): boolean {
  return scope.conf(internal).internal === true
}
