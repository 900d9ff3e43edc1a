import { availableParallelism } from 'node:os'
import { describe, expect, it } from 'vitest'
import { type BuildOptions, buildCycle, type Cycle } from '../../src/shared/conf/build.ts'
import { EVENTS, HTTP } from '../../src/shared/conf/command.ts'
import { loadConfig, parseText } from '../../src/shared/conf/parser.ts'
import { type CoreConf, core, workerConnections } from '../../src/shared/core.ts'
import { tuningCommands } from '../../src/shared/tuning.ts'

const options: BuildOptions = { prefix: '/prefix/', confPrefix: '/conf/' }

function build(text: string, more: Partial<BuildOptions> = {}): Cycle {
  const { tree } = loadConfig('a.conf', { confPrefix: '/conf/', text })
  return buildCycle(tree, [core], { ...options, ...more })
}

function main(text: string): CoreConf {
  return build(`${text} events {}`).root.conf(core)
}

function messageOf(text: string): string {
  try {
    build(text)
  } catch (error) {
    return (error as Error).message
  }
  return 'no error'
}

describe('main', () => {
  it('has defaults', () => {
    expect(main('')).toMatchObject({
      user: null,
      workerProcesses: 1,
      workerRlimitNofile: null,
      daemon: true,
      masterProcess: true,
      workingDirectory: null,
      pid: '/prefix/logs/weir.pid',
      errorLog: [{ path: '/prefix/logs/error.log', level: 'error' }],
    })
  })

  it('takes what the file says', () => {
    const conf = main(
      `worker_processes 3; worker_rlimit_nofile 4096; daemon off; master_process off; working_directory /tmp;
      pid run/a.pid;`,
    )
    expect(conf).toMatchObject({
      workerProcesses: 3,
      workerRlimitNofile: 4096,
      daemon: false,
      masterProcess: false,
      workingDirectory: '/tmp',
      pid: '/prefix/run/a.pid',
    })
  })

  it('worker_processes auto is one per processor', () => {
    expect(main('worker_processes auto;').workerProcesses).toBe(availableParallelism())
  })

  it.each(['0', '-1', 'many', '1.5'])('worker_processes %s is invalid', (value) => {
    expect(messageOf(`worker_processes ${value};`)).toBe(
      '"worker_processes" directive invalid value in a.conf:1',
    )
  })

  it('directives of the command line and of the file are one', () => {
    const tree = [
      ...parseText('daemon off;'),
      ...loadConfig('a.conf', { confPrefix: '', text: 'daemon on;' }).tree,
    ]
    expect(() => buildCycle(tree, [core], options)).toThrow('"daemon" directive is duplicate in a.conf:1')
  })
})

describe('events and http', () => {
  it('events must be there', () => {
    expect(messageOf('http {}')).toBe('no "events" section in configuration')
    expect(messageOf('events {}')).toBe('no error')
  })

  it.each(['events', 'http'])('%s may be there once', (name) => {
    expect(messageOf(`${name} {} ${name} {}`)).toBe(`"${name}" directive is duplicate in a.conf:1`)
  })

  it('worker_connections stands in events', () => {
    expect(workerConnections(build('events { worker_connections 9; }').root)).toBe(9)
    expect(workerConnections(build('events {}').root)).toBe(512)
    expect(messageOf('worker_connections 9;')).toBe(
      '"worker_connections" directive is not allowed here in a.conf:1, it belongs in events',
    )
    expect(messageOf('events { worker_connections x; }')).toBe('invalid number "x" in a.conf:1')
  })

  it('each block is a scope', () => {
    const { root } = build('events {} http {}')
    expect(root.children.map((scope) => scope.kind)).toEqual([EVENTS, HTTP])
  })
})

