// The engine across configurations: reload with requests in flight, drain, shed, limits, reopened logs.

import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { serverConf, TestEngine } from '../support/engine.ts'
import { Peer, PeerServer } from '../support/peer.ts'
import { eventually } from '../support/wait.ts'

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const get = (target = '/', lines = '') => `GET ${target} HTTP/1.1\r\nHost: test\r\n${lines}\r\n`
const conf = (text: string, http = '') =>
  serverConf(`location / { proxy_pass http://%BACKEND%; } location /text { return 200 "${text}"; }`, http)

let engine: TestEngine
let backend: PeerServer
let peers: Peer[]

beforeEach(async () => {
  peers = []
  backend = await PeerServer.start()
  engine = await TestEngine.start(conf('old'), { BACKEND: backend.address })
})
afterEach(async () => {
  for (const peer of peers) peer.destroy()
  backend.drop()
  await engine.stop()
  await backend.stop()
})

async function connect(): Promise<Peer> {
  const peer = await Peer.connect(engine.port)
  peers.push(peer)
  return peer
}

describe('a new configuration', () => {
  it('holds for the next request on an open connection', async () => {
    const client = await connect()
    await client.send(get('/text'))
    await client.take('old')
    engine.load(conf('new'))
    await client.send(get('/text'))
    await client.take('new')
  })

  it('leaves a request in flight to the old one', async () => {
    const client = await connect()
    await client.send(get('/'))
    const peer = await backend.next()
    await peer.head()
    engine.load(conf('new', 'add_header X-New 1;'))
    await peer.send('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n')
    await peer.send('late')
    expect(await client.take('late')).not.toContain('X-New')
    await client.send(get('/text'))
    expect(await client.take('new')).toContain('X-New: 1')
  })

  it('that does not listen on its socket any more leaves the connection to the old servers', async () => {
    const client = await connect()
    await client.send(get('/text'))
    await client.take('old')
    engine.load(conf('new').replace('127.0.0.1:%PORT%', 'unix:elsewhere'))
    await client.send(get('/text'))
    await client.take('old')
  })

  it('that is wrong changes nothing', async () => {
    expect(() => engine.load(conf('new', 'nonsense;'))).toThrow('unknown directive "nonsense"')
    const client = await connect()
    await client.send(get('/text'))
    await client.take('old')
  })

  it('closes idle connections to the backends of the old one', async () => {
    const client = await connect()
    await client.send(get('/'))
    const peer = await backend.next()
    await peer.head()
    await peer.send(OK)
    await client.take('ok')
    engine.load(conf('new'))
    await peer.untilEnd()
    expect(engine.stats.upstream).toBe(0)
  })

  it('does not keep the backend connection of a request that was in flight', async () => {
    const client = await connect()
    await client.send(get('/'))
    const peer = await backend.next()
    await peer.head()
    engine.load(conf('new'))
    await peer.send(OK)
    await client.take('ok')
    await peer.untilEnd()
    expect(engine.stats.upstream).toBe(0)
  })

  it('goes on with the turn of the balancer where the old one was', async () => {
    const other = await PeerServer.start()
    const upstream = `upstream both { server ${backend.address}; server ${other.address}; }`
    const both = conf('x', upstream).replace('http://%BACKEND%', 'http://both')
    const turn = async (): Promise<string> => {
      const client = await connect()
      await client.send(get('/', 'Connection: close\r\n'))
      const peer = await eventually('connection', () => backend.poll() ?? other.poll())
      await peer.head()
      await peer.send('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok')
      await client.untilEnd()
      return peer.socket.localPort === backend.port ? 'a' : 'b'
    }
    let turns = ''
    for (let count = 0; count < 6; count++) {
      engine.load(both)
      turns += await turn()
    }
    expect(turns).toBe('ababab')
    await other.stop()
  })

  it('writes to its own logs, the old requests to theirs', async () => {
    const client = await connect()
    await client.send(get('/in-flight'))
    const peer = await backend.next()
    await peer.head()
    engine.load(conf('new').replaceAll('logs/access.log', 'logs/new.log'))
    const second = await connect()
    await second.send(get('/text', 'Connection: close\r\n'))
    await second.untilEnd()
    await peer.send(OK)
    await client.take('ok')
    await eventually('line in the new log', () => engine.read('logs/new.log') === '200 GET /text 3\n')
    await eventually('line in the old log', () => engine.read('logs/access.log') === '200 GET /in-flight 2\n')
  })
})

