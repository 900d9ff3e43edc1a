// The chaos of the soak: its verdicts on what clients get, its backends' reading of requests, its report, and a short
// run of all of it.

import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { judge, type Result } from '../../bench/soak/chaos/judge.ts'
import { Random } from '../../bench/soak/chaos/random.ts'
import { RequestReader } from '../../bench/soak/chaos/request-reader.ts'
import type { Failing, Method, Trial } from '../../bench/soak/chaos/trials.ts'
import { patternAt } from '../../bench/soak/pattern.ts'
import { withSection } from '../../bench/soak/results.ts'
import { removeFolder, temporaryFolder } from '../support/temporary.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const NO_ANSWER: Failing = { name: 'closed', stage: 'head', statuses: [502] }
const CUT: Failing = { name: 'cut', stage: 'body', statuses: [] }

/** A request that these backends had, each failing so, or answering. */
function trial(method: Method, visits: (Failing | null)[], content = 0): Trial {
  const seen = visits.map((failing) => ({ backend: 'b', answering: false, failing, left: false }))
  return { id: 1, method, content, length: 10, started: 0, visits: seen }
}

const ended = (status: number, rest: Partial<Result> = {}): Result => ({
  status,
  complete: true,
  right: true,
  ...rest,
})

describe('judge', () => {
  it.each([
    ['a GET that was retried', trial('GET', [NO_ANSWER, null]), ended(200), 'right'],
    ['a GET that was not', trial('GET', [NO_ANSWER]), ended(502), 'unexplained'],
    ['a PUT that was kept and not retried', trial('PUT', [NO_ANSWER], 16_384), ended(502), 'unexplained'],
    ['a PUT too long to be kept', trial('PUT', [NO_ANSWER], 16_385), ended(502), 'unavoidable'],
    ['a POST, failed once', trial('POST', [NO_ANSWER]), ended(502), 'unavoidable'],
    ['a POST with a status of no failure', trial('POST', [NO_ANSWER]), ended(504), 'unexplained'],
    ['a POST that was sent twice', trial('POST', [NO_ANSWER, null]), ended(200), 'unexplained'],
    ['a POST that nobody has seen', trial('POST', []), ended(502), 'unexplained'],
    ['an answer cut by a backend', trial('GET', [CUT]), ended(200, { complete: false }), 'unavoidable'],
    ['an answer cut by nobody', trial('GET', [null]), ended(200, { complete: false }), 'unexplained'],
    ['other content', trial('GET', [CUT]), ended(200, { right: false }), 'unexplained'],
    ['no answer', trial('POST', [NO_ANSWER]), { status: null, complete: false, right: true }, 'unexplained'],
  ])('%s, is as it must be', (_, request, result, kind) => {
    expect(judge(request, result, false).kind).toBe(kind)
  })
  it('a POST on a kept connection that was closed meanwhile, could not be avoided', () => {
    expect(judge(trial('POST', []), ended(502), true).kind).toBe('unavoidable')
    expect(judge(trial('GET', []), ended(502), true).kind).toBe('unexplained')
  })
})

describe('Random', () => {
  const draw = (seed: number, name: string) => {
    const random = new Random(seed, name)
    return Array.from({ length: 20 }, () => random.between(0, 1000))
  }
  it('same seed and name, same numbers; another one, others', () => {
    expect(draw(1, 'a')).toEqual(draw(1, 'a'))
    expect(draw(1, 'a')).not.toEqual(draw(2, 'a'))
    expect(draw(1, 'a')).not.toEqual(draw(1, 'b'))
  })
})

describe('RequestReader', () => {
  const content = patternAt(0, 300)
  const head = (framing: string) =>
    Buffer.from(`PUT /bytes/7?n=5&l=300 HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n`, 'latin1')
  const chunk = (bytes: Buffer) =>
    Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')])
  const last = Buffer.from('0\r\n\r\n')
  const chunked = (...parts: Buffer[]) => [head('Transfer-Encoding: chunked'), ...parts.map(chunk), last]

  it.each([
    ['with a length', [head('Content-Length: 300'), content], true],
    ['in chunks', chunked(content.subarray(0, 99), content.subarray(99)), true],
    ['shorter than sent', chunked(content.subarray(0, 299)), false],
    ['garbled', [head('Content-Length: 300'), Buffer.from(content).fill(0, 10, 11)], false],
  ])('content %s, wherever it is cut', (_, parts, right) => {
    const bytes = Buffer.concat(parts)
    for (const size of [1, 7, 64, bytes.length]) {
      const events: unknown[] = []
      const reader = new RequestReader({
        head: (seen) => events.push(seen),
        complete: (good) => events.push(good),
      })
      for (const _ of [1, 2]) {
        for (let at = 0; at < bytes.length; at += size) reader.read(bytes.subarray(at, at + size))
      }
      const once = [{ id: 5, length: 7, content: 300 }, right]
      expect(events).toEqual([...once, ...once])
    }
  })
})

describe('withSection', () => {
  const section = (title: string, text: string) => ({ title, text, good: true })
  it('takes the place of the one with its title, or comes last', () => {
    const first = withSection(withSection('', section('A', 'one')), section('B', 'two'))
    expect(first).toBe('## A\n\none\n\n## B\n\ntwo\n')
    expect(withSection(first, section('A', 'three\n'))).toBe('## A\n\nthree\n\n## B\n\ntwo\n')
  })
})

describe('npm run soak -- --part chaos', () => {
  it('a few seconds, every error has a reason and nothing is left behind', async () => {
    const folder = await temporaryFolder()
    try {
      const report = join(folder, 'soak.md')
      const args = ['--part', 'chaos', '--seconds', '4', '--seed', '5', '--times', '0.5', '--out', report]
      await promisify(execFile)(process.execPath, [join(ROOT, 'bench/soak/soak.ts'), ...args]).catch(
        ({ stdout, stderr }: { stdout: string; stderr: string }) => {
          throw new Error(`${stdout}${stderr}`)
        },
      )
      expect(readFileSync(report, 'utf8')).toMatch(/^## Chaos\n\n4 seconds of chaos .* passed\./)
    } finally {
      await removeFolder(folder)
    }
  }, 60_000)
})
