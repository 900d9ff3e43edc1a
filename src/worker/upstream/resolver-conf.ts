// `resolver` and `resolver_timeout`: who looks up the names that requests bring up, and those of upstreams that are
// followed while weir runs. And `upstream_unresolvable`: what names come to that have no address at start.

import type { BuildContext, Scope } from '../../shared/conf/build.ts'
import { HTTP, HTTP_ANY, type Setter, UPSTREAM } from '../../shared/conf/command.ts'
import { oneOf, time } from '../../shared/conf/setters.ts'
import { parseSeconds } from '../../shared/conf/values.ts'
import { DEFAULT_RESOLVER, type ResolverSettings } from '../../shared/names/found.ts'
import { defineModule } from '../http/module.ts'
import { addressName, parseUpstreamUrl } from './url.ts'

const DNS_PORT = 53
/** Node's timers run no longer: those that are to do so end at once. */
const LONGEST_TIMER = 2 ** 31 - 1

type Directive = Omit<ResolverSettings, 'timeout'>

interface ResolverConf {
  /** undefined: the system looks names up. */
  resolver: Directive | undefined
  resolverTimeout: number
  upstreamUnresolvable: 'emerg' | 'down'
}

export const resolverDirectives = defineModule<ResolverConf>({
  name: 'resolver',
  commands: [
    { name: 'resolver', in: HTTP_ANY | UPSTREAM, args: [1, Infinity], set: setResolver },
    {
      name: 'resolver_timeout',
      in: HTTP_ANY | UPSTREAM,
      args: 1,
      set: time(),
      default: DEFAULT_RESOLVER.timeout,
    },
    {
      name: 'upstream_unresolvable',
      in: HTTP | UPSTREAM,
      args: 1,
      set: oneOf({ emerg: 'emerg', down: 'down' }),
      default: 'down',
    },
  ],
})

/** What is in force in a scope. */
export function resolverOf(scope: Scope): ResolverSettings {
  const { resolver, resolverTimeout } = scope.conf(resolverDirectives)
  return { ...(resolver ?? DEFAULT_RESOLVER), timeout: Math.min(resolverTimeout, LONGEST_TIMER) }
}

/** Whether a backend whose name has no address makes the configuration invalid, in a scope. */
export function isNeeded(scope: Scope): boolean {
  return scope.conf(resolverDirectives).upstreamUnresolvable === 'emerg'
}

const SWITCHES: Readonly<Record<string, boolean>> = { on: true, off: false }

function setResolver(...[directive, context]: Parameters<Setter>): Directive {
  const servers: string[] = []
  const parameters = { valid: 0, ipv4: true, ipv6: true }
  for (const text of directive.args) {
    const [, name, value = ''] = /^(valid|ipv4|ipv6|status_zone)=(.*)$/s.exec(text) ?? []
    if (name === 'status_zone') {
      context.error('the "status_zone" parameter of the "resolver" directive is not supported by weir yet')
    } else if (name === 'valid') {
      parameters.valid = parseSeconds(value) ?? context.error(`invalid parameter: ${text}`)
    } else if (name === 'ipv4' || name === 'ipv6') {
      parameters[name] = SWITCHES[value] ?? context.error(`invalid parameter: ${text}`)
    } else {
      servers.push(...serverAddresses(text, context))
    }
  }
  if (!parameters.ipv4 && !parameters.ipv6) context.error('"ipv4" and "ipv6" cannot both be "off"')
  if (directive.args.every((text) => /^(valid|ipv[46])=/.test(text))) context.error('no name servers defined')
  return { servers, ...parameters }
}

function serverAddresses(text: string, context: BuildContext): string[] {
  const url = parseUpstreamUrl(text, DNS_PORT, false)
  if ('error' in url) return context.error(`${url.error} in resolver "${text}"`)
  const { host, ip, path, port } = url
  if (path !== null) context.error(`"${text}" in "resolver" is not supported by weir: name a UDP address`)
  // The master's first build has no addresses yet.
  return (ip !== null ? [ip] : context.resolve(host)).map((address) => addressName(address, port))
}
