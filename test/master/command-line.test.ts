import { spawn } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { nginxMissing, weirCommand } from '../support/proxy.ts'
import { freePort, removeFolder, temporaryFolder } from '../support/temporary.ts'

interface Outcome {
  code: number | null
  stdout: string
  stderr: string
}

let folder: string
let conf: string

function run(command: string, args: string[]): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
    const outcome = { code: null as number | null, stdout: '', stderr: '' }
    child.stdout.on('data', (text) => (outcome.stdout += text))
    child.stderr.on('data', (text) => (outcome.stderr += text))
    child.once('error', reject)
    child.once('close', (code) => resolve({ ...outcome, code }))
  })
}

function weir(...args: string[]): Promise<Outcome> {
  const [command, ...fixed] = weirCommand()
  return run(command!, [...fixed, ...args])
}

/** nginx with the same words; its own log file is kept out of the picture. */
function nginx(...args: string[]): Promise<Outcome> {
  return run(process.env.NGINX_BIN ?? '/usr/sbin/nginx', args)
}

function likeNginx({ code, stdout, stderr }: Outcome): Outcome {
  return { code, stdout, stderr: stderr.replaceAll('nginx: ', 'weir: ') }
}

beforeAll(async () => {
  folder = await temporaryFolder()
  await mkdir(join(folder, 'logs'))
  await mkdir(join(folder, 'conf'))
  const port = await freePort()
  conf = `daemon off;
pid logs/nginx.pid;
error_log logs/error.log;
worker_processes 2;
events { worker_connections 64; }
http {
  access_log off;
  server { listen 127.0.0.1:${port}; location / { return 200; } }
}
`
  await writeFile(join(folder, 'conf/nginx.conf'), conf)
  await writeFile(join(folder, 'conf/bad.conf'), 'worker_processes 2;\nevents {\n')
})

afterAll(() => removeFolder(folder))

describe('options that only say something', () => {
  it('-v prints name and version to stderr', async () => {
    expect(await weir('-v')).toEqual({ code: 0, stdout: '', stderr: 'weir version: weir/0.1.0\n' })
  })

  it.each(['-h', '-?', '--help'])('%s names every option', async (option) => {
    const { code, stdout, stderr } = await weir(option)
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' })
    expect(stderr).toMatch(/^weir version: .*\nUsage: weir \[-\?hvVtTq\] \[-s signal\]/)
    for (const name of ['-?,-h', '-v', '-V', '-t', '-T', '-q', '-s', '-p', '-e', '-c', '-g']) {
      expect(stderr).toMatch(new RegExp(`^  ${name.replace('?', '\\?')} .*:`, 'm'))
    }
    for (const name of ['worker-processes', 'worker-connections', 'demo', 'demo-port', 'help']) {
      expect(stderr).toMatch(new RegExp(`^  --${name} .*:`, 'm'))
    }
  })

  it('-V lists what is built in and what is not', async () => {
    const { code, stderr } = await weir('-V')
    expect(code).toBe(0)
    const line = /^configure arguments: (.*)$/m.exec(stderr)![1]!
    expect(line).toMatch(/^--prefix=\S+ /)
    expect(line).toContain(' --without-http_memcached_module')
    expect(line).not.toContain('without-http_proxy_module')
    expect(line).not.toContain('without-http_upstream_keepalive_module')
  })
})

describe('-t', () => {
  it('on a good configuration says so and exits 0', async () => {
    const file = join(folder, 'conf/nginx.conf')
    expect(await weir('-t', '-p', folder)).toEqual({
      code: 0,
      stdout: '',
      stderr: `weir: the configuration file ${file} syntax is ok\nweir: configuration file ${file} test is successful\n`,
    })
  })

  it.each([[['-tq']], [['-qt']], [['-t', '-q']]])('%j says nothing', async (args) => {
    expect(await weir(...args, '-p', folder)).toEqual({ code: 0, stdout: '', stderr: '' })
  })

  it('on a configuration that binds an address in use is still fine', async () => {
    const taken = await import('node:net').then(({ createServer }) => createServer().listen(0, '127.0.0.1'))
    await new Promise((resolve) => taken.once('listening', resolve))
    const { port } = taken.address() as { port: number }
    await writeFile(
      join(folder, 'conf/taken.conf'),
      `events {} http { server { listen 127.0.0.1:${port}; } }`,
    )
    expect((await weir('-t', '-p', folder, '-c', 'conf/taken.conf')).code).toBe(0)
    taken.close()
  })

  it('says once which directives have no effect', async () => {
    await writeFile(join(folder, 'conf/knobs.conf'), 'pcre_jit on; events { use epoll; multi_accept on; }')
    const { code, stderr } = await weir('-t', '-p', folder, '-c', 'conf/knobs.conf')
    expect(code).toBe(0)
    expect(stderr.match(/\[notice\] the "use" directive has no effect/g)).toHaveLength(1)
    expect(stderr.match(/\[notice\]/g)).toHaveLength(3)
  })

  it('names every directive that weir does not have, once each, behind the error that nginx ends with', async () => {
    const text = `pid a; pid b; http { geo $x { default 0; } types { slice on; }
      server { slice 1m; prox_pass x; slice 2m; location / { proxy_cache off; } } }`
    await writeFile(join(folder, 'conf/unknown.conf'), text)
    const { code, stderr } = await weir('-t', '-p', folder, '-c', 'conf/unknown.conf')
    expect(code).toBe(1)
    const place = `${join(folder, 'conf/unknown.conf')}:`
    expect(stderr.replaceAll(place, '').split('\n').slice(0, -2)).toEqual([
      'weir: [emerg] "pid" directive is duplicate in 1',
      'weir: [emerg] the "geo" directive is not supported by weir yet in 1',
      'weir: [emerg] the "slice" directive is not supported by weir yet in 2',
      'weir: [emerg] unknown directive "prox_pass" in 2, did you mean "proxy_pass"?',
      'weir: [emerg] the "proxy_cache" directive is not supported by weir yet in 2',
    ])
  })

  it('reports a log file that cannot be opened', async () => {
    await writeFile(join(folder, 'conf/log.conf'), 'error_log /nowhere/x.log; events {}')
    const { code, stderr } = await weir('-t', '-p', folder, '-c', 'conf/log.conf')
    expect(code).toBe(1)
    expect(stderr).toContain('weir: [emerg] open() "/nowhere/x.log" failed (2: No such file or directory)\n')
    expect(stderr).toContain('test failed\n')
  })
})

