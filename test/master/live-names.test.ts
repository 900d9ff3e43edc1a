// Names of backends that change while weir runs, with several workers and a name server of the test's own. The backends
// are servers of the same weir on addresses of the loopback; each says which it is.

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DnsServer } from '../support/dns-server.ts'
import { type RunningProxy, startWeir } from '../support/proxy.ts'
import { eventually } from '../support/wait.ts'
import { type KeptConnection, openKept, workerOf } from './kept.ts'

const HEAD = 'pid logs/nginx.pid;\nerror_log logs/error.log info;\n'

let dns: DnsServer
let proxy: RunningProxy | null = null
let kept: KeptConnection[] = []

beforeEach(async () => {
  dns = await DnsServer.start()
})
afterEach(async () => {
  for (const connection of kept) connection.close()
  kept = []
  await proxy?.stop()
  proxy = null
  await dns.stop()
})

/** Three workers in front of `upstream back`, with these lines in it. */
function conf(lines: string, http = ''): string {
  const backends = [2, 3, 4, 5].map(
    (host) => `server { listen 127.0.0.${host}:%PORT2%; location / { return 200 "${host}"; } }`,
  )
  return `
worker_processes 3;
events { worker_connections 256; }
http {
  access_log off;
  keepalive_requests 1000000;
  resolver %DNS% ipv6=off;
  ${http}
  upstream back { ${lines} }
  ${backends.join('\n  ')}
  server {
    listen 127.0.0.1:%PORT%;
    location / { proxy_pass http://back; }
    location /variable { proxy_pass http://$arg_name:%PORT2%; }
    location /worker { return 200 $connection; }
    location /direct { proxy_pass http://direct.invalid:%PORT2%; }
  }
}
`
}

/** Starts weir and opens two connections to each of its workers. */
async function start(text: string): Promise<RunningProxy> {
  proxy = await startWeir(text, { vars: { DNS: dns.address } })
  kept = await openKept(proxy.port, 6)
  return proxy
}

/** What all workers answer, each kind once. */
async function answers(): Promise<string> {
  const bodies: string[] = []
  // Twice each: neighbours of a round robin are both seen.
  for (let round = 0; round < 2; round++) bodies.push(...(await Promise.all(kept.map((one) => one.get()))))
  return [...new Set(bodies)].sort().join(' ')
}

const answering = (text: string) => eventually(`answers ${text}`, async () => (await answers()) === text)
const logged = (text: string) => eventually(text, () => proxy!.errorLog.includes(text))

async function reload(text: string): Promise<void> {
  const { folder, ports } = proxy!
  const filled = text.replaceAll('%PORT%', `${ports[0]}`).replaceAll('%PORT2%', `${ports[1]}`)
  await writeFile(join(folder, 'nginx.conf'), HEAD + filled.replaceAll('%DNS%', dns.address))
  proxy!.signal('SIGHUP')
}

describe('server NAME resolve', () => {
  it('has the addresses of the name from the first request on, and follows it without a reload', async () => {
    dns.set('a.test', ['127.0.0.2', '127.0.0.3'], 1)
    await start(conf('server a.test:%PORT2% resolve;'))
    expect(await answers()).toBe('2 3')
    dns.set('a.test', ['127.0.0.3', '127.0.0.4'], 1)
    await answering('3 4')
    expect(proxy!.errorLog).not.toContain('[error]')
  })

  it('keeps its addresses while look-ups fail, and has none where the name is gone; each is said once', async () => {
    dns.set('a.test', ['127.0.0.2'], 1)
    await start(conf('server a.test:%PORT2% resolve;'))
    dns.names.set('a.test', { code: 2 })
    await logged('a.test could not be resolved (2: Server failure): its last addresses are used until it can')
    const asked = dns.count('a.test')
    await eventually('another look-up', () => dns.count('a.test') > asked)
    expect(await answers()).toBe('2')
    dns.set('a.test', ['127.0.0.3'], 1)
    await answering('3')
    await logged('a.test can be resolved again')
    expect(proxy!.errorLog.match(/a\.test could not be resolved/g)).toHaveLength(1)
    dns.names.delete('a.test')
    await logged('a.test could not be resolved (3: Host not found)')
    await eventually('502', async () => (await answers()).includes('502'))
    dns.set('a.test', ['127.0.0.4'], 1)
    await answering('4')
  })

  it('stands beside other servers', async () => {
    dns.set('a.test', ['127.0.0.3', '127.0.0.4'], 1)
    const servers = ['127.0.0.2:%PORT2%', 'a.test:%PORT2% resolve', '127.0.0.5:%PORT2% backup']
    await start(conf(servers.map((server) => `server ${server};`).join(' ')))
    expect(await answers()).toBe('2 3 4')
    dns.names.delete('a.test')
    await answering('2')
  })

  it('is followed after a reload too, by workers that are started then, and by nobody once it is gone', async () => {
    dns.set('a.test', ['127.0.0.2'], 1)
    await start(conf('server a.test:%PORT2% resolve;'))
    dns.set('a.test', ['127.0.0.3'], 600)
    await answering('3')
    await reload(conf('server a.test:%PORT2% resolve;').replace('worker_processes 3', 'worker_processes 5'))
    await logged('reconfiguring')
    await eventually('connections to new workers', async () => {
      kept.push(...(await openKept(proxy!.port, 4)))
      const workers = await Promise.all(kept.map((one) => one.get('/worker')))
      return new Set(workers.map((number) => workerOf(number))).size === 5
    })
    expect(await answers()).toBe('3')
    await reload(conf('server 127.0.0.4:%PORT2%;').replace('worker_processes 3', 'worker_processes 5'))
    await answering('4')
  })

  it('uses the slots of addresses that are gone for new ones, and says when there are too many', async () => {
    dns.set('a.test', ['127.0.0.2'], 1)
    await start(conf('zone back 32k; server a.test:%PORT2% resolve;'))
    const batch = (from: number, count: number) =>
      Array.from({ length: count }, (_, index) => `127.1.${from}.${index + 1}`)
    for (const number of [1, 2]) {
      const asked = dns.count('a.test')
      dns.set('a.test', batch(number, 60), 1)
      await eventually('look-up', () => dns.count('a.test') > asked)
    }
    dns.set('a.test', ['127.0.0.4'], 1)
    await answering('4')
    expect(proxy!.errorLog).not.toContain('memory exhausted')
    dns.set('a.test', batch(3, 100), 1)
    await logged('cannot add new server to upstream "back", memory exhausted')
  })
})

