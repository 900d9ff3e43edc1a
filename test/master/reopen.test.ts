// USR1 while requests flow over two workers: no line of any kind of log is lost, doubled or cut. And while requests of
// earlier configurations still have logs of their own.

import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { type RunningProxy, startWeir } from '../support/proxy.ts'
import { eventually } from '../support/wait.ts'
import { KeptConnection } from './kept.ts'
import { startWith } from './start-with.ts'

const CLIENTS = 8
const ROTATIONS = 5
const LOGS = ['plain', 'buffered', 'packed']

let proxy: RunningProxy

afterEach(() => proxy.stop())

/** Asks one request after the other until `state.over`; returns what it asked for. */
async function client(number: number, state: { over: boolean }): Promise<string[]> {
  const connection = await KeptConnection.open(proxy.port)
  const asked: string[] = []
  while (!state.over) {
    const target = `/${number}-${asked.length}`
    connection.send(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`)
    await connection.answer()
    asked.push(target)
  }
  return asked
}

async function rotate(round: number): Promise<void> {
  const path = (name: string) => join(proxy.folder, 'logs', name)
  for (const name of LOGS) await rename(path(name), path(`${name}.${round}`))
  proxy.signal('SIGUSR1')
  for (const name of LOGS) await eventually(`new ${name}`, () => existsSync(path(name)))
}

/** The lines of a log in all its files together. */
function lines(name: string): string[] {
  const folder = join(proxy.folder, 'logs')
  const texts = readdirSync(folder)
    .filter((file) => file.startsWith(name))
    .map((file) => readFileSync(join(folder, file)))
    .map((bytes) => (name === 'packed' && bytes.length > 0 ? gunzipSync(bytes) : bytes).toString('latin1'))
  for (const text of texts) expect(text === '' || text.endsWith('\n')).toBe(true)
  return texts.join('').split('\n').slice(0, -1)
}

it('USR1 under load loses no line', { timeout: 60_000 }, async () => {
  proxy = await startWeir(`
    worker_processes 2;
    events { }
    http {
      log_format target '$uri';
      keepalive_requests 1000000;
      server {
        listen 127.0.0.1:%PORT%;
        access_log logs/plain target;
        access_log logs/buffered target buffer=500 flush=1s;
        access_log logs/packed target buffer=500 gzip;
        return 200 answer;
      }
    }`)
  const state = { over: false }
  const clients = Array.from({ length: CLIENTS }, (_, number) => client(number, state))
  for (let round = 0; round < ROTATIONS; round++) await rotate(round)
  state.over = true
  const asked = (await Promise.all(clients)).flat().sort()
  proxy.signal('SIGQUIT')
  await proxy.ended
  expect(asked.length).toBeGreaterThan(CLIENTS * ROTATIONS)
  for (const name of LOGS) expect([name, lines(name).sort()]).toEqual([name, asked])
})

it('a log that cannot be opened again is told of, and the others are reopened', async () => {
  proxy = await startWeir(
    `events { }
    http {
      server { listen 127.0.0.1:%PORT%; access_log gone/first; access_log logs/second; return 200 answer; }
    }`,
    { files: { 'gone/note': '' } },
  )
  const path = (name: string) => join(proxy.folder, name)
  await rename(path('gone'), path('moved'))
  await rename(path('logs/second'), path('logs/second.1'))
  proxy.signal('SIGUSR1')
  await eventually('the other', () => existsSync(path('logs/second')))
  const words = `[emerg] ${proxy.process.pid}#0: open() "${path('gone/first')}" failed (2: No such file or directory)`
  await eventually('the reason', () => proxy.errorLog.includes(words))
  const client = await KeptConnection.open(proxy.port)
  expect(await client.get()).toBe('answer')
  client.close()
  for (const name of ['moved/first', 'logs/second']) {
    await eventually(name, () => proxy.read(name).includes(' 200 6 '))
  }
})

describe('logs that only earlier configurations name', () => {
  let backend: Server

  const conf = (log: string, number: number) => `
    worker_processes 1;
    events { }
    http {
      log_format target '$uri';
      access_log logs/${log} target;
      error_log logs/${log}.errors info;
      server {
        listen 127.0.0.1:%PORT%;
        location /slow { proxy_pass http://127.0.0.1:${(backend.address() as AddressInfo).port}; }
        location / { return 200 ${number}; }
      }
    }`

  /** A request that waits for its backend. */
  async function slow(target: string): Promise<{ client: KeptConnection; upstream: Socket }> {
    const connected = once(backend, 'connection') as Promise<[Socket]>
    const client = await KeptConnection.open(proxy.port)
    client.send(`GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
    const [upstream] = await connected
    return { client, upstream }
  }

  async function answered(number: number): Promise<void> {
    await eventually(`configuration ${number}`, async () => {
      const client = await KeptConnection.open(proxy.port)
      const answer = await client.get()
      client.close()
      return answer === String(number)
    })
  }

  async function reload(log: string, number: number): Promise<void> {
    const head = 'pid logs/nginx.pid;\nerror_log logs/error.log info;\n'
    const text = head + conf(log, number).replaceAll('%PORT%', String(proxy.port))
    await writeFile(join(proxy.folder, 'nginx.conf'), text)
    proxy.signal('SIGHUP')
    await answered(number)
  }

  function isOpen(name: string): boolean {
    const folder = `/proc/${proxy.process.pid}/fd`
    return readdirSync(folder).some((fd) => {
      try {
        return readlinkSync(join(folder, fd)) === join(proxy.folder, 'logs', name)
      } catch {
        return false
      }
    })
  }

  it('are opened anew too, and closed when the last of their requests is gone', async () => {
    backend = createServer().listen(0, '127.0.0.1')
    await once(backend, 'listening')
    proxy = await startWith(
      ['--expose-gc', '--import', join(import.meta.dirname, 'collect.mjs')],
      conf('old', 1),
    )
    const requests = [await slow('/slow/1')]
    await reload('new', 2)
    requests.push(await slow('/slow/2'))
    // The same file once more: both generations of it write to what it is now.
    await reload('old', 3)
    requests.push(await slow('/slow/3'))
    await reload('last', 4)
    const path = (name: string) => join(proxy.folder, 'logs', name)
    const names = ['old', 'old.errors', 'new', 'last']
    for (const name of names) await rename(path(name), path(`${name}.1`))
    proxy.signal('SIGUSR1')
    for (const name of names) await eventually(`another ${name}`, () => existsSync(path(name)))
    await eventually('the first files closed', () => names.every((name) => !isOpen(`${name}.1`)))
    for (const { client, upstream } of requests) {
      upstream.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok')
      await client.answer()
      await client.ended
    }
    expect(proxy.read('logs/old')).toBe('/slow/1\n/slow/3\n')
    expect(proxy.read('logs/new')).toBe('/slow/2\n')
    await eventually('the logs of the past closed', async () => {
      proxy.signal('SIGUSR2')
      await answered(4)
      return !['old', 'old.errors', 'new', 'new.errors'].some(isOpen)
    })
    expect(isOpen('last')).toBe(true)
    backend.close()
  })
})