describe('-T', () => {
  it('prints every file as read, to stdout', async () => {
    const { code, stdout } = await weir('-T', '-p', folder)
    expect(code).toBe(0)
    expect(stdout).toBe(`# configuration file ${folder}/conf/nginx.conf:\n${conf}\n`)
  })

  it('shows the flags that win over the file', async () => {
    const { stdout } = await weir('-T', '-p', folder, '--worker-processes', '3', '--worker-connections=77')
    expect(stdout).toContain('# command line:\nworker_processes 3;\nworker_connections 77;\n')
  })

  it.each([
    ['--worker-processes', 'x', '"worker_processes" directive invalid value in command line'],
    ['--worker-connections', '-1', 'invalid number "-1" in command line'],
  ])('%s %s is refused', async (option, value, message) => {
    const { code, stderr } = await weir('-t', '-p', folder, `${option}=${value}`)
    expect(code).toBe(1)
    expect(stderr).toContain(`weir: [emerg] ${message}`)
  })
})

it('-c without a space takes the rest of the word', async () => {
  expect((await weir('-tcconf/nginx.conf', `-p${folder}`)).code).toBe(0)
})

it('-e names the error log where the configuration does not', async () => {
  await writeFile(join(folder, 'conf/plain.conf'), 'events {}')
  expect((await weir('-t', '-p', folder, '-c', 'conf/plain.conf', '-e', '/nowhere/e.log')).stderr).toContain(
    'open() "/nowhere/e.log" failed',
  )
})

describe.skipIf(nginxMissing !== null)('the same words and exit code as nginx', () => {
  const cases: string[][] = [
    ['-x'],
    ['-tx'],
    ['-c'],
    ['-p'],
    ['-e'],
    ['-g'],
    ['-s'],
    ['-s', 'foo'],
    ['-sfoo'],
    ['foo'],
    ['-t', 'foo'],
    ['-t', '-c', 'conf/bad.conf'],
    ['-t', '-c', 'conf/none.conf'],
    ['-t', '-g', 'foo on;'],
    ['-t', '-g', 'pid logs/nginx.pid'],
    ['-t', '-g', 'daemon maybe;'],
    ['-t'],
    ['-tq'],
    ['-T'],
    ['-s', 'stop'],
    ['-s', 'reload', '-c', 'conf/bad.conf'],
  ]
  it.each(cases.map((args) => [args.join(' '), args] as const))('%s', async (_, args) => {
    // Debian's nginx has another default than nginx itself; a later -c wins.
    const at = ['-p', `${folder}/`, '-c', 'conf/nginx.conf']
    // nginx logs to a file before it has read where to: it would complain of its own default.
    const log = ['-e', join(folder, 'logs/error.log')]
    const [ours, theirs] = await Promise.all([weir(...at, ...args), nginx(...at, ...log, ...args)])
    expect(ours).toEqual(likeNginx(theirs))
  })

  it.each([
    ['no number', 'x'],
    ['the number of no process', '99999999'],
  ])('-s with a pid file that holds %s', async (_, text) => {
    await writeFile(join(folder, 'logs/nginx.pid'), `${text}\n`)
    const args = ['-p', `${folder}/`, '-c', 'conf/nginx.conf', '-e', 'logs/error.log', '-s', 'quit']
    const [ours, theirs] = await Promise.all([weir(...args), nginx(...args)])
    expect(ours).toEqual(likeNginx(theirs))
    expect(ours.code).toBe(1)
  })
})
