// The soak's own parts: bodies that are checked as they come, what counts as lost in a crash, the access log against
// the answers, and the verdicts.

import { describe, expect, it } from 'vitest'
import { OPEN } from '../../bench/soak/inside.ts'
import { Ledger } from '../../bench/soak/ledger.ts'
import { PatternCheck, patternAt } from '../../bench/soak/pattern.ts'
import { markdownReport, type Outcome, passed, textTable, verdicts } from '../../bench/soak/report.ts'
import type { Sample } from '../../bench/soak/weir.ts'

const MIB = 2 ** 20

describe('PatternCheck', () => {
  it('pieces of any size, are right while every byte is in its place', () => {
    const check = new PatternCheck()
    for (const size of [1, 250, 251, 4096, 65_536]) check.add(patternAt(check.length, size))
    expect(check).toMatchObject({ right: true, length: 1 + 250 + 251 + 4096 + 65_536 })
  })
  it.each([
    ['a byte is missing', (body: Buffer) => Buffer.concat([body.subarray(0, 500), body.subarray(501)])],
    ['a byte is another one', (body: Buffer) => Buffer.from(body).fill(0, 700, 701)],
    ['a piece comes twice', (body: Buffer) => Buffer.concat([body.subarray(0, 100), body])],
  ])('%s, it is wrong', (_, spoil) => {
    const check = new PatternCheck()
    check.add(spoil(Buffer.from(patternAt(0, 1000))))
    expect(check.right).toBe(false)
  })
})

describe('Ledger', () => {
  it('a connection breaks after a crash, it is a victim; without one, an error', () => {
    const ledger = new Ledger()
    ledger.failed('GET', new Error('reset'), true)
    ledger.crash()
    ledger.failed('GET', new Error('reset'), true)
    expect(ledger).toMatchObject({ errorCount: 1, victims: 1, errors: ['GET: reset'] })
  })
  it('a wrong answer is an error, crash or not', () => {
    const ledger = new Ledger()
    ledger.crash()
    ledger.failed('GET', new Error('status 500'), false)
    expect(ledger).toMatchObject({ errorCount: 1, victims: 0 })
  })
  it('access log, is compared with the answers by number', () => {
    const ledger = new Ledger()
    const [kept, lost, doubled, other, aborted] = [1, 2, 3, 4, 5].map(() => ledger.next())
    for (const id of [kept!, lost!, doubled!, other!]) ledger.answered(id, 200)
    const lines = [
      `${kept} 200 5`,
      `${doubled} 200 5`,
      `${doubled} 200 5`,
      `${other} 502 5`,
      `${aborted} 499 0`,
      '- 400 0',
    ]
    expect(ledger.compareLog(`${lines.join('\n')}\n`)).toEqual({
      lines: 6,
      answered: 4,
      missing: 1,
      lostInCrash: 0,
      twice: 1,
      otherStatus: 1,
    })
  })
  it('a line is missing near a crash, it died with the worker', () => {
    const ledger = new Ledger()
    ledger.answered(ledger.next(), 200)
    ledger.crash()
    expect(ledger.compareLog('')).toMatchObject({ missing: 0, lostInCrash: 1 })
  })
  it('buffered log, may lack only what was in the buffer of a worker that crashed', () => {
    const ledger = new Ledger()
    const [kept, lost] = [ledger.next(), ledger.next()]
    for (const id of [kept, lost]) {
      ledger.answered(id, 200)
      ledger.buffered.add(id)
    }
    expect(ledger.compareBuffered(`${kept} 200 1\n`)).toBe(1)
    ledger.crash()
    expect(ledger.compareBuffered(`${kept} 200 1\n`)).toBe(0)
    expect(ledger.compareBuffered(`${kept} 200 1\n${kept} 200 1\n`)).toBe(1)
  })
  it('more requests than there was room for, all are known', () => {
    const ledger = new Ledger()
    let last = 0
    while (ledger.issued < 70_000) ledger.answered((last = ledger.next()), 200)
    expect(ledger.compareLog(`${last} 200 1\n`)).toMatchObject({ answered: 70_000, missing: 69_999 })
  })
})

