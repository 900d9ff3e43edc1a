// Servers whose addresses change while requests are under way, told to the engine as the master does; and what the
// configuration says of such names.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { buildCycle, type Cycle } from '../../../src/shared/conf/build.ts'
import { parseText } from '../../../src/shared/conf/parser.ts'
import type { LiveAddress, LiveAnswers } from '../../../src/shared/names/live.ts'
import { modules } from '../../../src/worker/modules.ts'
import { type LiveGroup, liveGroups } from '../../../src/worker/upstream/live-servers.ts'
import { type MemoryClient, serverConf, TestEngine } from '../../support/engine.ts'
import { PeerServer } from '../../support/peer.ts'
import { eventually } from '../../support/wait.ts'

const plain = (ip: string): LiveAddress => ({ ip, service: null })

function build(upstream: string, http = ''): Cycle {
  const text = `events {} http { ${http} upstream back { ${upstream} } }`
  return buildCycle(parseText(text, 'nginx.conf', '/'), modules, { prefix: '/', confPrefix: '/' })
}

/** The only live group of `upstream`, and the key of its first name. */
function liveGroup(upstream: string): { group: LiveGroup; key: string } {
  const { context } = build(upstream)
  return { group: liveGroups(context)[0]!, key: [...context.live.keys()][0]! }
}

