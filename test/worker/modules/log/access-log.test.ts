// access_log with buffers, compression, conditions and variables in its path, through an engine.

import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { serverConf, TestEngine } from '../../../support/engine.ts'
import { rawRequest } from '../../../support/raw-client.ts'
import { eventually } from '../../../support/wait.ts'

let engine: TestEngine

afterEach(() => engine.stop())

async function get(...targets: string[]): Promise<void> {
  const bytes = targets.map((target) => `GET ${target} HTTP/1.1\r\nHost: a.test\r\n\r\n`).join('')
  await rawRequest(engine.port, [bytes], { until: targets.length })
}

/** Text of a file under the engine's folder, whoever opened it; '' without one. */
function text(name: string): string {
  const path = join(engine.folder, name)
  return existsSync(path) ? readFileSync(path, 'latin1') : ''
}

const FORMAT = "log_format line '$uri';"

/** A server that answers everything and logs as `logs` says; the format `line` is the URI. */
async function start(logs: string): Promise<void> {
  engine = await TestEngine.start(serverConf(`${logs} location / { return 200; }`, FORMAT))
  mkdirSync(join(engine.folder, 'logs'), { recursive: true })
  mkdirSync(join(engine.folder, 'logs'), { recursive: true })
}

/** The lines without a buffer are there a moment after their answers. */
async function becomes(name: string, expected: string): Promise<void> {
  await eventually(`${name} as expected`, () => text(name).length >= expected.length)
  expect(text(name)).toBe(expected)
}

describe('buffer=', () => {
  it('keeps lines until the next one does not fit', async () => {
    await start('access_log logs/b line buffer=10;')
    await get('/aaa', '/bbb')
    expect(text('logs/b')).toBe('')
    await get('/c')
    expect(text('logs/b')).toBe('/aaa\n/bbb\n')
  })

  it('writes a line that can never fit at once, behind the others', async () => {
    await start('access_log logs/b line buffer=10;')
    await get('/aaa', '/longer-than-the-buffer')
    expect(text('logs/b')).toBe('/aaa\n/longer-than-the-buffer\n')
  })

  it('holds for every access_log of the file', async () => {
    await start('access_log logs/b line buffer=1k; location /x { access_log logs/b line; return 200; }')
    await get('/x/1')
    expect(text('logs/b')).toBe('')
    engine.engine.finishLogs()
    expect(text('logs/b')).toBe('/x/1\n')
  })

  it('flush= writes what is old', async () => {
    await start('access_log logs/b line buffer=1k flush=50ms;')
    await get('/aaa')
    await eventually('line', () => text('logs/b') === '/aaa\n')
    await get('/bbb')
    await eventually('second line', () => text('logs/b') === '/aaa\n/bbb\n')
  })

  it('is written when the log is reopened, to the file as it was', async () => {
    await start('access_log logs/b line buffer=1k;')
    await get('/aaa')
    engine.engine.reopen({})
    expect(text('logs/b')).toBe('/aaa\n')
  })

  it('is written when the worker has drained', async () => {
    await start('access_log logs/b line buffer=1k;')
    await get('/aaa')
    await new Promise<void>((done) => engine.engine.drain(done))
    expect(text('logs/b')).toBe('/aaa\n')
  })

  it('is written when a reload drops or changes it', async () => {
    await start('access_log logs/b line buffer=1k;')
    await get('/aaa')
    engine.load(serverConf('access_log logs/b line; location / { return 200; }', FORMAT))
    expect(text('logs/b')).toBe('/aaa\n')
    await get('/bbb')
    await becomes('logs/b', '/aaa\n/bbb\n')
  })
})

