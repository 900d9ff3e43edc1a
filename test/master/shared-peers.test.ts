// What all workers of a whole weir know together of the servers of an upstream, seen from these servers.

import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { HoldingBackend } from '../support/holding-backend.ts'
import { type RunningProxy, startWeir } from '../support/proxy.ts'
import { rawRequest } from '../support/raw-client.ts'
import { eventually } from '../support/wait.ts'
import { workerOf } from './kept.ts'
import { startWith } from './start-with.ts'

const WORKERS = 4

let weir: RunningProxy | null = null
const backends: HoldingBackend[] = []
const servers: Server[] = []

afterEach(async () => {
  for (const backend of backends) backend.release()
  await weir?.stop()
  weir = null
  await Promise.all(backends.splice(0).map((backend) => backend.stop()))
  for (const server of servers.splice(0)) server.close()
})

async function start(count: number): Promise<HoldingBackend[]> {
  for (let index = 0; index < count; index++) backends.push(await HoldingBackend.start())
  return backends
}

const conf = (upstream: string) => `
worker_processes ${WORKERS};
events {}
http {
  access_log off;
  upstream app { ${upstream} }
  server {
    listen 127.0.0.1:%PORT%;
    add_header X-Connection $connection always;
    location / { proxy_pass http://app; }
  }
}
`

/** A request on a connection of its own, so that it may come to any of the workers. */
class Client {
  /** 0: not answered yet; -1: the connection ended without an answer. */
  status = 0
  worker = -1
  readonly done: Promise<void>

  constructor(port: number) {
    this.done = this.#ask(port)
  }

  async #ask(port: number): Promise<void> {
    const { bytes } = await rawRequest(port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', { limit: 30_000 })
    const text = bytes.toString('latin1')
    this.status = Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? -1)
    const connection = /\r\nX-Connection: (\d+)\r\n/.exec(text)?.[1]
    if (connection !== undefined) this.worker = workerOf(connection)
  }
}

const ask = (count: number) => Array.from({ length: count }, () => new Client(weir!.port))
const answered = (clients: readonly Client[], status: number) =>
  clients.filter((client) => client.status === status).length
const workers = (clients: readonly Client[]) => new Set(clients.map(({ worker }) => worker)).size
const finish = (clients: readonly Client[]) => Promise.all(clients.map(({ done }) => done))

describe('max_conns', () => {
  it.each([
    ['the only server', 1],
    ['each of two servers, with least_conn', 2],
  ])('of %s: four workers together send it ten of 60 requests at a time', async (_, count) => {
    const own = await start(count)
    const lines = own.map(({ address }) => `server ${address} max_conns=10;`).join(' ')
    weir = await startWeir(conf(count === 2 ? `least_conn; ${lines}` : lines))
    for (let round = 0; round < 2; round++) {
      const clients = ask(60)
      await eventually('answers to all that are not let in', () => answered(clients, 502) === 60 - 10 * count)
      await eventually('arrival of the others', () => own.every(({ current }) => current === 10))
      for (const backend of own) backend.release()
      await finish(clients)
      expect([answered(clients, 200), workers(clients)]).toEqual([10 * count, WORKERS])
    }
    expect(own.map(({ most }) => most)).toEqual(own.map(() => 10))
  })

  it('is kept while requests come and go', async () => {
    const [backend] = await start(1)
    backend!.holds = false
    weir = await startWeir(conf(`server ${backend!.address} max_conns=10;`))
    let busy = 0
    const loop = async () => {
      for (let turn = 0; turn < 15; turn++) {
        const [client] = ask(1)
        await client!.done
        if (client!.status === 502) busy++
        else expect(client!.status).toBe(200)
      }
    }
    await Promise.all(Array.from({ length: 60 }, loop))
    expect(backend!.most).toBeLessThanOrEqual(10)
    expect(backend!.total).toBe(60 * 15 - busy)
    // Nothing was lost on the way: ten fit still.
    backend!.holds = true
    const clients = ask(20)
    await eventually('answers to all that are not let in', () => answered(clients, 502) === 10)
    await eventually('arrival of the others', () => backend!.current === 10)
  })
})

describe('max_fails', () => {
  it('of 3: a dead server takes three failures of all workers together', async () => {
    const [backend] = await start(1)
    backend!.holds = false
    let attempts = 0
    const dead = createServer((socket) => {
      attempts++
      socket.resetAndDestroy()
    })
    servers.push(dead)
    await new Promise<void>((done) => dead.listen(0, '127.0.0.1', done))
    const { port } = dead.address() as { port: number }
    weir = await startWeir(
      conf(`server 127.0.0.1:${port} max_fails=3 fail_timeout=1h; server ${backend!.address};`),
    )
    const clients: Client[] = []
    for (let count = 0; count < 40; count++) {
      const [client] = ask(1)
      await client!.done
      clients.push(client!)
    }
    expect([answered(clients, 200), workers(clients)]).toEqual([40, WORKERS])
    expect(attempts).toBe(3)
  })
})

describe('least_conn', () => {
  it('counts the requests of all workers', async () => {
    const [left, right] = await start(2)
    weir = await startWeir(conf(`least_conn; server ${left!.address}; server ${right!.address};`))
    const clients: Client[] = []
    const askOne = async () => {
      const before = left!.total + right!.total
      clients.push(...ask(1))
      await eventually('arrival', () => left!.total + right!.total === before + 1)
    }
    for (let count = 1; count <= 24; count++) {
      await askOne()
      expect(Math.abs(left!.current - right!.current), `after ${count}`).toBeLessThanOrEqual(1)
    }
    left!.release()
    await eventually('answers', () => answered(clients, 200) === 12)
    for (let count = 0; count < 12; count++) await askOne()
    expect([left!.current, right!.current]).toEqual([12, 12])
    left!.release()
    right!.release()
    await finish(clients)
    expect(workers(clients)).toBe(WORKERS)
  })
})

describe('a worker that dies', () => {
  it.each([
    ['the only server', 1],
    ['two servers', 2],
  ])('gives back what it had at %s, and no more', async (_, count) => {
    const own = await start(count)
    const room = 10 * count
    const atBackends = () => own.reduce((sum, { current }) => sum + current, 0)
    const lines = own.map(({ address }) => `server ${address} max_conns=10;`).join(' ')
    weir = await startWith(['--import', join(import.meta.dirname, 'crash.mjs')], conf(lines))
    const clients = ask(room)
    await eventually('arrival of all', () => atBackends() === room)
    weir.signal('SIGUSR2')
    await eventually('loss of some', () => answered(clients, -1) > 0 && atBackends() < room)
    // Their places become free a moment later: some of these come too early.
    await eventually('room for others', async () => {
      const [client] = ask(1)
      const before = own.reduce((sum, { total }) => sum + total, 0)
      await eventually('outcome', () => {
        return client!.status !== 0 || own.reduce((sum, { total }) => sum + total, 0) > before
      })
      if (client!.status === 0) clients.push(client!)
      return atBackends() === room
    })
    const more = ask(20)
    await eventually('answers to all that are not let in', () => answered(more, 502) === 20)
    for (const backend of own) backend.release()
    await finish(clients)
    expect(own.map(({ most }) => most)).toEqual(own.map(() => 10))
    expect(answered(clients, 200)).toBe(room)
    expect(answered(clients, -1)).toBe(clients.length - room)
  })
})
