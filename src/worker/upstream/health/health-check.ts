// `health_check` and `match`: which upstreams are asked how they are, and how. Checked here, in every thread; the master
// does the asking (src/master/health/).

import type { BuildContext, Scope } from '../../../shared/conf/build.ts'
import { HTTP, LOCATION, type Setter, UPSTREAM } from '../../../shared/conf/command.ts'
import { parseInteger, parseTime } from '../../../shared/conf/values.ts'
import { defineModule } from '../../http/module.ts'
import type { Request } from '../../http/request.ts'
import type { ProxyPlan } from '../../modules/content/proxy/plan.ts'
import { proxy } from '../../modules/content/proxy/proxy.ts'
import type { PeerGroup } from '../peers.ts'
import type { UpstreamSettings } from '../protocol.ts'
import type { TlsClient } from '../tls/client.ts'
import { addMatch, defaultMatch, type Match } from './match.ts'
import { ProbeRequests } from './probe-request.ts'

/** The parameters of `health_check`; times in milliseconds. */
export interface CheckOptions {
  /** From one check of a peer to its next one; default 5 seconds. */
  readonly interval: number
  /** Each is put off by a random time up to this; default 0. */
  readonly jitter: number
  /** Failed checks in a row that make a peer unhealthy; default 1. */
  readonly fails: number
  /** Passed ones that make it healthy again; default 1. */
  readonly passes: number
  /** Default `/`. */
  readonly uri: string
  /** 0, the default: that of the peer. */
  readonly port: number
  /** Name of the `match`; null: any status from 200 to 399 will do. */
  readonly match: string | null
  /** A peer gets requests only once a check has passed. */
  readonly mandatory: boolean
  /** Not after a reload, where it was healthy before. */
  readonly persistent: boolean
  /** `tcp`: that a connection comes about is enough. */
  readonly type: 'http' | 'tcp'
  /** A connection serves several checks for so long; 0, the default: each has its own. */
  readonly keepaliveTime: number
}

const DEFAULTS: CheckOptions = {
  interval: 5000,
  jitter: 0,
  fails: 1,
  passes: 1,
  uri: '/',
  port: 0,
  match: null,
  mandatory: false,
  persistent: false,
  type: 'http',
  keepaliveTime: 0,
}

/** One `health_check`, with all it needs of where it stands. */
export interface HealthCheck extends Omit<CheckOptions, 'match'> {
  readonly group: PeerGroup
  readonly match: Match
  readonly requests: ProbeRequests
  /** `proxy_*_timeout` and `proxy_bind` of the location. */
  readonly settings: UpstreamSettings
  /** Its `proxy_ssl_*`: how peers are spoken to by TLS, or null where that cannot be; null where they are not. */
  readonly tls: ((r: Request) => TlsClient | null) | null
}

interface HealthConf {
  healthCheck: CheckOptions | undefined
  match: ReadonlyMap<string, Match> | undefined
}

const checks = new WeakMap<BuildContext, HealthCheck[]>()

/** All of a configuration, in its order. */
export function healthChecks(context: BuildContext): readonly HealthCheck[] {
  return checks.get(context) ?? []
}

export const healthCheck = defineModule<HealthConf>({
  name: 'health_check',
  commands: [
    { name: 'health_check', in: LOCATION, args: [0, Infinity], set: readOptions, inherit: false },
    { name: 'match', in: HTTP, args: 1, block: 'raw', repeat: true, set: addMatch },
  ],
  finish(conf, scope, context) {
    if (scope.kind === LOCATION && conf.healthCheck !== undefined) addCheck(conf.healthCheck, scope, context)
  },
})

type Options = { -readonly [K in keyof CheckOptions]: CheckOptions[K] }
/** Takes what stands behind `=`; false: it makes no sense. */
type Parameter = (options: Options, value: string) => boolean

/** A number from 1 on, or a time that is not 0; 0 stands for what is neither. */
const positive = (value: number | null) => value ?? 0

