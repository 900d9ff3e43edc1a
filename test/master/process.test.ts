import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, readlinkSync } from 'node:fs'
import { mkdir, readdir, rename, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type RunningProxy, startWeir, weirCommand } from '../support/proxy.ts'
import { rawRequest } from '../support/raw-client.ts'
import { freePort, removeFolder, temporaryFolder } from '../support/temporary.ts'
import { eventually } from '../support/wait.ts'
import { KeptConnection, openKept } from './kept.ts'

const CONF = `
worker_processes 2;
events { worker_connections 64; }
http {
  access_log logs/access.log;
  server { listen 127.0.0.1:%PORT%; location / { return 200 "answer"; } }
}
`

/** Runs the command to its end. */
function weir(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const [command, ...fixed] = weirCommand()
  return new Promise((resolve, reject) => {
    const child = spawn(command!, [...fixed, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (text) => (stdout += text))
    child.stderr.on('data', (text) => (stderr += text))
    child.once('error', reject)
    // 'close' waits for the pipes: a daemon that kept one open would be noticed.
    child.once('close', (code) => resolve({ code, stdout, stderr }))
  })
}

async function answers(port: number): Promise<boolean> {
  const { bytes } = await rawRequest(port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  return bytes.toString().startsWith('HTTP/1.1 200 ')
}

function isAlive(pid: number): boolean {
  // Where nobody collects ended processes, they stay as zombies.
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return false
  }
}

describe('daemon off', () => {
  let proxy: RunningProxy
  beforeEach(async () => {
    proxy = await startWeir(CONF)
  })
  afterEach(() => proxy.stop())

  it('the started process is the master: its number is in the pid file', () => {
    expect(proxy.read('logs/nginx.pid')).toBe(`${proxy.process.pid}\n`)
  })

  it('says nothing on stdout and stderr', async () => {
    expect(await answers(proxy.port)).toBe(true)
    expect([proxy.stdout, proxy.stderr]).toEqual(['', ''])
  })

  it.each(['SIGTERM', 'SIGINT'] as const)('%s ends at once, with open connections', async (signal) => {
    const busy = await KeptConnection.open(proxy.port)
    busy.send('GET / HTTP/1.1\r\nHost: ')
    expect(await answers(proxy.port)).toBe(true)
    proxy.signal(signal)
    expect(await proxy.ended).toEqual({ code: 0, signal: null })
    await busy.ended
    expect(existsSync(join(proxy.folder, 'logs/nginx.pid'))).toBe(false)
    expect(proxy.errorLog).toMatch(/\[notice\] \d+#0: signal \d+ \(SIG(TERM|INT)\) received, exiting\n/)
  })

  it('SIGQUIT finishes a request that has begun, then ends', async () => {
    const busy = await KeptConnection.open(proxy.port)
    await busy.get()
    busy.send('GET / HTTP/1.1\r\nHost: a\r\n')
    // Its worker has begun to read it once it has answered on another connection of its own.
    const idle = await openKept(proxy.port, 3)
    for (const one of idle) await one.get()
    proxy.signal('SIGQUIT')
    await Promise.all(idle.map((one) => one.ended))
    expect(proxy.running).toBe(true)
    busy.send('\r\n')
    expect(await busy.answer()).toBe('answer')
    expect(await proxy.ended).toEqual({ code: 0, signal: null })
    expect(proxy.errorLog).toContain('(SIGQUIT) received, shutting down')
    expect(existsSync(join(proxy.folder, 'logs/nginx.pid'))).toBe(false)
  })

  it('SIGUSR1 reopens logs: lines go to new files, nothing is lost', async () => {
    await answers(proxy.port)
    const logs = join(proxy.folder, 'logs')
    await rename(join(logs, 'access.log'), join(logs, 'access.old'))
    await answers(proxy.port)
    expect(proxy.accessLog).toBe('')
    proxy.signal('SIGUSR1')
    await eventually('new access log', () => existsSync(join(logs, 'access.log')))
    await eventually('line in the new access log', async () => (await answers(proxy.port)) && proxy.accessLog)
    const open = readdirLinks(proxy.process.pid!)
    await eventually(
      'old log closed',
      () => !readdirLinks(proxy.process.pid!).includes(join(logs, 'access.old')),
    )
    expect(open).toContain(join(logs, 'access.log'))
    expect(proxy.read('logs/access.old').trim().split('\n')).toHaveLength(2)
  })

  it('SIGUSR2 and SIGWINCH change nothing', async () => {
    proxy.signal('SIGUSR2')
    proxy.signal('SIGWINCH')
    // The system may deliver two that wait in either order.
    await eventually('notices', () => /SIGUSR2.*not support/.test(proxy.errorLog))
    await eventually('notices', () => /SIGWINCH.*not support/.test(proxy.errorLog))
    expect(await answers(proxy.port)).toBe(true)
  })
})

describe('daemon on', () => {
  let folder: string
  let port: number
  beforeEach(async () => {
    folder = await temporaryFolder()
    port = await freePort()
    await mkdir(join(folder, 'conf'))
    await writeFile(
      join(folder, 'conf/nginx.conf'),
      `error_log logs/error.log info;${CONF.replace('%PORT%', String(port))}`,
    )
  })
  afterEach(async () => {
    if (existsSync(join(folder, 'logs/weir.pid'))) await weir('-p', folder, '-s', 'stop')
    await removeFolder(folder)
  })

  const pid = () => Number(readFileSync(join(folder, 'logs/weir.pid'), 'latin1'))

  it('the first process ends when the sockets are bound, and leaves a detached master', async () => {
    expect(await weir('-p', folder)).toEqual({ code: 0, stdout: '', stderr: '' })
    expect(await answers(port)).toBe(true)
    const [, , , , session] = readFileSync(`/proc/${pid()}/stat`, 'latin1')
      .replace(/\(.*\)/, '')
      .split(/ +/)
    expect(Number(session)).toBe(pid())
  })

  it.each(['stop', 'quit'])('-s %s ends it and removes the pid file', async (word) => {
    await weir('-p', folder)
    const master = pid()
    expect(await weir('-p', folder, '-s', word)).toEqual({ code: 0, stdout: '', stderr: '' })
    await eventually('end of the master', () => !isAlive(master))
    expect(existsSync(join(folder, 'logs/weir.pid'))).toBe(false)
  })

  it('-s reload and -s reopen reach it', async () => {
    await weir('-p', folder)
    await weir('-p', folder, '-s', 'reload')
    await weir('-p', folder, '-s', 'reopen')
    const log = () => readFileSync(join(folder, 'logs/error.log'), 'latin1')
    await eventually('both in the log', () => /\(SIGHUP\)[\s\S]*\(SIGUSR1\)/.test(log()))
    expect(await answers(port)).toBe(true)
  })

  it('a prefix that is not ASCII: pid file and unix sockets are where it says', async () => {
    const prefix = join(folder, 'préfixe')
    await mkdir(join(prefix, 'conf'), { recursive: true })
    const socket = `listen unix:${prefix}/a.sock; location /back { proxy_pass http://unix:${prefix}/a.sock:/; }`
    await writeFile(join(prefix, 'conf/nginx.conf'), CONF.replace('%PORT%;', `${port}; ${socket}`))
    expect(await weir('-p', prefix)).toEqual({ code: 0, stdout: '', stderr: '' })
    const connection = await KeptConnection.open(join(prefix, 'a.sock'))
    expect(await connection.get('/back')).toBe('answer')
    connection.close()
    expect(await weir('-p', prefix, '-s', 'stop')).toEqual({ code: 0, stdout: '', stderr: '' })
    await eventually('end', () => !existsSync(join(prefix, 'logs/weir.pid')))
  })

  it('a warning of Node after the start does not end it', async () => {
    const [node, ...rest] = weirCommand()
    const command = [node, '--import', join(import.meta.dirname, 'warn.mjs'), ...rest]
    const first = spawn(command[0]!, [...command.slice(1), '-p', folder], { stdio: 'ignore' })
    await once(first, 'close')
    const log = () => readFileSync(join(folder, 'logs/error.log'), 'latin1')
    process.kill(pid(), 'SIGUSR2')
    await eventually('the warning', () => log().includes('SIGUSR2'))
    expect(await answers(port)).toBe(true)
    await weir('-p', folder, '-s', 'quit')
    await eventually('end', () => /: exit\n$/.test(log()))
    expect(log()).not.toContain('[emerg]')
  })

  it('an address in use: the error, exit code 1, and nothing left', async () => {
    const taken = createServer().listen(port, '127.0.0.1')
    await new Promise((resolve) => taken.once('listening', resolve))
    const { code, stderr } = await weir('-p', folder)
    taken.close()
    expect(code).toBe(1)
    const line = `weir: [emerg] bind() to 127.0.0.1:${port} failed (98: Address already in use)\n`
    expect(stderr).toBe(`${line.repeat(5)}weir: [emerg] still could not bind()\n`)
    expect(await readdir(join(folder, 'logs'))).not.toContain('weir.pid')
  })

  it('an address that becomes free while it tries: it starts', async () => {
    const taken = createServer().listen(port, '127.0.0.1')
    await new Promise((resolve) => taken.once('listening', resolve))
    const outcome = weir('-p', folder)
    const log = join(folder, 'logs/error.log')
    await eventually(
      'first try',
      () => existsSync(log) && readFileSync(log, 'latin1').includes('try again to bind()'),
    )
    taken.close()
    expect((await outcome).code).toBe(0)
    expect(await answers(port)).toBe(true)
  })

  it.each([
    ['a syntax error', 'events {', /\[emerg\] unexpected end of file, expecting "}" in .*nginx.conf:1\n$/],
    ['an unknown directive', 'events {} foo;', /\[emerg\] unknown directive "foo" in .*nginx.conf:1\n$/],
    [
      'no such address',
      'events {} http { server { listen 192.0.2.1:8080; } }',
      /\[emerg\] bind\(\) to 192.0.2.1:8080 failed \(99: Cannot assign requested address\)\n$/,
    ],
    [
      'a pid file that cannot be written',
      'pid /nowhere/weir.pid; events {}',
      /\[emerg\] open\(\) "\/nowhere\/weir.pid" failed \(2: No such file or directory\)\n$/,
    ],
    [
      'a log that cannot be written',
      'error_log /nowhere/e.log; events {}',
      /\[emerg\] open\(\) "\/nowhere\/e.log" failed \(2: No such file or directory\)\n$/,
    ],
  ])('%s: the error, exit code 1', async (_, conf, message) => {
    await writeFile(join(folder, 'conf/nginx.conf'), conf)
    const { code, stderr } = await weir('-p', folder)
    expect(stderr).toMatch(message)
    expect(stderr.trim().split('\n')).toHaveLength(1)
    expect(code).toBe(1)
  })
})

it.each([
  ['SIGTERM', 15],
  ['SIGQUIT', 3],
] as const)(
  '%s while an address is being waited for: it ends in order once it has started',
  async (signal, number) => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as AddressInfo
    const proxy = await startWeir(`${CONF}`, { ports: [port], wait: false })
    await eventually('first try', () => proxy.errorLog.includes('try again to bind()'))
    proxy.signal(signal)
    taken.close()
    expect(await proxy.ended).toEqual({ code: 0, signal: null })
    expect(proxy.errorLog).toMatch(
      new RegExp(`signal ${number} \\(${signal}\\) received, [\\s\\S]*: exit\n$`),
    )
    expect(existsSync(join(proxy.folder, 'logs/nginx.pid'))).toBe(false)
    await proxy.stop()
  },
)

it('master_process off serves in one thread', async () => {
  const proxy = await startWeir(`master_process off;${CONF}`)
  try {
    expect(await answers(proxy.port)).toBe(true)
    proxy.signal('SIGHUP')
    await eventually('reload', () => proxy.errorLog.includes('reconfiguring'))
    expect(await answers(proxy.port)).toBe(true)
    proxy.signal('SIGQUIT')
    expect((await proxy.ended).code).toBe(0)
  } finally {
    await proxy.stop()
  }
})

it('working_directory is where the process is', async () => {
  const proxy = await startWeir(`working_directory %FOLDER%/temp;${CONF}`)
  try {
    expect(readlinkSync(`/proc/${proxy.process.pid}/cwd`)).toBe(join(proxy.folder, 'temp'))
    expect(await answers(proxy.port)).toBe(true)
  } finally {
    await proxy.stop()
  }
})

it('warns of a worker_rlimit_nofile that the process cannot have', async () => {
  const proxy = await startWeir('worker_rlimit_nofile 2000000000; events {}')
  expect(proxy.stderr).toMatch(
    /^weir: \[warn\] worker_rlimit_nofile 2000000000 exceeds open file resource limit: \d+, which weir cannot raise\n$/,
  )
  await proxy.stop()
})

it('warns of more worker_connections than the process may have files', async () => {
  const proxy = await startWeir('events { worker_connections 2000000000; }')
  expect(proxy.stderr).toMatch(
    /^weir: \[warn\] 2000000000 worker_connections exceed open file resource limit: \d+\n$/,
  )
  await proxy.stop()
})

describe.skipIf(process.getuid!() !== 0)('user', () => {
  it('sockets and logs first, then the account is changed in every thread', async () => {
    const proxy = await startWeir(`user nobody nogroup;${CONF}`)
    try {
      expect(await answers(proxy.port)).toBe(true)
      const tasks = await readdir(`/proc/${proxy.process.pid}/task`)
      for (const task of tasks) {
        const status = readFileSync(`/proc/${proxy.process.pid}/task/${task}/status`, 'latin1')
        expect(status).toMatch(/^Uid:\t(\d+)\t\1\t\1\t\1$/m)
        expect(status).not.toMatch(/^Uid:\t0/m)
        expect(status).not.toMatch(/^Gid:\t0/m)
      }
    } finally {
      await proxy.stop()
    }
  })
})

/** What the descriptors of a process stand for. */
function readdirLinks(pid: number): string[] {
  const { readdirSync, readlinkSync } = process.getBuiltinModule('node:fs')
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)]
    } catch {
      return []
    }
  })
}
