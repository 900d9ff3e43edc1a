// What the Location of a redirect to a path becomes: a URL with a scheme, a host and a port, or the path as it is.

import { HTTP_ANY } from '../../shared/conf/command.ts'
import { flag } from '../../shared/conf/setters.ts'
import { defineModule } from '../http/module.ts'
import type { Request } from '../http/request.ts'

interface RedirectsConf {
  absoluteRedirect: boolean
  portInRedirect: boolean
  serverNameInRedirect: boolean
}

export const redirects = defineModule<RedirectsConf>({
  name: 'redirects',
  commands: [
    { name: 'absolute_redirect', in: HTTP_ANY, args: 1, set: flag(), default: true },
    { name: 'port_in_redirect', in: HTTP_ANY, args: 1, set: flag(), default: true },
    { name: 'server_name_in_redirect', in: HTTP_ANY, args: 1, set: flag(), default: false },
  ],
})

/** The URL that `location`, a path, stands for; null where it is sent as it is. */
export function absoluteLocation(r: Request, location: string): string | null {
  const conf = r.conf(redirects)
  if (!conf.absoluteRedirect) return null
  const { localAddress, localPort, tls } = r.stream.connection
  const host = conf.serverNameInRedirect ? r.server.firstName : r.host || localAddress || 'unix:'
  const named = conf.portInRedirect && localPort !== 0 && localPort !== (tls ? 443 : 80)
  return `${tls ? 'https' : 'http'}://${host}${named ? `:${localPort}` : ''}${location}`
}
