// Lines of a configuration for a proxy that may not know them all yet.

import { modules } from '../src/worker/modules.ts'
import type { ProxyName } from './proxy.ts'

/** Whether `name` has the directive: nginx has all that stand in the bench's configurations. */
export function knows(name: ProxyName, directive: string): boolean {
  return (
    name === 'nginx' || modules.some(({ commands }) => commands.some((command) => command.name === directive))
  )
}

/** Those of `lines` whose directive `name` has. */
export function knownLines(name: ProxyName, lines: string): string {
  return lines
    .split('\n')
    .filter((line) => line.trim() === '' || knows(name, /[a-z_]+/.exec(line)![0]))
    .join('\n')
}
