// What is asked of the disk, and what of the files that are held, when a request looks whether a file is there.

import * as fs from 'node:fs'
import { chmodSync, mkdirSync, readdirSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openGuarded, statGuarded } from '../../../../../src/worker/modules/content/static/guarded-open.ts'
import { serverConf, TestEngine } from '../../../../support/engine.ts'
import { rawRequest } from '../../../../support/raw-client.ts'
import { removeFolder, temporaryFolder } from '../../../../support/temporary.ts'

vi.mock('node:fs', async (original) => {
  const actual = await original<typeof fs>()
  return { ...actual, statSync: vi.fn(actual.statSync) }
})

const CONF = serverConf(`
  root %FOLDER%/html;
  location / { try_files $uri $uri/ =404; }
  location /plain/ { }
  location /if/ { if (!-f $request_filename) { return 404; } }
  location /links/ { disable_symlinks on; try_files $uri =404; }
  open_file_cache max=10;`)

describe('of a file that is held', () => {
  let engine: TestEngine

  beforeEach(async () => {
    engine = await TestEngine.start(CONF)
    for (const folder of ['html', 'html/if', 'html/links', 'html/plain'])
      mkdirSync(join(engine.folder, folder))
    for (const name of ['index.html', 'if/file', 'links/file', 'plain/index.html']) {
      writeFileSync(join(engine.folder, 'html', name), name)
    }
  })
  afterEach(() => engine.stop())

  async function ask(target: string): Promise<string> {
    const request = `GET ${target} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n`
    const { bytes } = await rawRequest(engine.port, [request], { until: 'close' })
    return /^HTTP\/1.1 (\d+)/.exec(bytes.toString('latin1'))?.[1] ?? ''
  }

  /** How often something below the root is asked of the disk. */
  function looks(): number {
    return vi.mocked(fs.statSync).mock.calls.filter(([path]) => String(path).includes('/html/')).length
  }

  it.each([
    ['try_files', '/index.html'],
    ['if', '/if/file'],
    ['disable_symlinks', '/links/file'],
    ['index', '/plain/'],
  ])('%s asks the disk nothing within the valid time', async (_directive, target) => {
    expect(await ask(target)).toBe('200')
    vi.mocked(fs.statSync).mockClear()
    expect(await ask(target)).toBe('200')
    expect(looks()).toBe(0)
  })

  it('it is there for as long as it is held', async () => {
    await ask('/if/file')
    unlinkSync(join(engine.folder, 'html/if/file'))
    expect(await ask('/if/file')).toBe('200')
  })

  it('one location that follows links does not lend its files to another that does not', async () => {
    symlinkSync(join(engine.folder, 'html/index.html'), join(engine.folder, 'html/links/link'))
    engine.load(CONF.replace('location / {', 'location /open/ { alias %FOLDER%/html/links/; } location / {'))
    expect([await ask('/open/link'), await ask('/links/link'), await ask('/open/link')]).toEqual([
      '200',
      '404',
      '200',
    ])
  })
})

describe('a file that is reached without links', () => {
  const NONE = { owned: false, from: 0, key: '' }
  let folder: string

  beforeEach(async () => {
    folder = await temporaryFolder()
    mkdirSync(join(folder, 'a/b'), { recursive: true })
    writeFileSync(join(folder, 'a/b/file'), 'content')
    symlinkSync('b', join(folder, 'a/link'))
  })
  afterEach(() => removeFolder(folder))

  it('is the file itself', () => {
    const fd = openGuarded(join(folder, 'a/b/file'), NONE)
    expect(typeof fd === 'number' && fs.readFileSync(fd, 'latin1')).toBe('content')
    if (typeof fd === 'number') fs.closeSync(fd)
  })

  it('is found through folders that cannot be read', () => {
    chmodSync(join(folder, 'a'), 0o311)
    expect(statGuarded(join(folder, 'a/b/file'), NONE)).toMatchObject({ size: 7 })
    chmodSync(join(folder, 'a'), 0o755)
  })

  it('may have a relative path', () => {
    expect(statGuarded('src/../package.json', NONE)).toMatchObject({ size: expect.any(Number) })
  })

  it.each(['a/b/file', 'a/b/', 'a/link/file', 'a/link', 'a/b/none', 'none/x', 'a/b/file/x'])(
    'leaves no descriptor open: %s',
    (name) => {
      const before = readdirSync('/proc/self/fd').length
      for (const owned of [true, false]) statGuarded(join(folder, name), { ...NONE, owned })
      expect(readdirSync('/proc/self/fd').length).toBe(before)
    },
  )

  it('is not there once a link has taken the place of a folder', () => {
    fs.renameSync(join(folder, 'a'), join(folder, 'moved'))
    symlinkSync('moved', join(folder, 'a'))
    expect(statGuarded(join(folder, 'a/b/file'), NONE)).toMatchObject({ error: { code: 'ENOTDIR' } })
  })
})
