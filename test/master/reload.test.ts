import { once } from 'node:events'
import { readdirSync, readlinkSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { type RunningProxy, type StartOptions, startWeir } from '../support/proxy.ts'
import { freePort } from '../support/temporary.ts'
import { eventually } from '../support/wait.ts'
import { KeptConnection, openKept, workerOf } from './kept.ts'
import { startWith } from './start-with.ts'

let proxy: RunningProxy | null = null
afterEach(async () => {
  await proxy?.stop()
  proxy = null
})

interface Parts {
  workers?: number
  body?: string
  listen?: string
  log?: string
  http?: string
}

function conf({
  workers = 2,
  body = 'one',
  listen = '',
  log = 'logs/access.log',
  http = '',
}: Parts = {}): string {
  return `
worker_processes ${workers};
events { worker_connections 64; }
http {
  access_log ${log};
  ${http}
  server { listen 127.0.0.1:%PORT%; ${listen} location / { return 200 "${body}"; } location /n { return 200 $connection; } }
}
`
}

async function start(parts: Parts = {}, options: StartOptions = {}): Promise<RunningProxy> {
  proxy = await startWeir(conf(parts), options)
  return proxy
}

/** Writes another configuration and has it loaded; resolves when the error log says how that ended. */
async function reload(running: RunningProxy, text: string): Promise<void> {
  const head = `pid logs/nginx.pid;\nerror_log logs/error.log info;\n`
  await writeFile(join(running.folder, 'nginx.conf'), head + text.replaceAll('%PORT%', String(running.port)))
  running.signal('SIGHUP')
}

async function body(port: number): Promise<string> {
  const connection = await KeptConnection.open(port)
  try {
    return await connection.get()
  } finally {
    connection.close()
  }
}

async function serves(port: number, text: string): Promise<void> {
  await eventually(`"${text}" from every worker`, async () => {
    const bodies = await Promise.all([body(port), body(port), body(port), body(port)])
    return bodies.every((one) => one === text)
  })
}

it('a reload changes what is served on a connection that stays open', async () => {
  const { port } = await start()
  const kept = await KeptConnection.open(port)
  expect(await kept.get()).toBe('one')
  await reload(proxy!, conf({ body: 'two' }))
  await serves(port, 'two')
  expect(await kept.get()).toBe('two')
  expect(kept.closed).toBe(false)
  kept.close()
})

it('connections that come during reloads are all served', async () => {
  const { port } = await start()
  const answers: string[] = []
  let going = true
  const load = (async () => {
    while (going) answers.push(await body(port))
  })()
  for (const text of ['two', 'three', 'four']) {
    await reload(proxy!, conf({ body: text }))
    await serves(port, text)
  }
  going = false
  await load
  const known = ['one', 'two', 'three', 'four']
  expect(answers.length).toBeGreaterThan(0)
  expect(answers.filter((text) => !known.includes(text))).toEqual([])
})

it.each([
  [
    'a syntax error',
    (text: string) => text.replace('return 200', 'retrun 200'),
    /\[emerg\] .*unknown directive "retrun" in/,
  ],
  [
    'an address in use',
    (text: string) => text.replace('listen', 'listen 192.0.2.1:8080; listen'),
    /\[emerg\] .*bind\(\) to 192\.0\.2\.1:8080 failed \(99: /,
  ],
  [
    'a unix socket that cannot be bound',
    (text: string) => text.replace('listen', 'listen unix:/nowhere/a.sock; listen'),
    /\[emerg\] .*bind\(\) to unix:\/nowhere\/a\.sock failed \(/,
  ],
  [
    'a log that cannot be opened',
    (text: string) => text.replace('access_log logs/', 'access_log /nowhere/'),
    /\[emerg\] .*open\(\) "\/nowhere\/access\.log" failed \(2: /,
  ],
] as const)('%s: the old configuration serves on, the reason is logged', async (_, spoil, reason) => {
  const { port, process: master } = await start()
  // What threads open only once they serve is open after this.
  await serves(port, 'one')
  const before = await settled(master.pid!)
  await reload(proxy!, spoil(conf({ body: 'two' })))
  await eventually('the reason', () => reason.test(proxy!.errorLog))
  expect(await body(port)).toBe('one')
  // Nothing of the attempt stays open.
  await eventually('the old set of descriptors', () => descriptors(master.pid!).join() === before.join())
  await reload(proxy!, conf({ body: 'three' }))
  await serves(port, 'three')
})

it('a new address is opened, an old one closed, one that stays keeps its queue', async () => {
  const other = await freePort()
  const { port } = await start()
  await reload(proxy!, conf({ body: 'two', listen: `listen 127.0.0.1:${other};` }))
  await eventually('the new address', () => body(other).catch(() => null))
  const kept = await KeptConnection.open(other)
  await kept.get()
  await reload(proxy!, conf({ body: 'three' }))
  await eventually('the end of the address', () =>
    body(other).then(
      () => false,
      () => true,
    ),
  )
  await serves(port, 'three')
  kept.close()
})

it('more worker_processes: new threads take part', async () => {
  const { port } = await start({ workers: 1 })
  await reload(proxy!, conf({ workers: 3, body: 'two' }))
  await eventually('three workers', async () => {
    const kept = await openKept(port, 9)
    const workers = new Set(await Promise.all(kept.map(async (one) => workerOf(await one.get('/n')))))
    for (const one of kept) one.close()
    return workers.size === 3
  })
})

it('fewer worker_processes: a thread ends once its requests are done, and closes no other connection', async () => {
  const { port } = await start({ workers: 2 })
  const kept = await openKept(port, 4)
  const workers = await Promise.all(kept.map(async (one) => workerOf(await one.get('/n'))))
  const leaving = kept.filter((_, index) => workers[index] === 1)
  const staying = kept.filter((_, index) => workers[index] === 0)
  expect([leaving.length, staying.length]).toEqual([2, 2])
  leaving[0]!.send('GET / HTTP/1.1\r\nHost: a\r\n')
  // The worker has begun to read it once it has answered on another connection of its own.
  await leaving[1]!.get()
  await reload(proxy!, conf({ workers: 1, body: 'two' }))
  await leaving[1]!.ended
  expect(leaving[0]!.closed).toBe(false)
  leaving[0]!.send('\r\n')
  expect(await leaving[0]!.answer()).toBe('two')
  await leaving[0]!.ended
  await eventually('end of the thread', () => proxy!.errorLog.includes('worker thread 2 exited with code 0'))
  for (const one of staying) expect(await one.get()).toBe('two')
  for (const one of staying) one.close()
})

it('fewer worker_processes: unix sockets of threads that end are served by another', async () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f']
  const parts = { listen: names.map((name) => `listen unix:%FOLDER%/${name}.sock;`).join(' ') }
  await start({ ...parts, workers: 6 })
  await reload(proxy!, conf({ ...parts, workers: 1 }).replaceAll('%FOLDER%', proxy!.folder))
  await eventually('end of the threads', () => proxy!.errorLog.match(/exited with code 0/g)?.length === 5)
  for (const name of names) {
    const path = join(proxy!.folder, `${name}.sock`)
    const connection = await eventually(name, () => KeptConnection.open(path).catch(() => null))
    expect(workerOf(await connection.get('/n'))).toBe(0)
    connection.close()
  }
})

it('parameters of a socket that stays open are not changed, and a warning says so', async () => {
  const { port } = await start()
  await reload(proxy!, conf({ body: 'two' }).replace('%PORT%;', '%PORT% backlog=100 so_keepalive=on;'))
  await serves(port, 'two')
  for (const word of ['backlog', 'so_keepalive']) {
    expect(proxy!.errorLog).toContain(
      `"${word}" of 127.0.0.1:${port} takes effect when weir is started again`,
    )
  }
})

it('told to quit while a reload is under way, weir ends', async () => {
  await start()
  proxy!.signal('SIGHUP')
  proxy!.signal('SIGQUIT')
  expect(await proxy!.ended).toEqual({ code: 0, signal: null })
})

it('another access log gets the lines of requests that come after it was opened', async () => {
  const { port } = await start({ workers: 1 })
  expect(await body(port)).toBe('one')
  await reload(proxy!, conf({ workers: 1, body: 'two', log: 'logs/second.log' }))
  await serves(port, 'two')
  const connection = await KeptConnection.open(port)
  await connection.get('/after')
  connection.close()
  await eventually('the line', () => proxy!.read('logs/second.log').includes('GET /after '))
  expect(proxy!.accessLog).not.toContain('GET /after ')
})

it('a log of the old configuration is closed, but not before its last request has written to it', async () => {
  const backend = createServer()
  const request = once(backend, 'connection') as Promise<[Socket]>
  backend.listen(0, '127.0.0.1')
  await once(backend, 'listening')
  const { port: backendPort } = backend.address() as AddressInfo
  const text = (log: string, answer = log) =>
    conf({ body: answer, log }).replace(
      'location /n',
      `location /slow { proxy_pass http://127.0.0.1:${backendPort}; } location /n`,
    )
  proxy = await startWith(
    ['--expose-gc', '--import', join(import.meta.dirname, 'collect.mjs')],
    text('logs/old.log'),
  )
  const { port, process: master } = proxy
  const old = join(proxy.folder, 'logs/old.log')
  const slow = await KeptConnection.open(port)
  slow.send('GET /slow HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  const [upstream] = await request
  // A Cycle in between that is gone sooner.
  await reload(proxy, text('logs/old.log', 'between'))
  await serves(port, 'between')
  await reload(proxy, text('logs/new.log'))
  await serves(port, 'logs/new.log')
  for (let round = 0; round < 5; round++) {
    proxy.signal('SIGUSR2')
    await serves(port, 'logs/new.log')
  }
  expect(descriptors(master.pid!)).toContain(old)
  upstream.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok')
  expect(await slow.answer()).toBe('ok')
  await slow.ended
  expect(proxy.read('logs/old.log')).toContain('"GET /slow HTTP/1.1" 200 2 ')
  await eventually('the old log closed', async () => {
    proxy!.signal('SIGUSR2')
    await serves(port, 'logs/new.log')
    return !descriptors(master.pid!).includes(old)
  })
  backend.close()
})

it('nothing is left open by many reloads', async () => {
  const { port, process: master } = await start()
  await reload(proxy!, conf({ body: 'zero' }))
  await serves(port, 'zero')
  const before = descriptors(master.pid!).length
  for (let round = 1; round <= 5; round++) {
    await reload(proxy!, conf({ body: `${round}` }))
    await serves(port, `${round}`)
  }
  await eventually('as many descriptors as before', () => descriptors(master.pid!).length <= before)
})

/** What a process has open when its connections are closed. */
async function settled(pid: number): Promise<string[]> {
  let names = descriptors(pid)
  await eventually('an end of changes', async () => {
    const before = names
    await new Promise((resolve) => setTimeout(resolve, 20))
    names = descriptors(pid)
    return names.join() === before.join()
  })
  return names
}

/** What a process has open, sorted; connections come and go. */
function descriptors(pid: number): string[] {
  const names: string[] = []
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    try {
      names.push(readlinkSync(`/proc/${pid}/fd/${fd}`))
    } catch {
      // Closed since it was listed.
    }
  }
  return names.sort()
}