describe('error_log', () => {
  it('may be repeated; each file has its level', () => {
    expect(main('error_log a.log warn; error_log /b.log; error_log stderr debug;').errorLog).toEqual([
      { path: '/prefix/a.log', level: 'warn' },
      { path: '/b.log', level: 'error' },
      { path: null, level: 'debug' },
    ])
  })

  it('the inner level replaces the outer one, which others inherit', () => {
    const { root } = build('error_log a; events {} http { error_log b; }')
    const paths = root.children.map((scope) => scope.conf(core).errorLog.map((file) => file.path))
    expect(paths).toEqual([['/prefix/a'], ['/prefix/b']])
  })

  it('files are registered to be opened, the default one only where it is used', () => {
    expect([
      ...build('error_log a; error_log stderr; events {} http { error_log b; }').context.logFiles,
    ]).toEqual(['/prefix/a', '/prefix/b'])
    expect([...build('events {} http { error_log b; }').context.logFiles].sort()).toEqual([
      '/prefix/b',
      '/prefix/logs/error.log',
    ])
  })

  it('the command line can name the default', () => {
    const path = (errorLog: string, text = '') =>
      build(`${text} events {}`, { errorLog }).root.conf(core).errorLog[0]?.path
    expect(path('/e.log')).toBe('/e.log')
    expect(path('e.log')).toBe('/prefix/e.log')
    expect(path('stderr')).toBe(null)
    expect(path('e.log', 'error_log a;')).toBe('/prefix/a')
  })

  it.each([
    ['x loud', 'invalid log level "loud" in a.conf:1'],
    ['x warn info', 'duplicate log level "info" in a.conf:1'],
    ['x warn debug_http', 'invalid log level "debug_http" in a.conf:1'],
    ['memory:1m', '"error_log memory:1m" is not supported by weir: log to a file or to syslog in a.conf:1'],
    [
      'syslog:server=unix:/dev/log',
      '"syslog:server=unix:/dev/log" is not supported by weir: Node.js has no unix datagram sockets, name a UDP address in a.conf:1',
    ],
  ])('%s: %s', (args, message) => {
    expect(messageOf(`error_log ${args};`)).toBe(message)
  })

  it('syslog of the main context has a file beside it', () => {
    const { errorLog } = main('error_log syslog:server=127.0.0.1,tag=a warn;')
    const syslog = { host: '127.0.0.1', port: 514, facility: 23, severity: 6, tag: 'a', hostname: true }
    expect(errorLog).toEqual([
      { path: null, level: 'warn', syslog },
      { path: '/prefix/logs/error.log', level: 'error' },
    ])
    const files = main('error_log syslog:server=127.0.0.1; error_log stderr;').errorLog
    expect(files.map(({ path }) => path)).toEqual([null, null])
  })

  it('parts of debugging are all of it', () => {
    expect(main('error_log a debug_http debug_core;').errorLog).toEqual([
      { path: '/prefix/a', level: 'debug' },
    ])
  })
})

describe('user', () => {
  const isRoot = process.geteuid?.() === 0

  it.runIf(isRoot)('names an account of the system, and its group', () => {
    expect(main('user root;').user).toEqual({ user: 'root', group: 'root', uid: 0, gid: 0 })
    expect(main('user root daemon;').user).toMatchObject({ group: 'daemon', gid: 1 })
  })

  it.runIf(isRoot)('must be known', () => {
    expect(messageOf('user no-such-user;')).toBe('getpwnam("no-such-user") failed in a.conf:1')
    expect(messageOf('user root no-such-group;')).toBe('getgrnam("no-such-group") failed in a.conf:1')
  })

  it.skipIf(isRoot)('is a warning without the right to change it', () => {
    const { root, context } = build('user nobody; events {}')
    expect(root.conf(core).user).toBe(null)
    expect(context.warnings).toEqual([
      'the "user" directive makes sense only if the master process runs with super-user privileges, ignored in a.conf:1',
    ])
  })
})

describe('include', () => {
  it.each(['include;', 'include a b;'])('%s has the wrong number of arguments', (text) => {
    expect(messageOf(text)).toBe('invalid number of arguments in "include" directive in a.conf:1')
  })

  it('that swallowed the next directive may lack its semicolon', () => {
    expect(messageOf('include a\nuser b;')).toBe(
      'invalid number of arguments in "include" directive in a.conf:2, is a ";" missing before "user"?',
    )
    expect(messageOf('include a\nevents {}')).toBe(
      'directive "include" is not terminated by ";" in a.conf:2, is a ";" missing before "events"?',
    )
    expect(messageOf('events { include a }')).toBe(
      'unexpected "}" in a.conf:1, is a ";" missing at the end of "include"?',
    )
  })

  it('opens no block', () => {
    expect(messageOf('include a {}')).toBe('directive "include" is not terminated by ";" in a.conf:1')
  })
})

describe('tuning knobs', () => {
  it('are announced once each, with place and reason', () => {
    const { context } = build('pcre_jit on;\nevents {} http { sendfile on; }')
    expect(context.notices).toEqual([
      'the "pcre_jit" directive has no effect in a.conf:1: regular expressions are compiled by the JavaScript engine',
      'the "sendfile" directive has no effect in a.conf:2: files are read by a pool of threads and sent through ordinary writes',
    ])
  })

  it('leave nothing in the configuration', () => {
    const { root } = build('events {} http { sendfile on; }')
    const fields = root.children.flatMap((scope) => Object.keys(scope.conf(core)))
    expect(fields).not.toContain('sendfile')
  })

  it('are checked for duplicates, except for those that gather', () => {
    expect(messageOf('pcre_jit on; pcre_jit on;')).toBe('"pcre_jit" directive is duplicate in a.conf:1')
    expect(messageOf('events {} env A; env B=1; load_module a.so; load_module b.so;')).toBe('no error')
  })

  it('all have a reason', () => {
    expect(tuningCommands.filter((command) => !command.noEffect)).toEqual([])
  })
})
