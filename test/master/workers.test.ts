import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { type RunningProxy, startWeir } from '../support/proxy.ts'
import { eventually } from '../support/wait.ts'
import { KeptConnection, openKept, workerOf } from './kept.ts'
import { startWith } from './start-with.ts'

let proxy: RunningProxy | null = null
const kept: KeptConnection[] = []

afterEach(async () => {
  for (const connection of kept.splice(0)) connection.close()
  await proxy?.stop()
  proxy = null
})

function conf(listen: string, connections = 2000, workers = 2): string {
  return `
worker_processes ${workers};
events { worker_connections ${connections}; }
http {
  access_log off;
  server { ${listen} location / { return 200 $connection; } }
}
`
}

async function open(to: number | string, count: number): Promise<KeptConnection[]> {
  const opened = await openKept(to, count)
  kept.push(...opened)
  return opened
}

/** How many connections each worker has. */
async function shares(connections: KeptConnection[]): Promise<number[]> {
  const counts = new Map<number, number>()
  for (const number of await Promise.all(connections.map((one) => one.get()))) {
    counts.set(workerOf(number), (counts.get(workerOf(number)) ?? 0) + 1)
  }
  return [...counts.values()].sort((a, b) => a - b)
}

/** Starts weir with the means to crash a worker. */
function startFragile(text: string): Promise<RunningProxy> {
  return startWith(['--import', join(import.meta.dirname, 'crash.mjs')], text)
}

describe('distribution', () => {
  it('1000 kept connections are spread over two workers within 5 %', async () => {
    proxy = await startWeir(conf('listen 127.0.0.1:%PORT%;'))
    const [smallest, largest] = await shares(await open(proxy.port, 1000))
    expect(largest! / smallest!).toBeLessThanOrEqual(1.05)
  })

  it('a worker that lost connections gets the next ones', async () => {
    proxy = await startWeir(conf('listen 127.0.0.1:%PORT%;'))
    const first = await open(proxy.port, 20)
    const workers = await Promise.all(first.map(async (one) => workerOf(await one.get())))
    const leaving = first.filter((_, index) => workers[index] === 0)
    expect(leaving).toHaveLength(10)
    for (const one of leaving) one.close()
    await Promise.all(leaving.map((one) => one.ended))
    const staying = first.filter((one) => !leaving.includes(one))
    await eventually('room in the first worker', async () => {
      const probe = await KeptConnection.open(proxy!.port)
      const worker = workerOf(await probe.get())
      probe.close()
      await probe.ended
      return worker === 0
    })
    const next = await open(proxy.port, 8)
    expect(await Promise.all(next.map(async (one) => workerOf(await one.get())))).toEqual(Array(8).fill(0))
    expect(await shares(staying)).toEqual([10])
  })
})

describe.each(['', ' reuseport'])('worker_connections reached (listen%s)', (parameter) => {
  it('the longest idle connection makes room', async () => {
    proxy = await startWeir(conf(`listen 127.0.0.1:%PORT%${parameter};`, 8, 1))
    const idle = await open(proxy.port, 8)
    for (const one of idle) await one.get()
    const [more] = await open(proxy.port, 1)
    await more!.get()
    await idle[0]!.ended
    expect(idle.slice(1).map((one) => one.closed)).toEqual(Array(7).fill(false))
  })

  it('with every connection in use, the next one is closed and the log says why', async () => {
    proxy = await startWeir(conf(`listen 127.0.0.1:%PORT%${parameter};`, 8, 1))
    const busy = await open(proxy.port, 8)
    for (const one of busy) {
      await one.get()
      one.send('GET / HTTP/1.1\r\n')
    }
    await eventually('a refused connection', async () => {
      const more = await KeptConnection.open(proxy!.port)
      return more.get().then(
        () => more.close(),
        () => true,
      )
    })
    await eventually('line in the log', () =>
      /\[alert\] \d+#0: 8 worker_connections are not enough\n/.test(proxy!.errorLog),
    )
    for (const one of busy) {
      one.send('Host: a\r\n\r\n')
      expect(await one.answer()).toMatch(/^\d+$/)
    }
  })
})

