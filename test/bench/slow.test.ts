// The slow part of the soak: its backend and its clients, what it sees of temporary files, and its verdicts.

import { closeSync, mkdirSync, openSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { knownLines } from '../../bench/known.ts'
import type { Visit } from '../../bench/soak/slow/backend.ts'
import { SlowBackend } from '../../bench/soak/slow/backend.ts'
import { download, type Fared, upload } from '../../bench/soak/slow/clients.ts'
import { slowConf, TEMPORARY } from '../../bench/soak/slow/conf.ts'
import { type Bout, downloadRows, type Row, slowTable, uploadRows } from '../../bench/soak/slow/report.ts'
import { ProxyWatch } from '../../bench/soak/slow/watch.ts'
import { buildCycle } from '../../src/shared/conf/build.ts'
import { parseText } from '../../src/shared/conf/parser.ts'
import { modules } from '../../src/worker/modules.ts'
import { removeFolder, temporaryFolder } from '../support/temporary.ts'
import { eventually } from '../support/wait.ts'

describe('clients and backend', () => {
  const backend = new SlowBackend()
  let port: number
  beforeAll(async () => {
    port = await backend.start()
  })
  afterAll(() => backend.stop())

  it('a download is read whole, and its backend is free when the connection is closed', async () => {
    const fared = await download(port, 1, 300_000, 10e6)
    expect(fared.error).toBe('')
    await eventually('the release', () => backend.visits.get(1)?.released !== 0)
  })

  it('an upload is sent whole, and answered', async () => {
    const fared = await upload(port, 2, 300_000, 10e6)
    expect(fared.error).toBe('')
    expect(backend.visits.get(2)).toMatchObject({ right: true })
    expect(fared.ended).toBeGreaterThanOrEqual(fared.sent)
  })

  it('nobody listens: an error', async () => {
    backend.stop()
    expect((await download(port, 3, 10, 1e6)).error).toContain('ECONNREFUSED')
    expect((await upload(port, 4, 10, 1e6)).error).toContain('ECONNREFUSED')
  })
})

describe('ProxyWatch', () => {
  it('sees files in the temporary folder, and those that are open without a name', async () => {
    const folder = await temporaryFolder()
    mkdirSync(join(folder, TEMPORARY, 'proxy'), { recursive: true })
    const file = join(folder, TEMPORARY, 'proxy/1')
    const watch = new ProxyWatch(process.pid, folder)
    try {
      expect(watch.before).toMatchObject({ files: 0, fileBytes: 0 })
      writeFileSync(file, '12345')
      expect(watch.look()).toMatchObject({ files: 1, fileBytes: 5 })
      const descriptor = openSync(file, 'r')
      unlinkSync(file)
      expect(watch.look()).toMatchObject({ files: 1, fileBytes: 5 })
      closeSync(descriptor)
      expect(watch.look()).toMatchObject({ files: 0 })
    } finally {
      watch.stop()
      await removeFolder(folder)
    }
  })
})

const look = { resident: 2 ** 20, files: 0, fileBytes: 0 }
const fared = (id: number, sent = 0): Fared => ({ id, started: 0, sent, ended: 1000, error: '' })
const visit = (asked: number, released: number): Visit => ({ asked, released, right: true })
const bout = (clients: Fared[], visits: [number, Visit][], more: Partial<Bout> = {}): Bout => ({
  fared: clients,
  visits: new Map(visits),
  peakConnections: 1,
  before: look,
  after: look,
  peakResident: 2 ** 21,
  peakFiles: 1,
  peakFileBytes: 10,
  ...more,
})
const failed = (rows: Row[]) => rows.filter(({ good }) => !good).map(({ measure }) => measure)

describe('verdicts', () => {
  it.each([
    ['all backends are free early', bout([fared(1)], [[1, visit(0, 100)]]), []],
    ['one is free late', bout([fared(1)], [[1, visit(0, 600)]]), ['the longest']],
    ['one is never free', bout([fared(1)], [[1, visit(0, 0)]]), ['the longest']],
    ['one was never asked', bout([fared(1)], []), ['wrong or missing', 'the longest']],
    [
      'a file is left',
      bout([fared(1)], [[1, visit(0, 1)]], { after: { ...look, files: 1 } }),
      ['temporary files left'],
    ],
    ['a client got an error', bout([{ ...fared(1), error: 'x' }], [[1, visit(0, 1)]]), ['wrong or missing']],
  ])('downloads: %s', (_name, measured, wrong) => {
    expect(failed(downloadRows(measured, true))).toEqual(wrong)
  })

  it.each([
    ['asked behind the last byte', visit(600, 0), []],
    ['asked before', visit(400, 0), ['requests seen before their last byte was sent']],
    ['another body', { ...visit(600, 0), right: false }, ['wrong or missing']],
  ])('uploads: %s', (_name, seen, wrong) => {
    expect(failed(uploadRows(bout([fared(1, 500)], [[1, seen]]), true))).toEqual(wrong)
  })

  it('what the proxy cannot do is only told', () => {
    const late = bout([fared(1, 500)], [[1, visit(400, 900)]], { after: { ...look, files: 1 } })
    expect(failed([...downloadRows(late, false), ...uploadRows(late, false)])).toEqual([])
  })

  it('table: weir beside nginx', () => {
    const rows = downloadRows(bout([fared(1)], [[1, visit(0, 100)]]), true)
    expect(slowTable(rows, rows)).toContain(
      '| the longest | 0.10 s | 0.10 s | less than half of that of a client | ok |',
    )
    expect(slowTable(rows, null)).toContain('| wrong or missing | 0 |  | must be 0 | ok |')
  })
})

describe('configuration', () => {
  it('weir takes it', () => {
    const tree = parseText(slowConf('weir', 8080, 8081, 10), 'nginx.conf')
    expect(() => buildCycle(tree, modules, { prefix: '/x/', confPrefix: '/x/' })).not.toThrow()
  })
  it('lines that weir does not know are for nginx only', () => {
    const lines = '  nothing_weir_knows on;\n  proxy_read_timeout 1s;'
    expect(knownLines('nginx', lines)).toBe(lines)
    expect(knownLines('weir', lines)).toBe('  proxy_read_timeout 1s;')
  })
})
