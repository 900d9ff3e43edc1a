// The command line of `npm run bench`.

import { parseArgs } from 'node:util'
import type { ProxyName } from './proxy.ts'
import type { Scenario } from './scenario.ts'

export interface Options {
  scenarios: readonly Scenario[]
  /** Not every scenario, or not both proxies: results go to another file. */
  partial: boolean
  rounds: number
  seconds: number
  only: ProxyName | null
  /** null: wrk where it is installed. */
  load: 'autocannon' | 'wrk' | null
  backend: 'nginx' | 'node' | null
  /** Base name of the files under bench/results/. */
  out: string | null
}

/** A wrong command line; the message says what is wrong. */
export class UsageError extends Error {}

/** null when only the help was asked for. Throws UsageError. */
export function parseOptions(args: readonly string[], all: readonly Scenario[]): Options | null {
  const values = read(args)
  if (values.help) return null
  const scenarios = choose(values.scenario ?? [], all)
  const only = oneOf('only', values.only, ['weir', 'nginx'])
  return {
    scenarios,
    partial: scenarios.length < all.length || only !== null,
    rounds: whole('rounds', values.rounds, 5),
    seconds: whole('seconds', values.seconds, 5),
    only,
    load: oneOf('load', values.load, ['autocannon', 'wrk']),
    backend: oneOf('backend', values.backend, ['nginx', 'node']),
    out: values.out ?? null,
  }
}

function read(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        help: { type: 'boolean', short: 'h' },
        scenario: { type: 'string', short: 's', multiple: true },
        rounds: { type: 'string', short: 'r' },
        seconds: { type: 'string', short: 'd' },
        only: { type: 'string' },
        load: { type: 'string' },
        backend: { type: 'string' },
        out: { type: 'string', short: 'o' },
      },
    }).values
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

function choose(names: readonly string[], all: readonly Scenario[]): readonly Scenario[] {
  const wanted = names.flatMap((name) => name.split(','))
  for (const name of wanted) {
    if (!all.some((scenario) => scenario.name === name)) {
      throw new UsageError(
        `no scenario "${name}"; there are ${all.map((scenario) => scenario.name).join(', ')}`,
      )
    }
  }
  return wanted.length === 0 ? all : all.filter((scenario) => wanted.includes(scenario.name))
}

function oneOf<T extends string>(name: string, value: string | undefined, allowed: readonly T[]): T | null {
  if (value === undefined) return null
  const found = allowed.find((candidate) => candidate === value)
  if (found === undefined) throw new UsageError(`--${name} takes ${allowed.join(' or ')}, not "${value}"`)
  return found
}

function whole(name: string, value: string | undefined, fallback: number): number {
  if (value === undefined) return fallback
  if (!/^[1-9]\d{0,3}$/.test(value))
    throw new UsageError(`--${name} takes a number from 1 to 9999, not "${value}"`)
  return Number(value)
}

export function helpText(all: readonly Scenario[]): string {
  const width = Math.max(...all.map((scenario) => scenario.name.length))
  const list = all.map((scenario) => `  ${scenario.name.padEnd(width)}  ${scenario.title}`)
  return `Usage: npm run bench -- [options]

Runs weir and nginx on the same nginx.conf, one worker each, before the same backend, and compares the CPU time
they need for a request. Each proxy has one core to itself; load generator and backend share the others. Both are
measured in turn, and the figures are medians over the rounds.

Options:
  -s, --scenario NAME    run this scenario only; may be repeated, or a list with commas
  -r, --rounds N         rounds for each proxy (default 5)
  -d, --seconds S        length of one round (default 5)
      --only weir|nginx  measure one of the two
      --load autocannon|wrk
                         load generator (default: wrk where it is installed, else autocannon)
      --backend nginx|node
                         backend (default: nginx where it is installed, else a small responder on Node)
  -o, --out NAME         write bench/results/NAME.json, .md and .svg (default: latest; partial when only some
                         scenarios or one proxy are measured)
  -h, --help             this text

Scenarios:
${list.join('\n')}
`
}
