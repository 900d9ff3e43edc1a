// Choice of the server by address and name, and the sockets a configuration needs.

import { describe, expect, it } from 'vitest'
import { buildCycle, type Cycle } from '../../../src/shared/conf/build.ts'
import { parseText } from '../../../src/shared/conf/parser.ts'
import { ErrorLog } from '../../../src/shared/error-log.ts'
import type { Request } from '../../../src/worker/http/request.ts'
import { listenAddresses, planServers } from '../../../src/worker/http/servers.ts'
import { httpModules, modules } from '../../../src/worker/modules.ts'

function build(servers: string, startedByRoot = true): Cycle {
  const tree = parseText(`events {} http { access_log off; ${servers} }`, 'nginx.conf')
  return buildCycle(tree, modules, { prefix: '/p/', confPrefix: '/p/', startedByRoot })
}

/** The first name of the server for `host` at the address `key`, by way of the socket `socket`. */
function chooser(servers: string) {
  const sockets = planServers(build(servers), { modules: httpModules, errorLog: () => new ErrorLog([]) })
  return (host: string, socket = '0.0.0.0:80', local = '192.0.2.1') => {
    const r = { captures: null, named: null } as unknown as Request
    const found = sockets.get(socket)!
    const server = (found.several ? found.find(local) : found.fallback).find(r, host)
    return { name: server.firstName, named: { ...r.named }, captures: r.captures?.slice(1) ?? [] }
  }
}

describe('the server for a name', () => {
  const choose = chooser(`
    server { listen 80; server_name first; }
    server { listen 80; server_name example.com www.example.com; }
    server { listen 80; server_name *.example.com; }
    server { listen 80; server_name *.deep.example.com; }
    server { listen 80; server_name mail.*; }
    server { listen 80; server_name mail.example.*; }
    server { listen 80; server_name .dotted.org; }
    server { listen 80; server_name UPPER.example.NET; }
    server { listen 80; server_name "~^(?<user>[a-z]+)[.]users[.]net$"; }
    server { listen 80; server_name ~^([0-9]+)[.]net$; }
    server { listen 80; server_name ~[.]net$; }
    server { listen 80; server_name example.com again.example.com; }
    server { listen 80; server_name ""; }
  `)

  it.each([
    ['first', 'first'],
    ['unknown', 'first'],
    ['example.com', 'example.com'],
    ['www.example.com', 'example.com'],
    ['a.example.com', '*.example.com'],
    ['a.b.example.com', '*.example.com'],
    ['again.example.com', 'example.com'],
    ['deep.example.com', '*.example.com'],
    ['a.deep.example.com', '*.deep.example.com'],
    ['.example.com', '*.example.com'],
    ['.dotted.org', 'dotted.org'],
    ['mail.org', 'mail.*'],
    ['mail.a.b', 'mail.*'],
    ['mail.example.org', 'mail.example.*'],
    // A wildcard in front goes before one at the end.
    ['mail.example.com', '*.example.com'],
    ['mail', 'first'],
    ['dotted.org', 'dotted.org'],
    ['a.b.dotted.org', 'dotted.org'],
    ['notdotted.org', 'first'],
    ['upper.example.net', 'UPPER.example.NET'],
    ['x.net', '~[.]net$'],
    ['', ''],
  ])('%j is %j', (host, name) => {
    expect(choose(host).name).toBe(name)
  })

  it('by a regular expression keeps its captures', () => {
    expect(choose('ann.users.net')).toMatchObject({ named: { user: 'ann' }, captures: ['ann'] })
    expect(choose('42.net')).toEqual({ name: '~^([0-9]+)[.]net$', named: {}, captures: ['42'] })
  })
})

describe('the default server', () => {
  it('is the first of its address', () => {
    expect(
      chooser('server { server_name a; listen 80; } server { server_name b; listen 80; }')('x').name,
    ).toBe('a')
  })

  it('is the one that says default_server, for its address only', () => {
    const choose = chooser(`
      server { listen 80; listen 81; server_name a; }
      server { listen 80 default_server; listen 81; server_name b; }`)
    expect(choose('x').name).toBe('b')
    expect(choose('x', '0.0.0.0:81').name).toBe('a')
  })

  it('answers for a request without a name when no server has the empty one', () => {
    expect(
      chooser('server { server_name a; listen 80; } server { server_name b; listen 80; }')('').name,
    ).toBe('a')
  })

  it('gives way to a later server without any name for a request without one', () => {
    expect(chooser('server { server_name a; listen 80; } server { listen 80; }')('').name).toBe('')
  })
})

describe('several addresses', () => {
  const SERVERS = `
    server { listen 80; server_name all; }
    server { listen 127.0.0.1:80; server_name local; }
    server { listen 127.0.0.1:80; server_name both; }
    server { listen 127.0.0.2:80 backlog=5; server_name own; }
    server { listen [::1]:80; server_name six; }
    server { listen unix:/tmp/a.sock; server_name sock; }`

  it('are one socket where a wildcard covers them, unless they have options of their own', () => {
    expect(listenAddresses(build(SERVERS)).map(({ key }) => key)).toEqual([
      '0.0.0.0:80',
      '127.0.0.2:80',
      '[::1]:80',
      'unix:/tmp/a.sock',
    ])
  })

  it('of one socket are told apart by where the client connected to', () => {
    const choose = chooser(SERVERS)
    expect(choose('both', '0.0.0.0:80', '127.0.0.1').name).toBe('both')
    expect(choose('x', '0.0.0.0:80', '127.0.0.1').name).toBe('local')
    expect(choose('both', '0.0.0.0:80', '192.0.2.7').name).toBe('all')
    expect(choose('x', '127.0.0.2:80').name).toBe('own')
    expect(choose('x', 'unix:/tmp/a.sock', '').name).toBe('sock')
  })

  it('take the socket options from the listen that gives them', () => {
    const [address] = listenAddresses(
      build('server { listen 80; server_name a; } server { listen 80 backlog=7 reuseport; server_name b; }'),
    )
    expect(address).toMatchObject({ key: '0.0.0.0:80', backlog: 7, reuseport: true })
  })

  it('are port 80 for a server without listen if root started weir, else 8000', () => {
    const keys = [true, false].map((root) => listenAddresses(build('server {}', root))[0]!.key)
    expect(keys).toEqual(['0.0.0.0:80', '0.0.0.0:8000'])
  })

  it.each([
    [
      'server { listen 80 default_server; } server { listen 80 default_server; }',
      'a duplicate default server for 0.0.0.0:80',
    ],
    [
      'server { listen 80 backlog=1; } server { listen 80 backlog=2; }',
      'duplicate listen options for 0.0.0.0:80',
    ],
    ['server { listen 80; listen 80; }', 'duplicate listen'],
  ])('%s is refused', (servers, message) => {
    expect(() => build(servers)).toThrow(message)
  })
})