describe('drain', () => {
  const drain = () => {
    const state = { done: false }
    engine.engine.drain(() => {
      state.done = true
    })
    return state
  }

  it('without connections is done at once', () => {
    expect(drain().done).toBe(true)
  })

  it('closes idle connections, those to backends too', async () => {
    const idle = await connect()
    await idle.send(get('/'))
    const peer = await backend.next()
    await peer.head()
    await peer.send(OK)
    await idle.take('ok')
    const silent = await connect()
    await eventually('two connections', () => engine.stats.active === 2)
    const state = drain()
    await Promise.all([idle.untilEnd(), silent.untilEnd(), peer.untilEnd()])
    await eventually('end of the drain', () => state.done)
  })

  it('lets requests in flight finish, which then end their connections', async () => {
    const client = await connect()
    await client.send(get('/'))
    const peer = await backend.next()
    await peer.head()
    const half = await connect()
    await half.send('GET /text HTTP/1.1\r\n')
    await eventually('reading', () => engine.stats.reading === 1)
    const state = drain()
    await peer.send(OK)
    expect(await client.untilEnd()).toMatch(/\r\nConnection: close\r\n.*ok$/s)
    expect(state.done).toBe(false)
    await half.send('Host: test\r\n\r\n')
    expect(await half.untilEnd()).toMatch(/\r\nConnection: close\r\n.*old$/s)
    await eventually('end of the drain', () => state.done)
    expect(await engine.logged(2)).toEqual(['200 GET / 2', '200 GET /text 3'])
  })

  it('in the middle of an answer lets it finish', async () => {
    const client = await connect()
    await client.send(get('/'))
    const peer = await backend.next()
    await peer.head()
    await peer.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello')
    await client.take('hello')
    const state = drain()
    await peer.send('world')
    expect(await client.untilEnd()).toBe('world')
    await eventually('end of the drain', () => state.done)
  })
})

describe('shed', () => {
  it('closes idle connections after a request, the longest idle first', async () => {
    const clients: Peer[] = []
    for (let count = 0; count < 3; count++) {
      const client = await connect()
      await client.send(get('/text'))
      await client.take('old')
      // The next one becomes idle in a later millisecond.
      const idleAt = Date.now()
      await eventually('next millisecond', () => Date.now() > idleAt)
      clients.push(client)
    }
    expect(engine.engine.shed(2)).toBe(2)
    await Promise.all([clients[0]!.untilEnd(), clients[1]!.untilEnd()])
    await clients[2]!.send(get('/text'))
    await clients[2]!.take('old')
    expect(engine.engine.shed(5)).toBe(1)
  })

  it('closes what has not asked yet, and leaves alone what is being answered', async () => {
    const silent = await connect()
    const busy = await connect()
    await busy.send(get('/'))
    const peer = await backend.next()
    await peer.head()
    expect(engine.engine.shed(5)).toBe(1)
    await silent.when('close', () => silent.closed || silent.ended)
    await peer.send(OK)
    await busy.take('ok')
  })
})

describe('adopt', () => {
  it('closes a connection that came in on a socket nobody listens on', async () => {
    const { Socket } = await import('node:net')
    const socket = new Socket()
    engine.stats.addActive(1)
    engine.engine.adopt(socket, '192.0.2.1:1')
    expect(socket.destroyed).toBe(true)
    expect(engine.stats.active).toBe(0)
    expect([engine.stats.accepted, engine.stats.handled]).toEqual([1, 0])
  })

  it('numbers the connections of a worker apart from those of others', async () => {
    engine.load(conf('old').replace("'$status ", "'$connection $connection_requests $status "))
    for (let count = 0; count < 2; count++) {
      const client = await connect()
      await client.send(get('/text') + get('/text', 'Connection: close\r\n'))
      await client.untilEnd()
    }
    const numbers = (await engine.logged(4)).map((line) => line.split(' ').slice(0, 2).map(Number))
    expect(numbers.map(([, request]) => request)).toEqual([1, 2, 1, 2])
    expect(new Set(numbers.map(([connection]) => connection)).size).toBe(2)
  })
})

describe('worker_connections', () => {
  it('used up: 500 and an alert', async () => {
    engine.load(conf('old').replace('worker_connections 512', 'worker_connections 1'))
    const client = await connect()
    await client.send(get('/'))
    expect(await client.take('</html>')).toMatch(/^HTTP\/1\.1 500 /)
    expect(engine.errorLog).toMatch(
      /\[alert\] .*: \*\d+ 1 worker_connections are not enough while connecting/,
    )
  })
})

describe('reopen', () => {
  it('writes what comes later to the new descriptors', async () => {
    const client = await connect()
    await client.send(get('/text'))
    await client.take('old')
    const path = join(engine.folder, 'reopened.log')
    const fd = openSync(path, 'a')
    engine.engine.reopen({ [join(engine.folder, 'logs/access.log')]: fd })
    await engine.logged(1)
    await client.send(get('/text', 'Connection: close\r\n'))
    await client.untilEnd()
    expect(readFileSync(path, 'latin1')).toBe('200 GET /text 3\n')
    expect(engine.accessLog).toBe('200 GET /text 3\n')
    engine.engine.reopen({})
    closeSync(fd)
  })
})
