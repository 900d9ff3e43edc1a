// Health checks of a whole weir with several workers: who gets requests, and what the logs say.

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { DnsServer } from '../../support/dns-server.ts'
import { type RunningProxy, startWeir } from '../../support/proxy.ts'
import { RawBackend } from '../../support/raw-backend.ts'
import { rawRequest } from '../../support/raw-client.ts'
import { eventually } from '../../support/wait.ts'

const ROUND = 12

/** A backend that answers checks (`/health`) as it is told, and others with its name. */
class CheckedBackend {
  readonly raw: RawBackend
  well = true

  constructor(raw: RawBackend, name: string) {
    this.raw = raw
    raw.answer = (request) => {
      const status = isCheck(request) && !this.well ? '503 Busy' : '200 OK'
      return `HTTP/1.1 ${status}\r\nContent-Length: 1\r\n\r\n${name}`
    }
  }

  get checked(): number {
    return this.raw.requests.filter(({ bytes }) => isCheck(bytes)).length
  }

  /** Requests that were no checks. */
  get served(): number {
    return this.raw.requests.length - this.checked
  }
}

const isCheck = (request: Buffer) => request.toString('latin1').startsWith('GET /health ')

let proxy: RunningProxy | null = null
let a: CheckedBackend
let b: CheckedBackend

beforeEach(async () => {
  a = new CheckedBackend(await RawBackend.start(), 'a')
  b = new CheckedBackend(await RawBackend.start(), 'b')
})
afterEach(async () => {
  await proxy?.stop()
  proxy = null
  await a.raw.stop()
  await b.raw.stop()
})

function conf(check: string, servers = [a, b]): string {
  const lines = servers.map(({ raw }) => `server ${raw.address};`).join(' ')
  return `worker_processes 2;
events {}
http {
  access_log off;
  upstream u { ${lines} }
  server {
    listen 127.0.0.1:%PORT%;
    location / { proxy_pass http://u; ${check} }
  }
}`
}

async function start(check: string, servers = [a, b]): Promise<RunningProxy> {
  return (proxy = await startWeir(conf(check, servers)))
}

async function reload(running: RunningProxy, check: string): Promise<void> {
  const head = 'pid logs/nginx.pid;\nerror_log logs/error.log info;\n'
  const text = head + conf(check).replaceAll('%PORT%', String(running.port))
  await writeFile(join(running.folder, 'nginx.conf'), text)
  running.signal('SIGHUP')
}

/** Bodies of some requests on connections of their own, sorted: several workers have a part in them. */
async function round(running: RunningProxy): Promise<string> {
  const get = 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
  const answers = await Promise.all(Array.from({ length: ROUND }, () => rawRequest(running.port, get)))
  return answers
    .map(({ bytes }) => bytes.toString('latin1'))
    .map((text) => (text.startsWith('HTTP/1.1 200') ? text.slice(-1) : text.slice(9, 12)))
    .sort()
    .join('')
}

const logged = (running: RunningProxy, text: string) =>
  eventually(text, () => running.errorLog.includes(text))

it('a server that fails its checks gets no request from any worker until enough have passed', async () => {
  const running = await start('health_check interval=20ms fails=2 passes=2 uri=/health;')
  b.well = false
  await logged(
    running,
    `peer is unhealthy while checking status code, health check "" of peer ${b.raw.address}`,
  )
  const served = b.served
  expect(await round(running)).toBe('a'.repeat(ROUND))
  expect(b.served).toBe(served)
  b.well = true
  await logged(
    running,
    `peer is healthy while checking status code, health check "" of peer ${b.raw.address}`,
  )
  expect(await round(running)).toBe('a'.repeat(ROUND / 2) + 'b'.repeat(ROUND / 2))
})

it('an upstream of one server that is unhealthy has no live upstreams', async () => {
  a.well = false
  const running = await start('health_check interval=20ms uri=/health;', [a])
  await logged(running, 'peer is unhealthy')
  expect(await round(running)).toBe('502'.repeat(ROUND))
  expect(running.errorLog).toContain('no live upstreams while connecting to upstream')
  expect(a.served).toBe(0)
  a.well = true
  await logged(running, 'peer is healthy')
  expect(await round(running)).toBe('a'.repeat(ROUND))
})

it('mandatory: a server gets no request before its first check has passed', async () => {
  b.well = false
  const running = await start('health_check interval=20ms uri=/health mandatory;')
  await logged(running, `of peer ${a.raw.address}`)
  expect(await round(running)).toBe('a'.repeat(ROUND))
  expect(b.served).toBe(0)
})

it('one prober asks for all workers', async () => {
  await start('health_check interval=1h uri=/health keepalive_time=1h;')
  await eventually('checks of both', () => a.checked > 0 && b.checked > 0)
  await round(proxy!)
  expect([a.checked, b.checked]).toEqual([1, 1])
})

it('a reload keeps out what was unhealthy; without checks it is in again', async () => {
  const check = 'health_check interval=20ms uri=/health;'
  const running = await start(check)
  b.well = false
  await logged(running, 'peer is unhealthy')
  await reload(running, `${check} add_header X-A b;`)
  await eventually('the new configuration', async () => {
    const { bytes } = await rawRequest(running.port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    return bytes.includes('X-A: b')
  })
  const { served } = b
  expect(await round(running)).toBe('a'.repeat(ROUND))
  expect(b.served).toBe(served)
  await reload(running, '')
  await eventually(
    'both',
    async () => (await round(running)) === 'a'.repeat(ROUND / 2) + 'b'.repeat(ROUND / 2),
  )
  const { checked } = b
  await round(running)
  expect(b.checked).toBe(checked)
})

it('a reload that is refused leaves the checks as they are', async () => {
  const running = await start('health_check interval=20ms uri=/health;')
  b.well = false
  await logged(running, 'peer is unhealthy')
  await reload(running, 'health_check match=none;')
  await logged(running, 'unknown match "none"')
  const { checked } = b
  await eventually('more checks', () => b.checked > checked)
  expect(await round(running)).toBe('a'.repeat(ROUND))
})

it('with master_process off the only thread checks too', async () => {
  b.well = false
  proxy = await startWeir(`master_process off;\n${conf('health_check interval=20ms uri=/health mandatory;')}`)
  await logged(proxy, `peer is healthy while checking status code, health check "" of peer ${a.raw.address}`)
  expect(await round(proxy)).toBe('a'.repeat(ROUND))
  expect(b.served).toBe(0)
})

it('addresses that a name comes to lead to are checked before they get requests', async () => {
  const names = await DnsServer.start()
  try {
    names.set('backend.test', ['127.0.0.1'])
    const { port } = a.raw
    const lines = `resolver ${names.address} valid=1s; server backend.test:${port} resolve;`
    const check = 'health_check interval=20ms uri=/health mandatory;'
    proxy = await startWeir(conf(check, []).replace('upstream u {', `upstream u { ${lines}`))
    await logged(
      proxy,
      `peer is healthy while checking status code, health check "" of peer 127.0.0.1:${port}`,
    )
    names.set('backend.test', ['127.0.0.1', '127.0.0.9'])
    await logged(
      proxy,
      `peer is unhealthy while connecting to upstream, health check "" of peer 127.0.0.9:${port}`,
    )
    expect(await round(proxy)).toBe('a'.repeat(ROUND))
    expect(proxy.errorLog).not.toContain('upstream: "http://127.0.0.9')
  } finally {
    await names.stop()
  }
})
