// What workers count of requests at servers, after everything that can become of requests has become of many of them,
// under reloads and crashes of workers.

import { writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, expect, it } from 'vitest'
import type { RunningProxy } from '../support/proxy.ts'
import { eventually } from '../support/wait.ts'
import { startWith } from './start-with.ts'

/** What happens in all is as random as this says: a failure names it. */
const SEED = Math.floor(Math.random() * 2 ** 31)
const CLIENTS = 40
const REQUESTS = 10

let state = SEED
function random(below: number): number {
  state = (Math.imul(state, 1103515245) + 12345) >>> 0
  return Math.floor((state / 2 ** 32) * below)
}
const oneOf = <T>(choices: readonly T[]): T => choices[random(choices.length)]!

const servers: Server[] = []
let weir: RunningProxy | null = null

afterEach(async () => {
  await weir?.stop()
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

/** A backend that does anything but what it should, half of the time. */
async function startBackend(): Promise<string> {
  const server = createServer((request, response) => answer(request, response))
  server.on('upgrade', (_, socket: Socket) => {
    socket.on('error', () => {})
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: a\r\n\r\n')
    setTimeout(() => (random(2) === 0 ? socket.destroy() : socket.end('x')), random(60))
  })
  server.on('clientError', (_, socket) => socket.destroy())
  servers.push(server)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  request.on('error', () => {})
  const { socket } = request
  const ways: (() => void)[] = [
    () => response.end('ok'),
    () => response.end('ok'),
    () => setTimeout(() => response.end('late'), random(80)),
    () => request.resume().on('end', () => response.end('all')),
    () => socket.destroy(),
    () => socket.resetAndDestroy(),
    () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf'),
    () => socket.end('garbage\r\n\r\n'),
    () => response.writeHead(oneOf([403, 404, 500, 503])).end('no'),
    () => response.writeHead(200, { 'X-Accel-Redirect': oneOf(['/one', '/many', '/none']) }).end(),
    () => response.end('x'.repeat(200_000)),
    () => response.writeEarlyHints({ link: '</a>; rel=preload' }, () => response.end('hinted')),
    () => {
      response.end('and gone')
      response.on('finish', () => socket.destroy())
    },
    () => {},
  ]
  oneOf(ways)()
}

const PATHS = ['/one', '/many', '/few', '/pages', '/auth', '/bind', '/name', '/once', '/bare', '/left']
const HEADS = ['GET %', 'HEAD %', 'POST %+', 'PUT %-', 'POST %c', 'GET %u', 'POST %e']

function requestText(): string {
  const [method, kind] = oneOf(HEADS).split(' %') as [string, string]
  const head = `${method} ${oneOf(PATHS)}?${random(9)} HTTP/1.1\r\nHost: a\r\n`
  switch (kind) {
    case '+':
      return `${head}Content-Length: 5\r\n\r\nwhole`
    case '-':
      return `${head}Content-Length: 70000\r\n\r\n${'x'.repeat(oneOf([0, 9, 20_000, 70_000]))}`
    case 'c':
      return `${head}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n${oneOf(['0\r\n\r\n', '', 'zz\r\n'])}`
    case 'e':
      return `${head}Expect: 100-continue\r\nContent-Length: 3\r\n\r\n`
    case 'u':
      return `${head}Connection: Upgrade\r\nUpgrade: a\r\n\r\n`
    default:
      return `${head}\r\n`
  }
}

/** Sends one request, and goes away at any time, or some time after the answer has begun. */
function ask(port: number): Promise<void> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1')
    const leave = () => (random(2) === 0 ? socket.destroy() : socket.resetAndDestroy())
    const limit = setTimeout(leave, oneOf([0, 5, 30, 120, 400]))
    socket.on('error', () => {})
    socket.on('close', () => {
      clearTimeout(limit)
      done()
    })
    socket.on('data', () => random(3) > 0 && setTimeout(leave, random(40)))
    socket.write(requestText())
  })
}

