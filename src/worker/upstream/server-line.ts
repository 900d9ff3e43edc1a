// `server` of upstream{}: an address and its parameters.

import type { BuildContext } from '../../shared/conf/build.ts'
import type { Directive } from '../../shared/conf/directive.ts'
import { parseInteger, parseSeconds, parseTime } from '../../shared/conf/values.ts'
import type { ServerParameter } from './balance/methods.ts'
import { DEFAULT_PEER, type PeerOptions } from './peers.ts'

/** One `server` line, as written: it is resolved when the block is complete. */
export interface ServerLine {
  readonly address: string
  readonly options: PeerOptions
  /** Its name is followed while weir runs. */
  readonly resolve: boolean
  /** `service=` */
  readonly service: string | null
  readonly directive: Directive
}

/** Longest `route=`: that of the hash in whose place it stands. */
const LONGEST_ROUTE = 32

type Options = { -readonly [K in keyof PeerOptions]: PeerOptions[K] }
/** A line while it is being read. */
type Draft = { -readonly [K in 'resolve' | 'service']: ServerLine[K] } & { readonly options: Options }
/** Takes what stands behind `=`; false: it makes no sense. */
type Parameter = (line: Draft, value: string, context: BuildContext) => boolean

/** Parameters with a value by name. */
const valued: Readonly<Record<string, Parameter>> = {
  weight: ({ options }, value) => set(options, 'weight', readWeight(value)),
  max_conns: ({ options }, value) => set(options, 'maxConns', parseInteger(value)),
  max_fails: ({ options }, value) => set(options, 'maxFails', parseInteger(value)),
  fail_timeout: ({ options }, value) => set(options, 'failTimeout', parseSeconds(value)),
  slow_start: ({ options }, value) => set(options, 'slowStart', parseTime(value)),
  route: ({ options }, value, context) => set(options, 'route', readRoute(value, context)),
  service: (line, value, context) => {
    if (value === '') context.error('service is empty')
    line.service = value
    return true
  },
}
/** Parameters without one. Of `down` and `drain` the last one counts. */
const flags: Readonly<Record<string, (line: Draft) => void>> = {
  backup: ({ options }) => Object.assign(options, { backup: true }),
  down: ({ options }) => Object.assign(options, { down: true, drain: false }),
  drain: ({ options }) => Object.assign(options, { down: false, drain: true }),
  resolve: (line) => {
    line.resolve = true
  },
}

/** Names of all parameters; `=` follows those that have a value. */
export const serverParameters: readonly string[] = [
  ...Object.keys(flags),
  ...Object.keys(valued).map((name) => `${name}=`),
].sort()

function set<K extends keyof Options>(options: Options, name: K, value: Options[K] | null): boolean {
  if (value === null) return false
  options[name] = value
  return true
}

/** Reads one line; `without`: parameters the balancing method has no use for. */
export function readServer(
  directive: Directive,
  context: BuildContext,
  without: readonly ServerParameter[],
): ServerLine {
  const [address, ...parameters] = directive.args as [string, ...string[]]
  const line: Draft = { options: { ...DEFAULT_PEER }, resolve: false, service: null }
  for (const parameter of parameters) {
    const at = parameter.indexOf('=')
    const name = at < 0 ? parameter : parameter.slice(0, at)
    if ((without as readonly string[]).includes(name)) {
      context.error(`balancing method does not support parameter "${parameter}"`)
    }
    const known = at < 0 ? Object.hasOwn(flags, name) : Object.hasOwn(valued, name)
    if (known && at < 0) flags[name]!(line)
    else if (!known || !valued[name]!(line, parameter.slice(at + 1), context)) {
      context.invalidParameter(parameter, serverParameters)
    }
  }
  if (line.service !== null && !line.resolve) {
    context.error(`service upstream "${address}" requires "resolve" parameter`)
  }
  return { address, ...line, directive }
}

/** Shared memory has no room for more, and nothing could tell the difference. */
const MOST_WEIGHT = 2 ** 31 - 1

function readWeight(value: string): number | null {
  const weight = parseInteger(value)
  return weight === null || weight === 0 ? null : Math.min(weight, MOST_WEIGHT)
}

function readRoute(route: string, context: BuildContext): string {
  if (route === '') context.error('route is empty')
  if (route.length > LONGEST_ROUTE) context.error(`route is longer than ${LONGEST_ROUTE}`)
  return route
}
