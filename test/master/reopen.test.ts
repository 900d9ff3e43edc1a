// USR1 while requests flow over two workers: no line of any kind of log is lost, doubled or cut.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterEach, expect, it } from 'vitest'
import { type RunningProxy, startWeir } from '../support/proxy.ts'
import { eventually } from '../support/wait.ts'
import { KeptConnection } from './kept.ts'

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