const blocks = (a: string, b: string, c: string) => [
  `least_conn; server ${a} max_conns=4 max_fails=2 fail_timeout=1s; server ${b} max_conns=4 weight=3;
   server ${c} max_conns=2 backup;`,
  `server ${b} max_conns=4 weight=7; server ${a} max_conns=4 max_fails=0;`,
  `random two; server ${c} max_conns=2; server ${a} max_conns=4; server ${b} max_conns=4;`,
  `hash $request_uri consistent; server ${a} max_conns=4;`,
  `least_time last_byte inflight; server ${b} max_conns=4; server ${a} max_conns=4 down;`,
  `ip_hash; server ${a} max_conns=4; server 127.0.0.1:1 max_conns=3; server ${c} max_conns=2;`,
]

const conf = (workers: number, many: string, a: string, b: string) => `
worker_processes ${workers};
events { worker_connections 16; }
http {
  access_log off;
  proxy_read_timeout 300ms;
  proxy_next_upstream error timeout http_500 http_403;
  upstream one { zone one 64k; server ${a} max_conns=5; }
  upstream few { zone few 64k; server ${b} max_conns=1; server ${a} max_conns=3; keepalive 1; }
  upstream many { zone many 64k; ${many} }
  server {
    listen 127.0.0.1:%PORT%;
    client_body_timeout 1s;
    location / { return 404; }
    location /one { proxy_pass http://one; proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $http_connection; }
    location /many { proxy_pass http://many; proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $http_connection; }
    location /few { proxy_pass http://few; proxy_next_upstream_tries 2; }
    location /pages { proxy_pass http://few; proxy_intercept_errors on; error_page 403 404 500 502 503 504 = /many; }
    location /auth { auth_request /one; proxy_pass http://many; }
    location /mirror { proxy_pass http://many; }
    location /bind { proxy_bind 192.0.2.1; proxy_pass http://many; }
    location /name { set $to localhost; proxy_pass http://$to:$server_port/one; }
    location /once { proxy_pass http://one; proxy_set_header Connection close; }
    location /left { proxy_pass http://many; proxy_ignore_client_abort on; }
    location /bare { proxy_pass http://many; proxy_pass_request_body off; }
  }
}
`

/** By upstream and server: how many requests are there now, and the most there have been. */
interface Counts {
  counts: Record<string, number>
  most: Record<string, number>
}

it(`requests come and go in every way: none is left at a server, and never are there more than max_conns (${SEED})`, async () => {
  const [a, b, c] = [await startBackend(), await startBackend(), await startBackend()]
  // Workers that end give back what they lost: to the end the same ones serve.
  let workers = [2, 3, 4]
  const text = () => conf(oneOf(workers), oneOf(blocks(a, b, c)), a, b)
  const proxy = await startWith(['--import', join(import.meta.dirname, 'peer-counts.mjs')], text())
  weir = proxy
  let over = false
  const trouble = async () => {
    while (!over) {
      await delay(40 + random(150))
      if (workers.length > 1 && random(4) === 0) proxy.signal('SIGUSR2')
      else await reload(proxy, text())
    }
  }
  const client = async () => {
    for (let count = 0; count < REQUESTS; count++) await ask(proxy.port)
  }
  const troubled = trouble()
  await Promise.all(Array.from({ length: CLIENTS }, client))
  workers = [3]
  await Promise.all(Array.from({ length: CLIENTS }, client))
  over = true
  await troubled
  const last = (): Counts => JSON.parse(proxy.read('logs/peer-counts.json'))
  await eventually('end of all requests at servers', () => {
    return Object.values(last().counts).every((count) => count === 0)
  }).catch(() => {})
  const { counts, most } = last()
  expect(Object.entries(counts).filter(([, count]) => count !== 0)).toEqual([])
  for (const [server, limit] of [
    [`one ${a}`, 5],
    [`few ${b}`, 1],
    [`few ${a}`, 3],
    [`many ${a}`, 4],
    [`many ${b}`, 4],
    [`many ${c}`, 2],
  ]) {
    expect(most[`upstream ${server}`] ?? 0, `${server}`).toBeLessThanOrEqual(Number(limit))
  }
  expect(proxy.errorLog).not.toContain('internal error')
}, 60_000)

async function reload(proxy: RunningProxy, text: string): Promise<void> {
  const head = 'pid logs/nginx.pid;\nerror_log logs/error.log info;\n'
  await writeFile(join(proxy.folder, 'nginx.conf'), head + text.replaceAll('%PORT%', String(proxy.port)))
  proxy.signal('SIGHUP')
}