describe('requests at a server that goes', () => {
  const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n'
  let first: PeerServer
  let second: PeerServer
  let engine: TestEngine
  let key: string
  let clients: MemoryClient[] = []

  beforeEach(async () => {
    first = await PeerServer.start()
    second = await PeerServer.start()
    const upstream = `upstream back { server a.test:${first.port} resolve; server b.test:${second.port} resolve; }`
    engine = await TestEngine.start(serverConf('location / { proxy_pass http://back; }', upstream))
    const cycle = engine.load(serverConf('location / { proxy_pass http://back; }', upstream))
    key = [...cycle.context.live.keys()][0]!
    const answers = [...cycle.context.live.keys()].map((name) => [name, [plain('127.0.0.1')]] as const)
    expect(engine.engine.follow(Object.fromEntries(answers))).toBe(0)
  })
  afterEach(async () => {
    for (const { transport } of clients) transport.break()
    clients = []
    first.drop()
    second.drop()
    await eventually('end of all upstream connections', () => engine.stats.upstream === 0)
    await engine.stop()
    await first.stop()
    await second.stop()
  })

  function ask(target: string): MemoryClient {
    const client = engine.connect()
    clients.push(client)
    client.transport.receive(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`)
    return client
  }
  const answered = ({ transport }: MemoryClient, text: string) =>
    eventually(text, () => transport.sent.includes(text))

  it('are finished, and no other goes there', async () => {
    const one = ask('/1')
    const peer = await first.next()
    await peer.head()
    engine.engine.follow({ [key]: [] } satisfies LiveAnswers)
    await peer.send(`${OK}ok`)
    await answered(one, '\r\n\r\nok')
    // The connection is not kept.
    await peer.untilEnd()
    const two = ask('/2')
    const other = await second.next()
    for (const [client, body] of [
      [two, 'two'],
      [null, 'three'],
    ] as const) {
      const asking = client ?? ask('/3')
      await other.head()
      await other.send(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
      await answered(asking, body)
    }
    expect(first.poll()).toBeNull()
  })

  it('are not sent there again when another server fails', async () => {
    ask('/1')
    const peer = await first.next()
    await peer.head()
    await peer.send(`${OK}ok`)
    const client = ask('/2')
    const failing = await second.next()
    await failing.head()
    engine.engine.follow({ [key]: [] } satisfies LiveAnswers)
    failing.destroy()
    await answered(client, 'HTTP/1.1 502 ')
    expect(first.poll()).toBeNull()
    await peer.untilEnd()
  })
})

describe('peers of live names', () => {
  it('are one for each address, numbered where one comes again', () => {
    const { group, key } = liveGroup('server 127.0.0.1:80; server a.test resolve;')
    const live = { [key]: [plain('127.0.0.1'), plain('::1')] }
    expect(group.slotKeys(live)).toEqual(['127.0.0.1:80', '127.0.0.1:80#2', '[::1]:80'])
  })

  const records: readonly LiveAddress[] = [
    { ip: '127.0.0.1', service: { host: 'one.test', port: 81, weight: 5, backup: false } },
    { ip: '127.0.0.2', service: { host: 'two.test', port: 82, weight: 7, backup: true } },
  ]

  it('of a service have its ports and weights, and names of servers', () => {
    const { group, key } = liveGroup('server a.test service=http resolve max_fails=3;')
    expect(group.peers({ [key]: records })).toMatchObject([
      { name: '127.0.0.1:81', server: 'one.test', weight: 5, backup: false, maxFails: 3 },
      { name: '127.0.0.2:82', server: 'two.test', weight: 7, backup: true, maxFails: 3 },
    ])
  })

  it('of a service have the weight of the server line where it names one', () => {
    const { group, key } = liveGroup('server a.test service=http resolve weight=2;')
    expect(group.peers({ [key]: records }).map(({ weight }) => weight)).toEqual([2, 2])
  })

  it('of a service that is a backup are those of its highest priority only', () => {
    const { group, key } = liveGroup('server 127.0.0.9; server a.test service=http resolve backup;')
    const peers = group.peers({ [key]: records })
    expect(peers.map(({ name, backup }) => [name, backup])).toEqual([
      ['127.0.0.9:80', false],
      ['127.0.0.1:81', true],
    ])
  })
})

describe('the resolver of a live name', () => {
  const settings = (upstream: string, http = '') =>
    [...build(upstream, http).context.live.values()][0]!.resolver

  it('is that of http', () => {
    const http = 'resolver 127.0.0.1:54 [::1] valid=30s ipv6=off; resolver_timeout 3s;'
    expect(settings('server a.test resolve;', http)).toEqual({
      servers: ['127.0.0.1:54', '[::1]:53'],
      valid: 30_000,
      ipv4: true,
      ipv6: false,
      timeout: 3000,
    })
  })

  it('is that of the upstream where it has one', () => {
    const http = 'resolver 127.0.0.1; resolver_timeout 3s;'
    expect(settings('server a.test resolve; resolver 127.0.0.2;', http)).toMatchObject({
      servers: ['127.0.0.2:53'],
      timeout: 3000,
    })
  })

  it('waits no longer than timers run', () => {
    const timeout = 2 ** 31 - 1
    expect(settings('server a.test resolve; resolver_timeout 60d;')).toMatchObject({ timeout })
  })

  it('is the system where none is named', () => {
    expect(settings('server a.test resolve;')).toMatchObject({ servers: null, timeout: 30_000 })
  })
})

describe('refused', () => {
  it.each([
    ['server a.test service=http;', 'service upstream "a.test" requires "resolve" parameter'],
    ['server a.test service= resolve;', 'service is empty'],
    ['server a.test:80 service=http resolve;', 'service upstream "a.test:80" may not have port'],
    ['server 127.0.0.1 service=http resolve;', 'service upstream "127.0.0.1" requires domain name'],
    ['server a.test resolve=on;', 'invalid parameter "resolve=on"'],
    [
      'server a.test; resolver 127.0.0.1 status_zone=z;',
      'the "status_zone" parameter of the "resolver" directive is not supported by weir yet',
    ],
    ['server a.test; resolver 127.0.0.1 ipv4=off ipv6=off;', '"ipv4" and "ipv6" cannot both be "off"'],
    ['server a.test; upstream_unresolvable maybe;', 'invalid value "maybe"'],
  ])('%s', (upstream, message) => {
    expect(() => build(upstream)).toThrow(`${message} in nginx.conf:1`)
  })
})

it('resolve of an address means nothing', () => {
  expect(build('server 127.0.0.1 resolve; server unix:/a resolve;').context.live.size).toBe(0)
})
