// Logs that go to a syslog server: the `syslog:` argument of error_log and access_log, and the messages as nginx sends
// them (RFC 3164), a UDP datagram each.

import { createSocket, type Socket } from 'node:dgram'
import { isIP, isIPv6 } from 'node:net'
import { hostname } from 'node:os'
import { syslogTime } from './clock.ts'
import type { BuildContext } from './conf/build.ts'
import { parseInteger } from './conf/values.ts'
import { errnoText } from './errno.ts'

/** A syslog server as one directive names it. */
export interface SyslogServer {
  /** IP address. */
  host: string
  port: number
  facility: number
  /** Of access logs; the error log has a severity for each line. */
  severity: number
  tag: string
  /** Messages say which machine they are from. */
  hostname: boolean
}

const FACILITIES = [
  ...['kern', 'user', 'mail', 'daemon', 'auth', 'intern', 'lpr', 'news', 'uucp', 'clock', 'authpriv', 'ftp'],
  ...['ntp', 'audit', 'alert', 'cron', 'local0', 'local1', 'local2', 'local3', 'local4', 'local5'],
  ...['local6', 'local7'],
]
const SEVERITIES = ['emerg', 'alert', 'crit', 'error', 'warn', 'notice', 'info', 'debug']
const DEFAULT_PORT = 514
const LONGEST_TAG = 32

export const SYSLOG = 'syslog:'

/** Addresses that a configuration names. */
const named = new WeakMap<BuildContext, Set<string>>()

const keyOf = ({ host, port }: { host: string; port: number }) => `${host} ${port}`

/** Reads `syslog:server=...,facility=...`; errors are those of the directive being set, in nginx's words. */
export function parseSyslog(argument: string, context: BuildContext): SyslogServer {
  const found = new Map<string, string | boolean>()
  for (const word of argument.slice(SYSLOG.length).split(',')) {
    const [, key, value] = /^(server|facility|severity|tag)=(.*)$/s.exec(word) ?? []
    if (word === 'nohostname') found.set(word, true)
    else if (key === undefined) context.error(`unknown syslog parameter "${word}"`)
    else {
      if (found.has(key)) context.error(`duplicate syslog "${key}"`)
      check(key, value!, context)
      found.set(key, value!)
    }
  }
  const server = found.get('server') ?? context.error('no syslog server specified')
  const address = parseAddress(String(server), context)
  let keys = named.get(context)
  if (keys === undefined) named.set(context, (keys = new Set()))
  keys.add(keyOf(address))
  return {
    ...address,
    facility: FACILITIES.indexOf(String(found.get('facility') ?? 'local7')),
    severity: SEVERITIES.indexOf(String(found.get('severity') ?? 'info')),
    tag: String(found.get('tag') ?? 'weir'),
    hostname: !found.has('nohostname'),
  }
}

function check(key: string, value: string, context: BuildContext): void {
  if (key === 'server') parseAddress(value, context)
  else if (key === 'tag') checkTag(value, context)
  else if (!(key === 'facility' ? FACILITIES : SEVERITIES).includes(value)) {
    context.error(`unknown syslog ${key} "${value}"`)
  }
}

function checkTag(tag: string, context: BuildContext): void {
  if (tag.length > LONGEST_TAG) context.error(`syslog tag length exceeds ${LONGEST_TAG}`)
  if (/\W/.test(tag)) {
    context.error('syslog "tag" only allows alphanumeric characters and underscore')
  }
}

function parseAddress(text: string, context: BuildContext): { host: string; port: number } {
  if (text.startsWith('unix:')) {
    context.error(
      `"${SYSLOG}server=${text}" is not supported by weir: Node.js has no unix datagram sockets, name a UDP address`,
    )
  }
  const fail = (reason: string) => context.error(`${reason} in syslog server "${text}"`)
  const bracketed = text.startsWith('[')
  const pattern = bracketed ? /^\[([^\]]*)\](?::(.*))?$/s : /^([^:/?]*)(?::([^/?]*))?$/s
  const [, host, digits] = pattern.exec(text) ?? fail('invalid host')
  const port = digits === undefined ? DEFAULT_PORT : parseInteger(digits)
  if (port === null || port < 1 || port > 65535) return fail('invalid port')
  if (host === '') return fail('no host')
  if (bracketed) return isIPv6(host!) ? { host: host!, port } : fail('invalid IPv6 address')
  // The master's first build has no addresses yet.
  return { host: isIP(host!) !== 0 ? host! : (context.resolve(host!)[0] ?? ''), port }
}