const parameters: Readonly<Record<string, Parameter>> = {
  interval: (options, value) => (options.interval = positive(parseTime(value))) > 0,
  jitter: (options, value) => (options.jitter = parseTime(value) ?? -1) >= 0,
  fails: (options, value) => (options.fails = positive(parseInteger(value))) > 0,
  passes: (options, value) => (options.passes = positive(parseInteger(value))) > 0,
  uri: (options, value) => /^\/[\x21-\xff]*$/.test((options.uri = value)),
  port: (options, value) => (options.port = positive(parseInteger(value))) > 0 && options.port <= 65535,
  match: (options, value) => (options.match = value) !== '',
  keepalive_time: (options, value) => (options.keepaliveTime = positive(parseTime(value))) > 0,
  type: (options, value) => {
    if (value !== 'http' && value !== 'tcp') return false
    options.type = value
    return true
  },
}

const GRPC = /^(type=grpc$|grpc_service=|grpc_status=)/
const KNOWN = ['mandatory', 'persistent', ...Object.keys(parameters).map((name) => `${name}=`)]
/** What a check that only connects has no use for. */
const HTTP_ONLY = ['uri', 'match', 'keepalive_time']

function readOptions(...[directive, context]: Parameters<Setter>): CheckOptions {
  const options: Options = { ...DEFAULTS }
  const given = new Set<string>()
  for (const argument of directive.args) {
    const at = argument.indexOf('=')
    const name = at < 0 ? argument : argument.slice(0, at)
    given.add(name)
    if (GRPC.test(argument)) {
      const what = name === 'type' ? argument : name
      context.error(`the "${what}" parameter of the "health_check" directive is not supported by weir yet`)
    }
    if (argument === 'mandatory' || argument === 'persistent') options[argument] = true
    else if (
      at < 0 ||
      !Object.hasOwn(parameters, name) ||
      !parameters[name]!(options, argument.slice(at + 1))
    ) {
      context.invalidParameter(argument, KNOWN)
    }
  }
  if (options.persistent && !options.mandatory) {
    context.error('the "persistent" parameter of the "health_check" directive requires "mandatory"')
  }
  const useless = options.type === 'tcp' ? HTTP_ONLY.find((name) => given.has(name)) : undefined
  if (useless !== undefined) {
    context.error(
      `the "${useless}" parameter of the "health_check" directive is not compatible with "type=tcp"`,
    )
  }
  return options
}

function addCheck(options: CheckOptions, scope: Scope, context: BuildContext): void {
  context.directive = scope.directive!.block!.find(({ name }) => name === 'health_check')!
  const match = matchOf(options, scope, context)
  const plan = planOf(scope, context)
  const { group, protocol } = plan.fixed!
  const check = {
    ...options,
    match,
    group,
    requests: new ProbeRequests(scope, plan, options.uri),
    settings: plan.settings,
    tls: protocol.secure ? (r: Request) => protocol.tls(r) : null,
  }
  const known = checks.get(context)
  if (known === undefined) checks.set(context, [check])
  else known.push(check)
  context.directive = scope.directive
}

function matchOf({ match: name }: CheckOptions, scope: Scope, context: BuildContext): Match {
  if (name === null) return defaultMatch()
  const known = scope.within(HTTP)!.conf(healthCheck).match
  return known?.get(name) ?? context.error(`unknown match "${name}"`)
}

/** How the location passes requests on: to an upstream{} block that is named in the configuration. */
function planOf(scope: Scope, context: BuildContext): ProxyPlan {
  const { plan } = scope.conf(proxy)
  if (plan === null) context.error('"health_check" requires "proxy_pass" in the same location')
  const { target } = plan.pass
  if (target === null) context.error('"health_check" requires "proxy_pass" without variables')
  const blocks = scope.within(HTTP)!.children.filter(({ kind }) => kind === UPSTREAM)
  if (!blocks.some(({ directive }) => directive!.args[0]!.toLowerCase() === target.key)) {
    context.error(`"health_check" requires "proxy_pass" to an upstream, "${target.host}" is none`)
  }
  return plan
}
