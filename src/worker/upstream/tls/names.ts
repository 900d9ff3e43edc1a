// The name of a backend as nginx makes it of `proxy_ssl_name`: for the check of its certificate, and for SNI.

import { isIP } from 'node:net'

/** The name without the port behind it, which `$proxy_host` and `$http_host` may have. */
export function withoutPort(name: string): string {
  const bracket = name.startsWith('[') ? name.indexOf(']') : 0
  const colon = name.indexOf(':', Math.max(0, bracket))
  return colon < 0 ? name : name.slice(0, colon)
}

/** What SNI may say for a name without port: RFC 6066 section 3 has no addresses in it. '' for nothing. */
export function serverNameOf(name: string): string {
  return name.startsWith('[') || isIP(name) !== 0 ? '' : name
}