const machine = hostname().toLowerCase()

/** A whole message: `text` without line feed behind the header. */
export function syslogMessage(server: SyslogServer, severity: number, text: string): string {
  const priority = server.facility * 8 + severity
  const from = server.hostname ? `${machine} ` : ''
  return `<${priority}>${syslogTime()} ${from}${server.tag}: ${text}`
}

/** Messages that wait for their socket to be ready: it takes a few turns of the event loop. */
const MOST_WAITING = 1000
/** Failures of one server are reported once in this time. */
const REPORT_INTERVAL = 60_000

let reporter: (message: string) => void = () => {}

/** Sets who is told, in nginx's words, that messages cannot be sent. */
export function onSyslogFailure(report: (message: string) => void): void {
  reporter = report
}

/** Where this thread sends the messages for one address. Never blocks, never throws: what cannot be sent is lost. */
export class SyslogPeer {
  readonly #host: string
  readonly #port: number
  #socket: Socket | null = null
  #ready = false
  #waiting: Buffer[] = []
  #reported = Number.NEGATIVE_INFINITY

  private constructor(host: string, port: number) {
    this.#host = host
    this.#port = port
  }

  static of(server: SyslogServer): SyslogPeer {
    const { host, port } = server
    const key = keyOf(server)
    let peer = peers.get(key)
    if (peer === undefined) peers.set(key, (peer = new SyslogPeer(host, port)))
    return peer
  }

  /** Gets the socket ready, for messages that come just before the thread ends. */
  open(): void {
    if (this.#socket !== null) return
    const socket = createSocket(isIPv6(this.#host) ? 'udp6' : 'udp4')
    this.#socket = socket
    socket.unref()
    socket.on('error', (error) => this.#failed(socket, error))
    socket.on('connect', () => this.#connected(socket))
    // Connected, the socket hears of it when nobody listens there; and then sending is a system call at once.
    socket.connect(this.#port, this.#host)
  }

  send(message: string): void {
    const bytes = Buffer.from(message, 'latin1')
    if (this.#ready) return this.#send(this.#socket!, bytes)
    if (this.#waiting.length < MOST_WAITING) this.#waiting.push(bytes)
    this.open()
  }

  /** Closes the socket unless messages wait for it; the next message opens another. */
  close(): void {
    if (!this.#ready) return
    const socket = this.#socket!
    this.#socket = null
    this.#ready = false
    socket.close()
  }

  #send(socket: Socket, bytes: Buffer): void {
    socket.send(bytes, (error) => {
      if (error !== null) this.#failed(socket, error)
    })
  }

  #connected(socket: Socket): void {
    if (socket !== this.#socket) return
    this.#ready = true
    for (const bytes of this.#waiting.splice(0)) this.#send(socket, bytes)
  }

  /** The next message tries again on a socket of its own. */
  #failed(socket: Socket, error: Error): void {
    if (socket !== this.#socket) return
    this.#socket = null
    this.#ready = false
    this.#waiting = []
    socket.close()
    const now = performance.now()
    if (now - this.#reported < REPORT_INTERVAL) return
    this.#reported = now
    const name = isIPv6(this.#host) ? `[${this.#host}]` : this.#host
    reporter(`send() failed (${errnoText(error)}) while logging to syslog, server: ${name}:${this.#port}`)
  }
}

const peers = new Map<string, SyslogPeer>()

/** Closes this thread's sockets to servers that the configuration of `context`, which is in use now, does not name. */
export function closeSyslog(context: BuildContext): void {
  const keys = named.get(context)
  for (const [key, peer] of peers) if (keys?.has(key) !== true) peer.close()
}
