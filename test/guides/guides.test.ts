// Every configuration in five guides to nginx as a reverse proxy: it runs and does what the text says, or the table
// says which directives it waits for, or what nginx itself refuses it for. The texts lie beside the repository.

import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { nginxMissing, startNginx } from '../support/proxy.ts'
import { configurationsOf } from './blocks.ts'
import type { Entry } from './entry.ts'
import { handbook } from './long-guide.ts'
import { completed, GuideRun, statementsOf } from './run.ts'
import { basics, layered, practices, upstreams } from './short-guides.ts'

const FOLDER = resolve(import.meta.dirname, '../../../shared/seeds')
const GUIDES: readonly [file: string, entries: readonly Entry[]][] = [
  ['000_aa8be6b8b75ebc4c.txt', layered],
  ['001_e3a28c144ddc29a6.txt', upstreams],
  ['002_2c9c620a12519c82.txt', basics],
  ['003_4c2d137965caf8bd.txt', handbook],
  ['004_04443f68b9dcb232.txt', practices],
]

const missing = existsSync(FOLDER) ? null : `the guides are not there (${FOLDER})`
if (missing !== null) console.warn(`configurations of guides are not tested: ${missing}`)

let run: GuideRun | null = null

afterEach(async () => {
  await run?.stop()
  run = null
})

describe.skipIf(missing !== null).each(GUIDES)('guide %s', (file, entries) => {
  const blocks = missing === null ? configurationsOf(readFileSync(join(FOLDER, file), 'utf8')) : []

  it('every configuration in it has its entry here', () => {
    const listed = new Set(entries.map((entry) => entry.block))
    expect([...listed].sort((a, b) => a - b)).toEqual(blocks.map((_, index) => index))
  })

  it.for([...entries])('$block: $shows', async (entry) => {
    const { refused, waitsFor = [] } = entry
    const text = partOf(blocks[entry.block]!, entry)
    if (refused !== undefined) await expectRefusal(text, refused, waitsFor)
    if (refused !== undefined && entry.check === undefined) return
    run = await GuideRun.start(completed(text, entry.http), entry.files)
    expect([...run.missing].sort()).toEqual([...waitsFor].sort())
    await entry.check?.(run)
  })
})

/** The block, or the part of it that an entry is about. */
function partOf(whole: string, { only, instead }: Entry): string {
  const block = instead === undefined ? whole : whole.replace(...instead)
  if (only === undefined) return block
  const [word, index] = only
  const server = /^server \{([\s\S]*)\}$/.exec(block)?.[1]
  const own = statementsOf(server ?? block).filter((statement) => statement.startsWith(word))
  return own[index]!
}

/** nginx refuses it for what the entry says, and so does weir as soon as it has all directives of it. */
async function expectRefusal(text: string, message: string, waitsFor: readonly string[]): Promise<void> {
  const conf = completed(text)
    .replaceAll('http://backend', 'http://127.0.0.1')
    .replace(/\blisten \d+/g, 'listen 127.0.0.1:%PORT%')
  if (waitsFor.length === 0) await expect(GuideRun.start(conf)).rejects.toThrow(message)
  if (nginxMissing === null) await expect(startNginx(conf)).rejects.toThrow(message)
}