describe('a name that variables bring up', () => {
  it('is followed as its answers say, and keeps its addresses while look-ups fail', async () => {
    dns.set('v.test', ['127.0.0.2'], 1)
    await start(conf('server 127.0.0.2:%PORT2%;'))
    const one = kept[0]!
    const answer = () => one.get('/variable?name=v.test')
    expect(await answer()).toBe('2')
    dns.set('v.test', ['127.0.0.3'], 1)
    await eventually('the other', async () => (await answer()) === '3')
    dns.names.set('v.test', { code: 5 })
    await eventually('failure', async () => {
      expect(await answer()).toBe('3')
      return proxy!.errorLog.includes(
        'v.test could not be resolved (5: Operation refused): its last addresses',
      )
    })
  })
})

describe('server NAME service=', () => {
  const records = (...values: string[]) => ({
    records: values.map((value) => ({ type: 'SRV' as const, value, ttl: 1 })),
  })

  it('has the servers of the service, those of lower priority as backups', async () => {
    dns.set('one.test', ['127.0.0.2'], 1)
    dns.set('two.test', ['127.0.0.3'], 1)
    const port = await start(conf('server 127.0.0.5:%PORT2%;')).then(({ ports }) => ports[1])
    dns.names.set('_http._tcp.a.test', records(`1 1 ${port} one.test`, `2 1 ${port} two.test`))
    await reload(conf('server a.test service=http resolve;'))
    await answering('2')
    dns.names.set('_http._tcp.a.test', records(`2 1 ${port} two.test`))
    await answering('3')
  })
})

describe('a backend whose name has no address at start', () => {
  it('counts as down, which is a warning, and the others serve', async () => {
    await start(conf('server no-such.invalid:%PORT2%; server 127.0.0.2:%PORT2%;'))
    expect(await answers()).toBe('2')
    expect(proxy!.stderr + proxy!.errorLog).toMatch(
      /\[warn\] .*host not found in upstream "no-such\.invalid:\d+": it counts as down until its name can be resolved in .*nginx\.conf:\d+/,
    )
  })

  it('is 502 where it is the only one, until it has an address: then it stays with that', async () => {
    await start(conf('server late.invalid:%PORT2%;'))
    expect(await answers()).toContain('502')
    expect(proxy!.errorLog).toContain('no live upstreams')
    expect(await kept[0]!.get('/direct')).toContain('502')
    dns.set('direct.invalid', ['127.0.0.2'], 1)
    dns.set('late.invalid', ['127.0.0.3'], 1)
    await answering('3')
    expect(proxy!.errorLog).toContain('late.invalid can be resolved')
    await eventually('answer', async () => (await kept[0]!.get('/direct')) === '2')
    const asked = dns.count('late.invalid')
    dns.set('late.invalid', ['127.0.0.4'], 1)
    await reload(conf('server late.invalid:%PORT2%; keepalive 3;'))
    await logged('reconfiguring')
    expect(await answers()).toBe('3')
    expect(dns.count('late.invalid')).toBe(asked)
  })

  it('is an error with upstream_unresolvable emerg, and a warning of -t without', async () => {
    const test = async (directive: string) => {
      const text = conf('server no-such.invalid;', directive)
      proxy = await startWeir(text, { vars: { DNS: dns.address }, args: ['-t'], wait: false })
      const { code } = await proxy.ended
      const said = proxy.stderr
      await proxy.stop()
      return { code, said }
    }
    const allowed = await test('')
    expect(allowed).toMatchObject({
      code: 0,
      said: expect.stringContaining('[warn] host not found in upstream'),
    })
    const refused = await test('upstream_unresolvable emerg;')
    expect(refused).toMatchObject({
      code: 1,
      said: expect.stringMatching(/\[emerg\] host not found in upstream "no-such\.invalid" in .*:\d+/),
    })
  })
})
