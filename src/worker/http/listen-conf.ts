// The `listen` directive: its address forms and parameters, as nginx reads them.

import type { BuildContext } from '../../shared/conf/build.ts'
import type { Setter } from '../../shared/conf/command.ts'
import { parseTime } from '../../shared/conf/values.ts'
import type { ListenAddress } from '../../shared/messages.ts'

/** One `listen` of one server. */
export interface Listen {
  address: ListenAddress
  defaultServer: boolean
  /** Parameters of the socket itself were given: it gets a socket of its own, and they may stand only once. */
  socketOptions: boolean
  /** Connections begin with a PROXY protocol header. */
  proxyProtocol: boolean
}

/** Parameters of nginx that weir does not act on yet: never accepted silently. */
const REFUSED = ['ssl', 'http2', 'quic', 'spdy']
/** Tuning of the socket that Node does not offer. */
const WITHOUT_EFFECT = /^(deferred|setfib=.*|fastopen=.*|rcvbuf=.*|sndbuf=.*|accept_filter=.*|multipath)$/

/** Setter of `listen`: adds to the server's list. */
export const addListen: Setter = (directive, context, previous) => {
  const list = (previous as Listen[] | undefined) ?? []
  const listen = parseListen(directive.args, context)
  if (list.some((other) => other.address.key === listen.address.key)) {
    context.error(`a duplicate listen ${listen.address.key}`)
  }
  return [...list, listen]
}

/** What a server without `listen` listens on. */
export function implicitListen(context: BuildContext): Listen {
  const root = context.options.startedByRoot ?? process.getuid?.() === 0
  return parseListen([root ? '80' : '8000'], context)
}

function parseListen(args: string[], context: BuildContext): Listen {
  const listen: Listen = {
    address: parseAddress(args[0]!, context),
    defaultServer: false,
    socketOptions: false,
    proxyProtocol: false,
  }
  for (const parameter of args.slice(1)) applyParameter(listen, parameter, context)
  return listen
}

function applyParameter(listen: Listen, parameter: string, context: BuildContext): void {
  const { address } = listen
  if (parameter === 'default_server' || parameter === 'default') {
    listen.defaultServer = true
    return
  }
  if (parameter === 'proxy_protocol') {
    listen.proxyProtocol = true
    return
  }
  if (REFUSED.includes(parameter)) {
    context.error(`the "${parameter}" parameter of the "listen" directive is not supported by weir yet`)
  }
  listen.socketOptions = true
  if (parameter === 'bind') return
  if (parameter === 'reuseport') {
    if (address.path !== null) context.error('"reuseport" is not supported for unix sockets')
    address.reuseport = true
    return
  }
  if (WITHOUT_EFFECT.test(parameter)) {
    const name = parameter.split('=')[0]!
    context.notice(
      `listen ${name}`,
      `the "${name}" parameter of "listen" has no effect: Node.js offers no such socket option`,
    )
    return
  }
  const match = /^(backlog|ipv6only|so_keepalive)=(.*)$/.exec(parameter)
  if (match === null) context.error(`invalid parameter "${parameter}"`)
  const [, name, value] = match as unknown as [string, string, string]
  if (name === 'backlog') address.backlog = backlog(value, context)
  else if (name === 'ipv6only') address.ipv6only = ipv6only(value, context)
  else address.soKeepalive = soKeepalive(value, context)
}

function backlog(value: string, context: BuildContext): number {
  const number = /^\d{1,9}$/.test(value) ? Number(value) : 0
  if (number === 0) context.error(`invalid backlog "backlog=${value}"`)
  return number
}

function ipv6only(value: string, context: BuildContext): boolean {
  if (value !== 'on' && value !== 'off') context.error(`invalid ipv6only flags "${value}"`)
  return value === 'on'
}

function soKeepalive(value: string, context: BuildContext): ListenAddress['soKeepalive'] {
  if (value === 'on' || value === 'off') return { on: value === 'on', idle: 0, interval: 0, count: 0 }
  const parts = value.split(':')
  const [idle, interval, count] = [parts[0] ?? '', parts[1] ?? '', parts[2] ?? '']
  const invalid = (): never => context.error(`invalid so_keepalive value: "${value}"`)
  if (parts.length > 3 || value.replaceAll(':', '') === '') invalid()
  const time = (text: string): number => (text === '' ? 0 : (parseTime(text) ?? invalid()))
  if (count !== '' && !/^\d+$/.test(count)) invalid()
  return { on: true, idle: time(idle), interval: time(interval), count: Number(count || 0) }
}

function parseAddress(text: string, context: BuildContext): ListenAddress {
  if (text.startsWith('unix:')) {
    const path = text.slice(5)
    if (path === '') context.error(`no path in the unix domain socket in "${text}" of the "listen" directive`)
    return make(`unix:${context.path(path)}`, null, 0, context.path(path))
  }
  const v6 = /^\[([0-9A-Fa-f:.]+)\](?::(.*))?$/.exec(text)
  if (v6 !== null) return ip(v6[1]!.toLowerCase(), v6[2], text, context)
  if (/^\d+$/.test(text)) return ip('0.0.0.0', text, text, context)
  const match = /^([^:]*)(?::(.*))?$/.exec(text)
  if (match === null) context.error(`invalid host in "${text}" of the "listen" directive`)
  const host = match[1] === '*' ? '0.0.0.0' : match[1]!
  if (host === '') context.error(`no host in "${text}" of the "listen" directive`)
  return ip(host, match[2], text, context)
}

function ip(host: string, port: string | undefined, text: string, context: BuildContext): ListenAddress {
  const number = port === undefined ? 80 : /^\d{1,5}$/.test(port) ? Number(port) : 0
  if (number < 1 || number > 65535) context.error(`invalid port in "${text}" of the "listen" directive`)
  const literal = host.includes(':') || /^\d+\.\d+\.\d+\.\d+$/.test(host)
  const address = literal ? host : (context.resolve(host)[0] ?? host)
  const shown = address.includes(':') ? `[${address}]` : address
  return make(`${shown}:${number}`, address, number, null)
}

function make(key: string, host: string | null, port: number, path: string | null): ListenAddress {
  return { key, host, port, path, backlog: 511, ipv6only: true, reuseport: false, soKeepalive: null }
}