describe('a worker that crashes', () => {
  it('loses only its own connections, is logged with its stack and replaced', async () => {
    proxy = await startFragile(conf('listen 127.0.0.1:%PORT%;'))
    const held = await open(proxy.port, 20)
    const workers = await Promise.all(held.map(async (one) => workerOf(await one.get())))
    const lost = held.filter((_, index) => workers[index] === 0)
    const others = held.filter((_, index) => workers[index] === 1)
    expect([lost.length, others.length]).toEqual([10, 10])
    proxy.signal('SIGUSR2')
    await Promise.all(lost.map((one) => one.ended))
    for (const one of others) expect(workerOf(await one.get())).toBe(1)
    await eventually('line in the log', () => proxy!.errorLog.includes('[alert]'))
    expect(proxy.errorLog).toMatch(
      /\[alert\] \d+#0: worker thread 1 exited on Error: thrown by the test at .*crash\.mjs/,
    )
    // Its count was taken back: the replacement is empty, and gets the next ones.
    await eventually('the replacement', async () => {
      const [probe] = await open(proxy!.port, 1)
      return workerOf(await probe!.get()) === 0
    })
  })

  it('the only one: connections wait for its replacement', async () => {
    proxy = await startFragile(conf('listen 127.0.0.1:%PORT%;', 100, 1))
    const [first] = await open(proxy.port, 1)
    await first!.get()
    proxy.signal('SIGUSR2')
    await first!.ended
    const [next] = await open(proxy.port, 1)
    expect(await next!.get()).toMatch(/^\d+$/)
  })

  it('owning a unix socket: another worker takes it over', async () => {
    proxy = await startFragile(conf('listen unix:%FOLDER%/a.sock;'))
    const path = join(proxy.folder, 'a.sock')
    const [first] = await open(path, 1)
    expect(workerOf(await first!.get())).toBe(0)
    proxy.signal('SIGUSR2')
    await first!.ended
    const next = await eventually('another owner', () => open(path, 1).catch(() => null))
    expect(workerOf(await next[0]!.get())).toBe(1)
    proxy.signal('SIGTERM')
    await proxy.ended
    expect(existsSync(path)).toBe(false)
  })

  it('when asked to open a unix socket: another worker opens it', async () => {
    proxy = await startWith(
      ['--import', join(import.meta.dirname, 'end-listening.mjs')],
      conf('listen unix:%FOLDER%/a.sock;'),
    )
    const [first] = await open(join(proxy.folder, 'a.sock'), 1)
    expect(workerOf(await first!.get())).toBe(1)
    expect(proxy.errorLog).not.toContain('bind()')
  })

  it('with reuseport: its replacement listens again', async () => {
    proxy = await startFragile(conf('listen 127.0.0.1:%PORT% reuseport;'))
    proxy.signal('SIGUSR2')
    await eventually('line in the log', () => proxy!.errorLog.includes('[alert]'))
    await eventually('both workers', async () => {
      const connections = await openKept(proxy!.port, 20).catch(() => [])
      const counts = await shares(connections).catch(() => [])
      for (const one of connections) one.close()
      return counts.length === 2
    })
  })
})

describe('listen', () => {
  it('reuseport: every worker accepts', async () => {
    proxy = await startWeir(conf('listen 127.0.0.1:%PORT% reuseport;'))
    expect(await shares(await open(proxy.port, 100))).toHaveLength(2)
  })

  it('a unix socket is served, anyone may connect, and its file goes at the end', async () => {
    proxy = await startWeir(conf('listen unix:%FOLDER%/a.sock;'))
    const path = join(proxy.folder, 'a.sock')
    const [one] = await open(path, 1)
    expect(await one!.get()).toMatch(/^\d+$/)
    const { statSync } = process.getBuiltinModule('node:fs')
    expect(statSync(path).mode & 0o777).toBe(0o666)
    proxy.signal('SIGQUIT')
    one!.close()
    expect((await proxy.ended).code).toBe(0)
    expect(existsSync(path)).toBe(false)
  })

  it.skipIf(!existsSync('/proc/net/if_inet6'))('ipv6only=off serves IPv4 too, by default not', async () => {
    proxy = await startWeir(
      conf('listen [::1]:%PORT%; listen [::]:%PORT2% ipv6only=off; listen [::]:%PORT3%;'),
    )
    const [, both, only] = proxy.ports
    const [one] = await open(both!, 1)
    expect(await one!.get()).toMatch(/^\d+$/)
    await expect(open(only!, 1)).rejects.toThrow('ECONNREFUSED')
  })

  it('so_keepalive sets the socket options of accepted connections', async () => {
    proxy = await startWeir(conf('listen 127.0.0.1:%PORT% so_keepalive=30s:5s:3;'))
    const [one] = await open(proxy.port, 1)
    await one!.get()
    const { readFileSync } = process.getBuiltinModule('node:fs')
    // The timer column of the proxy's side: 02 is the keepalive timer.
    const local = `:${proxy.port.toString(16).toUpperCase().padStart(4, '0')}`
    const row = readFileSync('/proc/net/tcp', 'latin1')
      .trim()
      .split('\n')
      .find((line) => line.trim().split(/ +/)[1]!.endsWith(local) && / 01 /.test(line))
    expect(row).toMatch(/ 02:/)
  })
})
