// The command line of the bench.

import { describe, expect, it } from 'vitest'
import { helpText, parseOptions, UsageError } from '../../bench/options.ts'
import { scenarios } from '../../bench/scenarios/index.ts'

describe('parseOptions', () => {
  it('no arguments, every scenario on both proxies', () => {
    expect(parseOptions([], scenarios)).toEqual({
      scenarios,
      partial: false,
      rounds: 5,
      seconds: 5,
      only: null,
      load: null,
      backend: null,
      out: null,
    })
  })
  it('--scenario repeated and with commas, keeps the order of the report', () => {
    const options = parseOptions(['-s', '1m', '--scenario', '1k,idle'], scenarios)!
    expect(options.scenarios.map((scenario) => scenario.name)).toEqual(['1k', '1m', 'idle'])
    expect(options.partial).toBe(true)
  })
  it('--only, makes the run a partial one', () => {
    expect(parseOptions(['--only', 'weir', '--rounds', '2'], scenarios)).toMatchObject({
      only: 'weir',
      partial: true,
      rounds: 2,
    })
  })
  it('--help, gives null', () => {
    expect(parseOptions(['--help'], scenarios)).toBeNull()
  })
  it.each([
    [['--scenario', '2k'], 'no scenario "2k"; there are 1k,'],
    [['--only', 'apache'], '--only takes weir or nginx, not "apache"'],
    [['--load', 'ab'], '--load takes autocannon or wrk, not "ab"'],
    [['--rounds', '0'], '--rounds takes a number from 1 to 9999, not "0"'],
    [['--seconds', '1.5'], '--seconds takes a number from 1 to 9999, not "1.5"'],
    [['--fast'], '--fast'],
  ])('%j, is refused with the reason', (args, reason) => {
    expect(() => parseOptions(args, scenarios)).toThrow(UsageError)
    expect(() => parseOptions(args, scenarios)).toThrow(reason)
  })
})

describe('helpText', () => {
  it('names every scenario with its title', () => {
    const text = helpText(scenarios)
    const lines = text.split('\n').map((line) => line.trim().split(/ {2,}/))
    for (const { name, title } of scenarios) expect(lines).toContainEqual([name, title])
  })
})

describe('scenarios', () => {
  it('have different names', () => {
    expect(new Set(scenarios.map((scenario) => scenario.name)).size).toBe(scenarios.length)
  })
})
