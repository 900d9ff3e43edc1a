// The `listen` directive: its parameters, as nginx reads them, and what all `listen`s of one address have to agree on.

import type { BuildContext } from '../../shared/conf/build.ts'
import type { Setter } from '../../shared/conf/command.ts'
import type { Directive } from '../../shared/conf/directive.ts'
import { parseInteger, parseSize, parseTime } from '../../shared/conf/values.ts'
import type { ListenAddress } from '../../shared/messages.ts'
import { parseAddresses } from './listen-address.ts'

/** What connections begin with. */
export interface ListenProtocols {
  /** A PROXY protocol header stands in front. */
  proxyProtocol: boolean
  /** TLS comes first. */
  ssl: boolean
  /** The old way to say `http2 on`, for all servers of the address. */
  http2: boolean
}

/** One address of one `listen` of one server. */
export interface Listen extends ListenProtocols {
  address: ListenAddress
  defaultServer: boolean
  /** Parameters of the socket itself were given: it gets a socket of its own, and they may stand only once. */
  socketOptions: boolean
  /** null: the server has none. */
  directive: Directive | null
}

/** A parameter of nginx that weir does not act on: never accepted silently. */
const REFUSED = 'quic'
/** Tuning of the socket that Node does not offer, with what nginx takes as its value. */
const WITHOUT_EFFECT: Readonly<Record<string, ((text: string) => unknown) | null>> = {
  deferred: null,
  multipath: null,
  fastopen: parseInteger,
  rcvbuf: parseSize,
  sndbuf: parseSize,
}

/** All parameters, for a misspelt one. */
const KNOWN = [
  ...[
    'default_server',
    'proxy_protocol',
    'ssl',
    'http2',
    'bind',
    'reuseport',
    'backlog=',
    'ipv6only=',
    'so_keepalive=',
  ],
  ...Object.entries(WITHOUT_EFFECT).map(([name, parse]) => (parse === null ? name : `${name}=`)),
]

/** Setter of `listen`: adds to the server's list. */
export const addListen: Setter = (directive, context, previous) => {
  const list = [...((previous as Listen[] | undefined) ?? [])]
  for (const listen of parseListen(directive.args, directive, context)) {
    if (list.some((other) => other.address.key === listen.address.key)) {
      context.error(`a duplicate listen ${listen.address.key}`)
    }
    list.push(listen)
  }
  return list
}

/** What a server without `listen` listens on. */
export function implicitListen(context: BuildContext): Listen {
  const root = context.options.startedByRoot ?? process.getuid?.() === 0
  return parseListen([root ? '80' : '8000'], null, context)[0]!
}

const HTTP2_DEPRECATED = 'the "listen ... http2" directive is deprecated, use the "http2" directive instead'

const PLAIN = { defaultServer: false, socketOptions: false, proxyProtocol: false, ssl: false, http2: false }

function parseListen(args: string[], directive: Directive | null, context: BuildContext): Listen[] {
  const addresses = parseAddresses(args[0]!, context)
  return addresses.map((address) => {
    const listen: Listen = { ...PLAIN, address, directive }
    for (const parameter of args.slice(1)) applyParameter(listen, parameter, context)
    return listen
  })
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
  if (parameter === 'ssl') {
    listen.ssl = true
    return
  }
  if (parameter === 'http2') {
    listen.http2 = true
    return context.warn(HTTP2_DEPRECATED)
  }
  if (parameter === REFUSED) {
    context.error(`the "${parameter}" parameter of the "listen" directive is not supported by weir yet`)
  }
  if (parameter.startsWith('accept_filter=')) {
    // As nginx on this system: said, and ignored.
    return context.warn(`accept filters "${parameter}" are not supported on this platform, ignored`)
  }
  listen.socketOptions = true
  if (parameter === 'bind') return
  if (parameter === 'reuseport') {
    if (address.path === null) address.reuseport = true
    else context.notice('listen unix reuseport', 'the "reuseport" parameter has no effect on unix sockets')
    return
  }
  const equals = parameter.indexOf('=')
  const name = equals < 0 ? parameter : parameter.slice(0, equals)
  const value = equals < 0 ? null : parameter.slice(equals + 1)
  if (Object.hasOwn(WITHOUT_EFFECT, name)) return withoutEffect(name, value, parameter, context)
  if (name === 'backlog' && value !== null) address.backlog = backlog(value, context)
  else if (name === 'ipv6only' && (value === 'on' || value === 'off')) address.ipv6only = value === 'on'
  else if (name === 'so_keepalive' && value !== null) address.soKeepalive = soKeepalive(value, context)
  else context.invalidParameter(parameter, KNOWN)
}

function withoutEffect(name: string, value: string | null, parameter: string, context: BuildContext): void {
  const parse = WITHOUT_EFFECT[name]!
  if ((parse === null) !== (value === null)) context.error(`invalid parameter "${parameter}"`)
  if (parse !== null && parse(value!) === null) context.error(`invalid ${name} "${parameter}"`)
  context.notice(
    `listen ${name}`,
    `the "${name}" parameter of "listen" has no effect: Node.js offers no such socket option`,
  )
}

function backlog(value: string, context: BuildContext): number {
  const number = /^\d{1,9}$/.test(value) ? Number(value) : 0
  if (number === 0) context.error(`invalid backlog "backlog=${value}"`)
  return number
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

/**
 * nginx's checks of all `listen`s of one address, in the order of the file: one set of socket parameters, one default
 * server, and a warning where protocol options are said more than once and differently.
 */
export function checkListensOf(key: string, listens: readonly Listen[], context: BuildContext): void {
  const [first, ...others] = listens as [Listen, ...Listen[]]
  let { socketOptions, defaultServer } = first
  let before = protocols(first)
  /** What a later `listen` has said; null: none has. */
  let said: number | null = null
  let changed = false
  for (const listen of others) {
    if (listen.socketOptions && socketOptions) {
      context.error(`duplicate listen options for ${key}`, listen.directive)
    }
    socketOptions ||= listen.socketOptions
    if (listen.defaultServer && defaultServer) {
      context.error(`a duplicate default server for ${key}`, listen.directive)
    }
    defaultServer ||= listen.defaultServer
    const own = protocols(listen)
    let redefined = false
    if ((own | before) !== before) {
      redefined = (socketOptions && !listen.socketOptions) || changed || (own | before) !== own
      said = before
      changed = true
    } else if ((own | before) !== own) {
      redefined = listen.socketOptions || (said !== null && said !== own)
      said = own
      changed = true
    } else {
      redefined = (listen.socketOptions && changed) || (said !== null && said !== own)
      said = own
    }
    if (redefined) context.warn(`protocol options redefined for ${key}`, listen.directive)
    before |= own
  }
}

/** What all `listen`s of one address say together. */
export function allProtocols(listens: readonly Listen[]): ListenProtocols {
  return {
    proxyProtocol: listens.some(({ proxyProtocol }) => proxyProtocol),
    ssl: listens.some(({ ssl }) => ssl),
    http2: listens.some(({ http2 }) => http2),
  }
}

/** What one of them says, as bits. */
function protocols({ proxyProtocol, ssl, http2 }: Listen): number {
  return (proxyProtocol ? 1 : 0) | (ssl ? 2 : 0) | (http2 ? 4 : 0)
}
