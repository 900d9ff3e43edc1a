// The syslog: argument, the messages as they arrive, and a server that is not there.

import { createSocket, type Socket } from 'node:dgram'
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { hostname } from 'node:os'
import { afterEach, describe, expect, it } from 'vitest'
import { BuildContext, Scope } from '../../src/shared/conf/build.ts'
import { MAIN } from '../../src/shared/conf/command.ts'
import { ErrorLog } from '../../src/shared/error-log.ts'
import {
  closeSyslog,
  onSyslogFailure,
  parseSyslog,
  SyslogPeer,
  syslogMessage,
} from '../../src/shared/syslog.ts'
import { eventually } from '../support/wait.ts'

const newContext = (addresses: Record<string, string[]> = {}) =>
  new BuildContext({ prefix: '/', confPrefix: '/', addresses }, new Scope(MAIN, null, null))

const parse = (text: string, addresses: Record<string, string[]> = {}) =>
  parseSyslog(`syslog:${text}`, newContext(addresses))

describe('parseSyslog', () => {
  it('has the defaults of nginx, with a tag of its own', () => {
    const expected = { host: '127.0.0.1', port: 514, facility: 23, severity: 6, tag: 'weir', hostname: true }
    expect(parse('server=127.0.0.1')).toEqual(expected)
  })

  it.each([
    ['server=[::1]', '::1', 514],
    ['server=[::1]:5140', '::1', 5140],
    ['server=127.0.0.1:65535', '127.0.0.1', 65535],
    ['tag=a,server=logs.test:1', '192.0.2.7', 1],
  ])('%s', (text, host, port) => {
    expect(parse(text, { 'logs.test': ['192.0.2.7'] })).toMatchObject({ host, port })
  })

  it('takes all parameters in any order', () => {
    const text = 'nohostname,severity=debug,tag=My_tag1,facility=kern,server=10.0.0.1:5'
    const expected = { host: '10.0.0.1', port: 5, facility: 0, severity: 7, tag: 'My_tag1', hostname: false }
    expect(parse(text)).toEqual(expected)
  })
})

let receiver: Socket | null = null

afterEach(() => {
  receiver?.close()
  receiver = null
})

/** Receives datagrams on a port of its own. */
async function receive(address = '127.0.0.1'): Promise<{ port: number; messages: string[] }> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
  receiver = socket
  const messages: string[] = []
  socket.on('message', (bytes) => messages.push(bytes.toString('latin1')))
  await new Promise<void>((done) => socket.bind(0, address, done))
  return { port: (socket.address() as AddressInfo).port, messages }
}

const TIME = '[A-Z][a-z]{2} [ \\d]\\d \\d\\d:\\d\\d:\\d\\d'

it.each(['127.0.0.1', '[::1]'])('the error log sends its lines to %s, by their levels', async (address) => {
  const { port, messages } = await receive(address.replace(/[[\]]/g, ''))
  const syslog = parse(`server=${address}:${port},tag=t`)
  const log = new ErrorLog([{ syslog, level: 'warn' }])
  log.error('first \xe9', 3)
  log.info('not sent')
  log.warn('second')
  await eventually('two messages', () => messages.length >= 2)
  const line = (priority: number, rest: string) =>
    expect.stringMatching(
      new RegExp(`^<${priority}>${TIME} ${hostname().toLowerCase()} t: \\d{4}/\\d\\d/\\d\\d \\S+ ${rest}$`),
    )
  expect(messages).toEqual([
    line(187, '\\[error\\] \\d+#\\d+: \\*3 first \xe9'),
    line(188, '\\[warn\\] \\d+#\\d+: second'),
  ])
})

it('without a host name', () => {
  const server = parse('server=127.0.0.1,facility=local0,nohostname')
  expect(syslogMessage(server, 6, 'text')).toMatch(new RegExp(`^<134>${TIME} weir: text$`))
})

it('sockets to servers that the configuration does not name are closed, until somebody has a message', async () => {
  const { port, messages } = await receive()
  const context = newContext()
  const peer = SyslogPeer.of(parseSyslog(`syslog:server=127.0.0.1:${port}`, context))
  /** Sockets of this process that are connected to the receiver. */
  const openSockets = () => {
    const remote = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
    const rows = readFileSync('/proc/self/net/udp', 'latin1').split('\n').slice(1, -1)
    return rows.filter((row) => row.trim().split(/ +/)[2]!.endsWith(remote)).length
  }
  peer.send('one')
  await eventually('one', () => messages.length === 1)
  closeSyslog(context)
  peer.send('two')
  await eventually('two', () => messages.length === 2)
  expect(openSockets()).toBe(1)
  closeSyslog(newContext())
  expect(openSockets()).toBe(0)
  peer.send('three')
  closeSyslog(newContext())
  await eventually('three', () => messages.length === 3)
  expect(messages).toEqual(['one', 'two', 'three'])
})

it('a server that is not there is reported once, and sending goes on when it comes back', async () => {
  const { port } = await receive()
  await new Promise<void>((done) => receiver!.close(done))
  receiver = null
  const reports: string[] = []
  onSyslogFailure((message) => reports.push(message))
  const peer = SyslogPeer.of(parse(`server=127.0.0.1:${port}`))
  await eventually('report', () => {
    peer.send('lost')
    return reports.length > 0
  })
  const socket = createSocket('udp4')
  receiver = socket
  const messages: string[] = []
  socket.on('message', (bytes) => messages.push(bytes.toString()))
  await new Promise<void>((done) => socket.bind(port, '127.0.0.1', done))
  await eventually('message', () => {
    peer.send('found')
    return messages.includes('found')
  })
  expect(reports).toEqual([
    `send() failed (111: Connection refused) while logging to syslog, server: 127.0.0.1:${port}`,
  ])
})
