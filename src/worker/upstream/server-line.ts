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
  readonly directive: Directive
}

/** Parameters of nginx that are not there yet. */
const LATER = /^(service|route)=|^(drain|resolve)$/

type Options = { -readonly [K in keyof PeerOptions]: PeerOptions[K] }
/** Takes what stands behind `=`; false: it makes no sense. */
type Parameter = (options: Options, value: string) => boolean

/** Parameters with a value by name. */
const valued: Readonly<Record<string, Parameter>> = {
  weight: (options, value) => set(options, 'weight', parseInteger(value) || null),
  max_conns: (options, value) => set(options, 'maxConns', parseInteger(value)),
  max_fails: (options, value) => set(options, 'maxFails', parseInteger(value)),
  fail_timeout: (options, value) => set(options, 'failTimeout', parseSeconds(value)),
  slow_start: (options, value) => set(options, 'slowStart', parseTime(value)),
}
const flags: Readonly<Record<string, 'backup' | 'down'>> = { backup: 'backup', down: 'down' }

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
  const options = { ...DEFAULT_PEER }
  for (const parameter of parameters) {
    const at = parameter.indexOf('=')
    const name = at < 0 ? parameter : parameter.slice(0, at)
    if (LATER.test(parameter)) {
      context.error(`the "${name}" parameter of the "server" directive is not supported by weir yet`)
    }
    if ((without as readonly string[]).includes(name)) {
      context.error(`balancing method does not support parameter "${parameter}"`)
    }
    const known = at < 0 ? Object.hasOwn(flags, name) : Object.hasOwn(valued, name)
    if (known && at < 0) options[flags[name]!] = true
    else if (!known || !valued[name]!(options, parameter.slice(at + 1))) {
      context.error(`invalid parameter "${parameter}"`)
    }
  }
  return { address, options, directive }
}
