// `proxy_redirect`: URLs of the backend in Location and Refresh become those of the location they came through.

import type { Response } from '../../../http/response.ts'
import type { ProxyPass } from './pass.ts'

export interface RedirectPlan {
  /** `http://ADDRESS/URI`, which `proxy_redirect default` replaces by `to`. */
  from: string
  to: string
}

export function makeRedirectPlan(pass: ProxyPass): RedirectPlan {
  return { from: `http://${pass.address}${pass.uri ?? '/'}`, to: pass.uri === null ? '/' : pass.prefix }
}

/** `proxy_redirect default`: a URL of the backend becomes one of this location; null: it is none. */
export function rewriteRedirect({ from, to }: RedirectPlan, url: string): string | null {
  return url.startsWith(from) ? to + url.slice(from.length) : null
}

export function rewriteRefresh(plan: RedirectPlan, response: Response): void {
  const value = response.get('refresh')
  const at = value?.toLowerCase().indexOf('url=') ?? -1
  const url = at < 0 ? null : rewriteRedirect(plan, value!.slice(at + 4))
  if (url === null) return
  response.remove('refresh')
  response.add('Refresh', value!.slice(0, at + 4) + url)
}