describe('gzip', () => {
  const lines = (name: string) => gunzipSync(readFileSync(join(engine.folder, name))).toString('latin1')

  it('makes each buffer a member of its own, in order', async () => {
    await start('access_log logs/z line buffer=10 gzip;')
    for (let index = 10; index < 40; index++) await get(`/${index}`, `/${index}`)
    engine.engine.finishLogs()
    const expected = Array.from({ length: 30 }, (_, index) => `/${index + 10}\n`.repeat(2)).join('')
    expect(lines('logs/z')).toBe(expected)
    const members = readFileSync(join(engine.folder, 'logs/z'), 'latin1').split('\x1f\x8b\x08').length - 1
    expect(members).toBeGreaterThan(10)
  })

  it('writes full buffers by and by', async () => {
    await start('access_log logs/z line buffer=10 gzip=9;')
    await get('/aaa', '/bbb', '/ccc')
    await eventually('first member', () => text('logs/z') !== '' && lines('logs/z') === '/aaa\n/bbb\n')
  })

  it('has a buffer of 64k of its own', async () => {
    await start('access_log logs/z line gzip;')
    await get('/aaa')
    expect(text('logs/z')).toBe('')
    engine.engine.finishLogs()
    expect(lines('logs/z')).toBe('/aaa\n')
  })
})

describe('a path with variables', () => {
  it('is opened for each value, and again after it was renamed and reopened', async () => {
    await start('access_log logs/$arg_a.log line;')
    mkdirSync(join(engine.folder, 'html'))
    await get('/1?a=x', '/2?a=y', '/3?a=x', '/4')
    await becomes('logs/.log', '/4\n')
    expect([text('logs/x.log'), text('logs/y.log')]).toEqual(['/1\n/3\n', '/2\n'])
    renameSync(join(engine.folder, 'logs/x.log'), join(engine.folder, 'logs/x.old'))
    engine.engine.reopen({})
    await get('/5?a=x')
    await becomes('logs/x.log', '/5\n')
    expect(text('logs/x.old')).toBe('/1\n/3\n')
  })

  it('leaves no more than 64 files open, none after a while', async () => {
    await start('access_log %FOLDER%/logs/$arg_a.log line;')
    mkdirSync(join(engine.folder, 'html'))
    const numbers = Array.from({ length: 100 }, (_, index) => index)
    await get(...numbers.map((index) => `/?a=n${index}`))
    await eventually('all files', () => numbers.every((index) => text(`logs/n${index}.log`) === '/\n'))
    const open = () =>
      readdirSync('/proc/self/fd').filter((fd) => linkOf(fd).startsWith(`${engine.folder}/logs/n`)).length
    expect(open()).toBeLessThanOrEqual(64)
    await eventually('files closed', () => open() === 0)
  })

  it('that cannot be opened is an error, the request is answered', async () => {
    await start('access_log %FOLDER%/missing/$arg_a.log line;')
    mkdirSync(join(engine.folder, 'html'))
    await get('/?a=x')
    expect(engine.errorLog).toMatch(
      /\[crit\] \d+#\d+: \*\d+ open\(\) "\S+\/missing\/x\.log" failed \(2: No such file or directory\) while logging request, client: 127\.0\.0\.1, server: test, request: "GET \/\?a=x HTTP\/1\.1", host: "a\.test"\n/,
    )
  })

  it('is not logged to without a document root', async () => {
    await start('access_log logs/$arg_a.log line;')
    await get('/?a=x')
    expect(engine.errorLog).toMatch(
      /\[error\] .* testing "\S+\/html" existence failed \(2: No such file or directory\) while logging request, client/,
    )
    expect(text('logs/x.log')).toBe('')
  })
})

describe('a log that cannot be written', () => {
  it.each(['', ' buffer=1'])('is reported once in a while, requests go on%s', async (buffer) => {
    await start(`access_log /dev/full line${buffer};`)
    await get('/1')
    await get('/2', '/3')
    await eventually('alert', () => engine.errorLog.includes('[alert]'))
    expect(engine.errorLog.match(/\[alert\].*/g)).toEqual([
      expect.stringMatching(
        /: write\(\) to "\/dev\/full" failed \(28: No space left on device\) while logging request$/,
      ),
    ])
  })
})

describe('if=', () => {
  it.each([
    ['/?a=1', true],
    ['/?a=00', true],
    ['/?a=0', false],
    ['/?a=', false],
    ['/', false],
  ])('$arg_a of %s', async (target, logged) => {
    await start('access_log logs/i line if=$arg_a;')
    await get(target)
    await get('/?a=last')
    await becomes('logs/i', logged ? '/\n/\n' : '/\n')
  })
})

function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`)
  } catch {
    return ''
  }
}
