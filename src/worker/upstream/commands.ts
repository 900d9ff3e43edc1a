// Directives that every module which passes requests on has, under its own prefix: the connection to a backend, and what
// follows when it fails.

import { type Command, HTTP_ANY } from '../../shared/conf/command.ts'
import { flag, number, time } from '../../shared/conf/setters.ts'
import { setBind } from './local-address.ts'
import { NEXT, setNextUpstream } from './next.ts'

/** `prefix_bind`, `prefix_socket_keepalive` and the times, for `proxy` or `grpc`. */
export function connectionCommands(prefix: string): Command[] {
  return [
    { name: `${prefix}_bind`, in: HTTP_ANY, args: [1, 2], set: setBind, default: false },
    { name: `${prefix}_socket_keepalive`, in: HTTP_ANY, args: 1, set: flag(), default: false },
    { name: `${prefix}_connect_timeout`, in: HTTP_ANY, args: 1, set: time(), default: 60000 },
    { name: `${prefix}_send_timeout`, in: HTTP_ANY, args: 1, set: time(), default: 60000 },
    { name: `${prefix}_read_timeout`, in: HTTP_ANY, args: 1, set: time(), default: 60000 },
  ]
}

/** `prefix_next_upstream` and its limits. */
export function nextUpstreamCommands(prefix: string): Command[] {
  return [
    {
      name: `${prefix}_next_upstream`,
      in: HTTP_ANY,
      args: [1, Infinity],
      set: setNextUpstream,
      repeat: true,
      default: NEXT.error | NEXT.timeout,
    },
    { name: `${prefix}_next_upstream_tries`, in: HTTP_ANY, args: 1, set: number(), default: 0 },
    { name: `${prefix}_next_upstream_timeout`, in: HTTP_ANY, args: 1, set: time(), default: 0 },
  ]
}
