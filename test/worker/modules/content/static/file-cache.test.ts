// What a thread holds of files, and when it looks at the disk again.

import {
  readdirSync,
  readlinkSync,
  renameSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type CacheSettings, FileCache } from '../../../../../src/worker/modules/content/static/file-cache.ts'
import type { OpenFile } from '../../../../../src/worker/modules/content/static/open-file.ts'
import { run } from '../../../../../src/worker/tick.ts'
import { removeFolder, temporaryFolder } from '../../../../support/temporary.ts'
import { eventually } from '../../../../support/wait.ts'

const ALL: CacheSettings = {
  max: 10,
  inactive: 3_600_000,
  valid: 3_600_000,
  minUses: 1,
  errors: true,
  all: true,
}
const BIG = 'b'.repeat(100_000)
const HUGE = 'h'.repeat(1_100_000)

let folder: string

beforeEach(async () => {
  folder = await temporaryFolder()
})
afterEach(() => removeFolder(folder))

function write(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

/** Opens, releases and tells what came and whether the cache had it. */
async function ask(cache: FileCache, path: string): Promise<{ file: OpenFile; held: boolean }> {
  const answer = cache.open(path)
  const held = !(answer instanceof Promise)
  const file = await answer
  file.release()
  return { file, held }
}

function descriptors(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`)
      return target.startsWith(folder) ? [target] : []
    } catch {
      return []
    }
  })
}

describe('within the valid time', () => {
  it('a small file that has changed is served as it was', async () => {
    const cache = new FileCache(ALL)
    const path = write('a', 'first')
    expect((await ask(cache, path)).held).toBe(false)
    writeFileSync(path, 'second')
    const { file, held } = await ask(cache, path)
    expect([held, file.bytes?.toString()]).toEqual([true, 'first'])
  })

  it('a large file keeps its descriptor, until another takes its place', async () => {
    const cache = new FileCache({ ...ALL, max: 1 })
    const path = write('big', HUGE)
    const { file } = await ask(cache, path)
    expect([file.bytes, file.size]).toEqual([null, HUGE.length])
    unlinkSync(path)
    expect((await ask(cache, path)).held).toBe(true)
    expect(descriptors()).toHaveLength(1)
    await ask(cache, write('other', 'o'))
    await eventually('the descriptor closed', () => descriptors().length === 0)
    expect((await ask(cache, path)).file.failure).not.toBeNull()
  })

  it('what is missing stays missing with errors, and is looked for without', async () => {
    const path = join(folder, 'late')
    const [with_, without] = [new FileCache(ALL), new FileCache({ ...ALL, errors: false })]
    for (const cache of [with_, without]) expect((await ask(cache, path)).file.failure).not.toBeNull()
    write('late', 'there')
    expect((await ask(with_, path)).file.failure).not.toBeNull()
    expect((await ask(without, path)).file.bytes?.toString()).toBe('there')
  })

  it('a folder is held', async () => {
    const cache = new FileCache(ALL)
    await ask(cache, folder)
    const { file, held } = await ask(cache, folder)
    expect([file.kind, held]).toEqual(['directory', true])
  })
})

describe('after the valid time', () => {
  const FRESH = { ...ALL, valid: 0 }

  it('an unchanged file is held on', async () => {
    const cache = new FileCache(FRESH)
    const path = write('a', 'same')
    const first = await ask(cache, path)
    const second = await ask(cache, path)
    expect(second.held).toBe(true)
    expect(second.file).toBe(first.file)
  })

  it.each<[string, (path: string) => void]>([
    ['another content', (path) => writeFileSync(path, 'other and longer')],
    ['another time', (path) => utimesSync(path, 1000, 1000)],
    [
      'another file of its name',
      (path) => {
        writeFileSync(`${path}.new`, 'same')
        utimesSync(`${path}.new`, 2000, 2000)
        renameSync(`${path}.new`, path)
      },
    ],
    ['none', (path) => unlinkSync(path)],
  ])('%s is noticed', async (_name, change) => {
    const cache = new FileCache(FRESH)
    const path = write('a', 'same')
    utimesSync(path, 2000, 2000)
    const first = await ask(cache, path)
    change(path)
    const second = await ask(cache, path)
    expect(second.held).toBe(false)
    expect(second.file).not.toBe(first.file)
  })

  it('what was missing is found', async () => {
    const cache = new FileCache(FRESH)
    await ask(cache, join(folder, 'late'))
    expect((await ask(cache, write('late', 'there'))).file.bytes?.toString()).toBe('there')
  })
})

describe('what is held', () => {
  it('a file asked for less often than min_uses is opened each time', async () => {
    const cache = new FileCache({ ...ALL, minUses: 3 })
    const path = write('a', 'x')
    const held: boolean[] = []
    for (let use = 0; use < 5; use++) held.push((await ask(cache, path)).held)
    expect(held).toEqual([false, false, false, true, true])
  })

  it('a file that nobody asked for within inactive is opened again', async () => {
    const cache = new FileCache({ ...ALL, inactive: -1 })
    const path = write('a', 'x')
    await ask(cache, path)
    run()
    expect((await ask(cache, path)).held).toBe(false)
  })

  it.each([true, false])(
    'a file of medium size is read whole when it is asked for again (all: %s)',
    async (all) => {
      const cache = new FileCache({ ...ALL, all })
      const path = write('medium', BIG)
      const sizes: (number | undefined)[] = []
      for (let use = 0; use < 3; use++) sizes.push((await ask(cache, path)).file.bytes?.length)
      expect(sizes).toEqual([undefined, BIG.length, BIG.length])
      expect((await ask(cache, path)).held).toBe(true)
      await eventually('the descriptors closed', () => descriptors().length === 0)
    },
  )

  it('a file that many ask for at once is read once, and is in memory from the next time on', async () => {
    const cache = new FileCache(ALL)
    const path = write('medium', BIG)
    for (const size of [undefined, BIG.length]) {
      const files = await Promise.all(Array.from({ length: 5 }, () => cache.open(path)))
      expect(new Set(files).size).toBe(1)
      expect(files[0]!.bytes?.length).toBe(size)
      for (const file of files) file.release()
    }
    expect((await ask(cache, path)).held).toBe(true)
    await eventually('the descriptors closed', () => descriptors().length === 0)
  })

  it('a large file that many ask for at once is closed when the last of them is done', async () => {
    const cache = new FileCache({ ...ALL, all: false })
    const path = write('big', HUGE)
    const files = await Promise.all(Array.from({ length: 3 }, () => cache.open(path)))
    files.pop()!.release()
    files.pop()!.release()
    await ask(cache, write('other', 'o'))
    expect(descriptors()).toContain(path)
    files.pop()!.release()
    await eventually('the descriptor closed', () => descriptors().length === 0)
  })

  it('no more than max files', async () => {
    const cache = new FileCache({ ...ALL, max: 2 })
    const names = ['a', 'b', 'c'].map((name) => write(name, name))
    for (const path of names) await ask(cache, path)
    expect((await ask(cache, names[2]!)).held).toBe(true)
    expect((await ask(cache, names[0]!)).held).toBe(false)
  })

  it('content of 64 MiB at most', async () => {
    const cache = new FileCache({ ...ALL, max: 10_000 })
    const first = write('first', 'f'.repeat(65536))
    await ask(cache, first)
    const others = Array.from({ length: 1030 }, (_, index) => write(`o${index}`, 'o'.repeat(65536)))
    for (const path of others) await ask(cache, path)
    expect((await ask(cache, first)).held).toBe(false)
  })

  it('content of 128 MiB at most, with what is being sent', async () => {
    const cache = new FileCache({ ...ALL, max: 1000, all: false })
    const sparse = (name: string): string => {
      const path = write(name, '')
      truncateSync(path, 1024 * 1024)
      return path
    }
    const paths = Array.from({ length: 140 }, (_, number) => sparse(`${number}`))
    for (const path of paths) await ask(cache, path)
    const used = await Promise.all(paths.map((path) => cache.open(path)))
    const inMemory = used.filter(({ bytes }) => bytes !== null)
    expect(inMemory.length).toBeGreaterThan(64)
    expect(inMemory.length).toBeLessThanOrEqual(128)
    expect(used.every(({ bytes, descriptor }) => (bytes === null) === descriptor >= 0)).toBe(true)
    for (const file of used) file.release()
    await eventually('the descriptors closed', () => descriptors().length === 0)
    // There is room again.
    const last = paths.at(-1)!
    await ask(cache, last)
    expect((await ask(cache, last)).file.bytes).not.toBeNull()
  })

  it('without `all` neither folders nor descriptors', async () => {
    const cache = new FileCache({ ...ALL, all: false })
    for (const path of [folder, write('big', HUGE)]) {
      await ask(cache, path)
      expect((await ask(cache, path)).held).toBe(false)
    }
    await eventually('all descriptors closed', () => descriptors().length === 0)
  })
})
