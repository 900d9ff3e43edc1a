// WebSockets through a whole weir: reloads leave them alone, a crash costs those of one worker, and a graceful end waits
// for them as long as it is told to.

import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { type RunningProxy, startWeir } from '../support/proxy.ts'
import { eventually } from '../support/wait.ts'
import { startWith } from './start-with.ts'

let backend: WebSocketServer
let proxy: RunningProxy
const sockets: WebSocket[] = []

beforeAll(async () => {
  backend = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  backend.on('connection', (socket) => socket.on('message', (message) => socket.send(message)))
  await once(backend, 'listening')
})
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.terminate()
  await proxy?.stop()
})
afterAll(() => {
  for (const socket of backend.clients) socket.terminate()
  backend.close()
})

const backendAddress = () => `127.0.0.1:${(backend.address() as AddressInfo).port}`

function conf({ main = '', workers = 2, location = `proxy_pass http://${backendAddress()};` }): string {
  return `
worker_processes ${workers};
${main}
events { worker_connections 64; }
http {
  log_format numbered '$status $connection';
  access_log logs/access.log numbered;
  server {
    listen 127.0.0.1:%PORT%;
    location / { ${location} }
  }
}
`
}

async function open(): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}/`)
  sockets.push(socket)
  socket.on('error', () => {})
  await once(socket, 'open')
  return socket
}

async function echoed(socket: WebSocket, text: string): Promise<void> {
  socket.send(text)
  const [message] = (await once(socket, 'message')) as [Buffer]
  expect(message.toString()).toBe(text)
}

const openNow = (list: readonly WebSocket[]) => list.filter(({ readyState }) => readyState === WebSocket.OPEN)
const lines = () => proxy.accessLog.split('\n').slice(0, -1)

async function reload(text: string): Promise<void> {
  const head = 'pid logs/nginx.pid;\nerror_log logs/error.log info;\n'
  await writeFile(join(proxy.folder, 'nginx.conf'), head + text.replaceAll('%PORT%', String(proxy.port)))
  proxy.signal('SIGHUP')
}

it('reloads cut none, also one after which nothing is proxied there any more', async () => {
  proxy = await startWeir(conf({}))
  const list = await Promise.all([open(), open(), open(), open()])
  await reload(conf({ location: 'return 404;' }))
  await eventually('the new configuration', async () => {
    const answer = await fetch(`http://127.0.0.1:${proxy.port}/`)
    await answer.body?.cancel()
    return answer.status === 404
  })
  await Promise.all(list.map((socket, index) => echoed(socket, `message ${index}`)))
  for (const socket of list) socket.close()
  await Promise.all(list.map((socket) => once(socket, 'close')))
  await eventually('the log', () => lines().filter((line) => line.startsWith('101 ')).length === 4)
})

it('a reload to fewer workers cuts none, and the worker ends behind the last of its own', async () => {
  proxy = await startWeir(conf({}))
  const list = await Promise.all([open(), open(), open(), open()])
  await reload(conf({ workers: 1 }))
  await eventually('one worker that takes connections', () => proxy.errorLog.includes('reconfiguring'))
  await Promise.all(list.map((socket, index) => echoed(socket, `message ${index}`)))
  expect(proxy.errorLog).not.toContain('exited with code 0')
  for (const socket of list) socket.close()
  await eventually('the end of the worker', () =>
    proxy.errorLog.includes('worker thread 2 exited with code 0'),
  )
  await eventually('the log', () => lines().length === 4)
})

it('a worker that crashes costs its own only', async () => {
  proxy = await startWith(['--import', join(import.meta.dirname, 'crash.mjs')], conf({}))
  const list = await Promise.all([open(), open(), open(), open()])
  proxy.signal('SIGUSR2')
  await eventually('two that are gone', () => openNow(list).length === 2)
  await eventually('another worker', () => proxy.errorLog.includes('exited on'))
  await Promise.all(openNow(list).map((socket) => echoed(socket, 'still here')))
  await echoed(await open(), 'and back')
})

it('a graceful end waits for them', async () => {
  proxy = await startWeir(conf({}))
  const list = await Promise.all([open(), open()])
  proxy.signal('SIGQUIT')
  await eventually('the signal', () => proxy.errorLog.includes('(SIGQUIT) received'))
  await Promise.all(list.map((socket) => echoed(socket, 'still here')))
  for (const socket of list) socket.close()
  expect(await proxy.ended).toEqual({ code: 0, signal: null })
  expect(lines()).toHaveLength(2)
})

it('... for worker_shutdown_timeout at most', async () => {
  proxy = await startWeir(conf({ main: 'worker_shutdown_timeout 500ms;' }))
  const list = await Promise.all([open(), open()])
  proxy.signal('SIGQUIT')
  await Promise.all(list.map((socket) => echoed(socket, 'still here')))
  const closed = await Promise.all(list.map((socket) => once(socket, 'close')))
  // Nobody but the backend speaks its language: the connection ends without a Close frame.
  expect(closed.map(([code]) => code)).toEqual([1006, 1006])
  expect(await proxy.ended).toEqual({ code: 0, signal: null })
  expect(lines().map((line) => line.slice(0, 4))).toEqual(['101 ', '101 '])
})
