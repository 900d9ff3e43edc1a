// Rounds made into outcomes, and outcomes into tables and chart.

import { describe, expect, it } from 'vitest'
import { ratioChart } from '../../bench/chart.ts'
import { loadOutcome, type Outcome, type Round, type Run } from '../../bench/result.ts'
import { baseline } from '../../bench/scenario.ts'
import { markdown, textTables } from '../../bench/table.ts'

/** A round of `requests` requests in two seconds that cost `each` microseconds of CPU. */
function round(requests: number, each: number, errors = 0): Round {
  return { requests, seconds: 2, p50: 1.5, p99: 4, errors, cpuMicroseconds: requests * each }
}

function runOf(...outcomes: Outcome[]): Run {
  return {
    date: '2026-01-02T03:04:05.000Z',
    machine: { cpu: 'Test & CPU', cores: 2, memoryGiB: 8, kernel: '6.1', node: '26.0.0', nginx: '1.22.1' },
    load: 'wrk',
    backend: 'nginx',
    pinned: true,
    rounds: 3,
    seconds: 2,
    notes: [],
    outcomes,
  }
}

const both = loadOutcome(baseline, {
  weir: [round(100_000, 20), round(90_000, 90), round(110_000, 18)],
  nginx: [round(100_000, 19), round(100_000, 16), round(100_000, 70)],
})
const weirAlone = loadOutcome(baseline, { weir: [round(100_000, 20, 3)] })
const missed = loadOutcome(
  { ...baseline, title: 'slow <case>' },
  { weir: [round(10, 40)], nginx: [round(10, 20)] },
)

describe('loadOutcome', () => {
  it('takes medians over the rounds, so one disturbed round does not count', () => {
    expect(both.proxies.weir).toMatchObject({
      requestsPerSecond: 50_000,
      cpuPerRequest: 20,
      p50: 1.5,
      p99: 4,
      busy: 1,
    })
    expect(both.proxies.nginx?.cpuPerRequest).toBe(19)
  })
  it('ratio is nginx CPU over weir CPU', () => {
    expect(both.ratio).toBeCloseTo(0.95)
  })
  it('one proxy only, has no ratio', () => {
    expect(weirAlone.ratio).toBeNull()
    expect(weirAlone.proxies.nginx).toBeUndefined()
  })
  it('adds up the errors of all rounds', () => {
    expect(loadOutcome(baseline, { weir: [round(1, 1, 2), round(1, 1, 3)] }).proxies.weir?.errors).toBe(5)
  })
})

describe('textTables', () => {
  it('both proxies, shows a row for each and the ratio once', () => {
    const lines = textTables([both]).split('\n')
    expect(lines).toHaveLength(4)
    expect(lines[2]).toMatch(
      /^1 KiB GET, access log on +weir +50 000 +1\.50 +4\.00 +20\.0 +0\.95 +>= 0\.95 reached$/,
    )
    expect(lines[3]).toMatch(/^ +nginx +50 000 +1\.50 +4\.00 +19\.0$/)
  })
  it('ratio below the target, says so', () => {
    expect(textTables([missed])).toContain('0.50  >= 0.95 missed')
  })
  it('weir alone, shows the target without a verdict and the errors beside the name', () => {
    const text = textTables([weirAlone])
    expect(text).toContain('weir (3 errors)')
    expect(text).not.toMatch(/reached|missed/)
  })
  it('idle connections, have a table of their own', () => {
    const figures = {
      connections: 10_000,
      before: 50 * 2 ** 20,
      after: 90 * 2 ** 20,
      bytesPerConnection: 4194.3,
    }
    const idle: Outcome = { kind: 'idle', name: 'idle', title: 'idle', proxies: { weir: figures } }
    const [load, memory] = textTables([both, idle]).split('\n\n')
    expect(load).not.toContain('idle')
    expect(memory).toMatch(/10 000 idle keepalive connections +weir +50\.0 MiB +90\.0 MiB +4 194$/)
  })
})

describe('start', () => {
  it('has a table of its own, in milliseconds', () => {
    const start: Outcome = {
      kind: 'start',
      name: 'start',
      title: 'many servers',
      proxies: {
        weir: { check: 500.4, answer: 812, resident: 200 * 2 ** 20 },
        nginx: { check: 62.1, answer: 70, resident: 70 * 2 ** 20 },
      },
    }
    const [, table] = textTables([both, start]).split('\n\n')
    expect(table).toMatch(/many servers +weir +500 +812 +200\.0 MiB\n +nginx +62\.1 +70\.0 +70\.0 MiB$/)
  })
})

describe('markdown', () => {
  it('every row of a table has the same number of cells', () => {
    const rows = markdown(runOf(both, missed))
      .split('\n')
      .filter((line) => line.startsWith('|'))
    expect(rows).toHaveLength(6)
    expect(new Set(rows.map((row) => row.split('|').length)).size).toBe(1)
  })
})

describe('ratioChart', () => {
  it('one bar, one target and one value for each scenario with a ratio', () => {
    const svg = ratioChart(runOf(both, weirAlone, missed))!
    expect(svg.match(/<rect /g)).toHaveLength(2)
    expect(svg.match(/class="target"/g)).toHaveLength(2)
    expect(svg).toContain('class="reached"')
    expect(svg).toContain('class="missed"')
    expect(svg).toContain('>0.50</text>')
  })
  it('bar length is in proportion to the ratio', () => {
    const widths = [...ratioChart(runOf(both, missed))!.matchAll(/<rect .*?width="([\d.]+)"/g)].map((bar) =>
      Number(bar[1]),
    )
    expect(widths[0]! / widths[1]!).toBeCloseTo(0.95 / 0.5, 2)
  })
  it('titles with markup characters, are escaped', () => {
    const svg = ratioChart(runOf(missed))!
    expect(svg).toContain('slow &lt;case&gt;')
    expect(svg).toContain('Test &amp; CPU')
  })
  it('no ratio at all, there is no chart', () => {
    expect(ratioChart(runOf(weirAlone))).toBeNull()
  })
})
