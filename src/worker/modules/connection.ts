// The client's connection: how long it is waited for, when it is kept after a response, how it is closed.

import type { BuildContext, Scope } from '../../shared/conf/build.ts'
import { HTTP, HTTP_ANY, SERVER, type Setter } from '../../shared/conf/command.ts'
import { bitmask, flag, number, oneOf, time } from '../../shared/conf/setters.ts'
import { parseSeconds, parseTime } from '../../shared/conf/values.ts'
import { hashName } from '../http/fields.ts'
import { defineModule } from '../http/module.ts'
import type { Request } from '../http/request.ts'
import { now } from '../tick.ts'
import { isMsie6, isSafari } from './user-agent.ts'

export interface KeepaliveTimeout {
  /** Milliseconds an idle connection is kept; 0: not at all. */
  idle: number
  /** Value for the Keep-Alive field, milliseconds; 0: no field. */
  header: number
}

/** Plain values only: connections keep one of these between their requests, beyond the Cycle it is from. */
export interface ConnectionConf {
  keepaliveTimeout: KeepaliveTimeout
  /** Requests a connection carries at most. */
  keepaliveRequests: number
  /** Milliseconds after which a connection is kept no longer. */
  keepaliveTime: number
  /** Milliseconds an idle connection is not closed to make room, or to end a worker. */
  keepaliveMinTimeout: number
  /** MSIE6 | SAFARI */
  keepaliveDisable: number
  clientHeaderTimeout: number
  clientBodyTimeout: number
  sendTimeout: number
  lingeringClose: 'off' | 'on' | 'always'
  /** In all, and between two reads; milliseconds. */
  lingeringTime: number
  lingeringTimeout: number
  /** Timed out connections, and those closed by 444, end with a reset. */
  resetTimedoutConnection: boolean
  tcpNodelay: boolean
}

const MSIE6 = 1
const SAFARI = 2

export const clientConnection = defineModule<ConnectionConf>({
  name: 'connection',
  commands: [
    {
      name: 'keepalive_timeout',
      in: HTTP_ANY,
      args: [1, 2],
      set: setKeepaliveTimeout,
      default: { idle: 75000, header: 0 },
    },
    { name: 'keepalive_requests', in: HTTP_ANY, args: 1, set: number(), default: 1000 },
    { name: 'keepalive_time', in: HTTP_ANY, args: 1, set: time(), default: 3_600_000 },
    { name: 'keepalive_min_timeout', in: HTTP_ANY, args: 1, set: time(), default: 0 },
    {
      name: 'keepalive_disable',
      in: HTTP_ANY,
      args: [1, 2],
      repeat: true,
      set: bitmask({ none: 0, msie6: MSIE6, safari: SAFARI }),
      default: MSIE6,
    },
    { name: 'client_header_timeout', in: HTTP | SERVER, args: 1, set: time(), default: 60000 },
    { name: 'client_body_timeout', in: HTTP_ANY, args: 1, set: time(), default: 60000 },
    { name: 'send_timeout', in: HTTP_ANY, args: 1, set: time(), default: 60000 },
    {
      name: 'lingering_close',
      in: HTTP_ANY,
      args: 1,
      set: oneOf({ off: 'off', on: 'on', always: 'always' }),
      default: 'on',
    },
    { name: 'lingering_time', in: HTTP_ANY, args: 1, set: time(), default: 30000 },
    { name: 'lingering_timeout', in: HTTP_ANY, args: 1, set: time(), default: 5000 },
    { name: 'reset_timedout_connection', in: HTTP_ANY, args: 1, set: flag(), default: false },
    { name: 'tcp_nodelay', in: HTTP_ANY, args: 1, set: flag(), default: true },
  ],
  finish: inheritHeader,
  // Connections start with TCP_NODELAY on: only where it is off there is something to do.
  headerFilter: { when: ({ tcpNodelay }) => !tcpNodelay, run: (r) => r.stream.connection.delaySegments() },
})

function setKeepaliveTimeout(...[directive, context]: Parameters<Setter>): KeepaliveTimeout {
  const [first, second] = directive.args as [string, string | undefined]
  const idle = parseTime(first)
  const header = second === undefined ? UNSET : parseSeconds(second)
  if (idle === null || header === null) {
    return context.error('"keepalive_timeout" directive invalid value')
  }
  return { idle, header }
}

const UNSET = -1

/** As in nginx, a `keepalive_timeout` without its second value leaves the one of the level around in force. */
function inheritHeader(conf: ConnectionConf, scope: Scope, _context: BuildContext): void {
  const { idle, header } = conf.keepaliveTimeout
  if (header !== UNSET) return
  const outer = scope.parent?.conf(clientConnection).keepaliveTimeout.header ?? 0
  conf.keepaliveTimeout = { idle, header: outer }
}

/** Ends the keeping of the connection where the location the request has come to does not want it. */
export function limitKeepalive(r: Request): void {
  const conf = r.conf(clientConnection)
  const { connection } = r.stream
  if (
    conf.keepaliveTimeout.idle === 0 ||
    connection.requests >= conf.keepaliveRequests ||
    now() - connection.opened > conf.keepaliveTime ||
    (conf.keepaliveDisable !== 0 && isDisabled(r, conf.keepaliveDisable))
  ) {
    r.keepalive = false
  }
}

const USER_AGENT = hashName('user-agent')

/** Old browsers that stumble over kept connections: MSIE 6 over answers to POST, Safari over all. */
function isDisabled(r: Request, browsers: number): boolean {
  const msie6 = (browsers & MSIE6) !== 0 && r.client.method === 'POST'
  const safari = (browsers & SAFARI) !== 0
  if (!msie6 && !safari) return false
  const field = r.fields.indexOf('user-agent', USER_AGENT)
  if (field < 0) return false
  const agent = r.fields.value(field)
  return (msie6 && isMsie6(agent)) || (safari && isSafari(agent))
}