function sample(resident: number, descriptors = 40, active = 0, heap = 10 * MIB): Sample {
  const row = {
    accepted: 9,
    handled: 9,
    requests: 9,
    active,
    upstream: 0,
    reading: 0,
    writing: 0,
    waiting: 0,
  }
  return {
    time: 0,
    resident,
    descriptors,
    threads: 9,
    inside: { rows: [row], heaps: { 1: heap, master: heap }, committed: {}, peers: {}, workers: 2 },
  }
}

function outcome(samples: Sample[], change: Partial<Outcome> = {}): Outcome {
  return {
    before: sample(50 * MIB),
    after: sample(90 * MIB),
    samples,
    requests: 10,
    errors: 0,
    victims: 1,
    crashes: 1,
    reloads: 1,
    reopens: 1,
    alarms: [],
    buffered: 0,
    log: { lines: 10, answered: 9, missing: 0, lostInCrash: 0, twice: 0, otherStatus: 0 },
    ...change,
  }
}

const steady = Array.from({ length: 60 }, (_, second) => sample((second < 10 ? 60 : 90) * MIB, 80, 20))
const failing = (list: ReturnType<typeof verdicts>) =>
  list.filter(({ good }) => good === false).map(({ measure }) => measure)

describe('verdicts', () => {
  it('everything is back and memory is level after the warm-up, all is well', () => {
    expect(failing(verdicts(outcome(steady)))).toEqual([])
    expect(passed(verdicts(outcome(steady)))).toBe(true)
  })
  it('memory grows all the time, it fails', () => {
    const growing = steady.map((_, second) => sample((60 + second) * MIB, 80, 20))
    expect(failing(verdicts(outcome(growing)))).toEqual(['resident memory'])
  })
  it('the live heap grows, it fails for worker and master', () => {
    const growing = steady.map((_, second) => sample(90 * MIB, 80, 20, (10 + second / 10) * MIB))
    expect(failing(verdicts(outcome(growing)))).toEqual([
      'live heap, worker that lives throughout',
      'live heap, master',
    ])
  })
  it.each([
    ['descriptors', { after: sample(90 * MIB, 41) }],
    ['shared counter: active', { after: sample(90 * MIB, 40, 1) }],
    ['shared counter: active', { after: sample(90 * MIB, 40, -1), before: sample(90 * MIB, 40, -2) }],
    ['wrong or lost answers', { errors: 1 }],
    ['alerts in the error log', { alarms: ['[alert] x'] }],
  ])('%s is not back, it fails', (measure, change) => {
    expect(failing(verdicts(outcome(steady, change)))).toEqual([measure])
  })
  it('the counters are not known at the end, each fails', () => {
    const list = verdicts(outcome(steady, { after: { ...sample(90 * MIB), inside: null } }))
    expect(failing(list)).toEqual(OPEN.map((counter) => `shared counter: ${counter}`))
  })
})

describe('report', () => {
  it('table, has a row for each measure and says what failed', () => {
    const list = verdicts(outcome(steady, { errors: 3 }))
    const lines = textTable(list).split('\n')
    expect(lines).toHaveLength(list.length + 1)
    expect(lines[1]).toMatch(/^wrong or lost answers +3 +FAILED: must be 0$/)
  })
  it('Markdown, every row of a table has the same number of cells', () => {
    const list = verdicts(outcome(steady))
    const text = markdownReport('title', outcome(steady), list, new Map([['GET', 5]]))
    const rows = text.split('\n').filter((line) => line.startsWith('|'))
    expect(new Set(rows.slice(0, -3).map((row) => row.split('|').length)).size).toBe(1)
    expect(rows.at(-1)).toBe('| GET | 5 |')
  })
})
