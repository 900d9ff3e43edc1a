import { describe, expect, it } from 'vitest'
import { buildCycle, type ConfModule } from '../../../src/shared/conf/build.ts'
import { MAIN, nextModuleIndex, type Setter } from '../../../src/shared/conf/command.ts'
import { parseText } from '../../../src/shared/conf/parser.ts'
import * as setters from '../../../src/shared/conf/setters.ts'

const options = { prefix: '/prefix/', confPrefix: '/conf/' }

/** What `set` makes of `x ARGS;`, or its error message; several texts are several directives. */
function setting(set: Setter, ...texts: string[]): { value: unknown; warnings: string[] } {
  const module: ConfModule<{ x: unknown }> = {
    name: 'test',
    index: nextModuleIndex(),
    commands: [{ name: 'x', in: MAIN, args: [1, Infinity], repeat: true, set }],
  }
  const tree = texts.flatMap((text) => parseText(`x ${text};`, 'a.conf'))
  try {
    const { root, context } = buildCycle(tree, [module], options)
    return { value: root.conf(module).x, warnings: context.warnings }
  } catch (error) {
    return { value: (error as Error).message, warnings: [] }
  }
}

function value(set: Setter, ...texts: string[]): unknown {
  return setting(set, ...texts).value
}

describe('flag', () => {
  it.each([
    ['on', true],
    ['off', false],
    ['ON', true],
    ['Off', false],
  ])('%s is %s', (text, expected) => {
    expect(value(setters.flag(), text)).toBe(expected)
  })

  it('anything else is invalid', () => {
    expect(value(setters.flag(), 'yes')).toBe(
      'invalid value "yes" in "x" directive, it must be "on" or "off" in a.conf:1',
    )
  })
})

describe('number', () => {
  it.each(['0', '7', '0012', '9223372036854775807'])('%s is one', (text) => {
    expect(value(setters.number(), text)).toBe(Number(text))
  })

  it.each(['-1', '+1', '1.5', '0x10', 'a', '""', '1k', '9223372036854775808'])('%s is none', (text) => {
    expect(value(setters.number(), text)).toBe('"x" directive invalid number in a.conf:1')
  })

  it('stays within its bounds', () => {
    expect(value(setters.number(400, 599), '400')).toBe(400)
    expect(value(setters.number(400, 599), '599')).toBe(599)
    expect(value(setters.number(400, 599), '600')).toBe('value must be between 400 and 599 in a.conf:1')
    expect(value(setters.number(2), '1')).toBe('value must be equal to or greater than 2 in a.conf:1')
  })
})

describe('size and offset', () => {
  it.each([
    ['0', 0],
    ['512', 512],
    ['8k', 8192],
    ['8K', 8192],
    ['1m', 1048576],
    ['1M', 1048576],
  ])('%s is %d bytes in both', (text, expected) => {
    expect(value(setters.size(), text)).toBe(expected)
    expect(value(setters.offset(), text)).toBe(expected)
  })

  it('g is for offsets only', () => {
    expect(value(setters.offset(), '2g')).toBe(2147483648)
    expect(value(setters.size(), '2g')).toBe('"x" directive invalid value in a.conf:1')
  })

  it.each(['k', '1kb', '-1k', '1.5m', 'm1', '""', '9007199254740993m'])('%s is invalid', (text) => {
    expect(value(setters.size(), text)).toBe('"x" directive invalid value in a.conf:1')
  })
})

describe('time', () => {
  const hour = 3_600_000
  it.each([
    ['0', 0],
    ['10', 10_000],
    ['10s', 10_000],
    ['500ms', 500],
    ['1m', 60_000],
    ['1h30m', 1.5 * hour],
    ['1h 30m', 1.5 * hour],
    ['"1h  30m 5"', 1.5 * hour + 5000],
    ['1d', 24 * hour],
    ['1w2d', 9 * 24 * hour],
    ['1s500ms', 1500],
    ['1m30', 90_000],
    ['"60 "', 60_000],
    ['30s5', 35_000],
    ['1ms1', 1001],
    ['" 1"', 1000],
  ])('%s is %d ms', (text, expected) => {
    expect(value(setters.time(), text.includes('"') ? text : `"${text}"`)).toBe(expected)
  })

  it.each([
    '""',
    's',
    '1x',
    '1m1h',
    '1m1m',
    '-1',
    '1.5s',
    '1y',
    '1M',
    '5 5s',
    '5 5ms',
    '99999999999999999999',
  ])('%s is invalid', (text) => {
    expect(value(setters.time(), text.includes('"') ? text : `"${text}"`)).toBe(
      '"x" directive invalid value in a.conf:1',
    )
  })

  it('in seconds knows years and months, but no ms', () => {
    expect(value(setters.timeSeconds(), '1y')).toBe(365 * 24 * hour)
    expect(value(setters.timeSeconds(), '1M1d')).toBe(31 * 24 * hour)
    expect(value(setters.timeSeconds(), '30')).toBe(30_000)
    expect(value(setters.timeSeconds(), '30ms')).toBe('"x" directive invalid value in a.conf:1')
  })
})

describe('words', () => {
  const levels = setters.oneOf({ low: 1, high: 2 })
  const kinds = setters.bitmask({ error: 1, timeout: 2 })

  it('one of several gives its value, in any case', () => {
    expect(value(levels, 'HIGH')).toBe(2)
    expect(value(levels, 'middle')).toBe('invalid value "middle" in a.conf:1')
    expect(value(levels, 'constructor')).toBe('invalid value "constructor" in a.conf:1')
  })

  it('several together give their bits, over all directives', () => {
    expect(value(kinds, 'error Timeout')).toBe(3)
    expect(value(kinds, 'error', 'timeout')).toBe(3)
    expect(value(kinds, 'error nothing')).toBe('invalid value "nothing" in a.conf:1')
  })

  it('one given twice is a warning', () => {
    expect(setting(kinds, 'error error')).toEqual({
      value: 1,
      warnings: ['duplicate value "error" in a.conf:1'],
    })
  })
})

describe('the others', () => {
  it('off or something', () => {
    expect(value(setters.offOr(setters.size()), 'off')).toBe(false)
    expect(value(setters.offOr(setters.size()), '1k')).toBe(1024)
  })

  it('buffers have a count and a size', () => {
    expect(value(setters.buffers(), '8 4k')).toEqual({ count: 8, size: 4096 })
    expect(value(setters.buffers(), '0 4k')).toBe('"x" directive invalid value in a.conf:1')
    expect(value(setters.buffers(), '8 x')).toBe('"x" directive invalid value in a.conf:1')
  })

  it('paths start from the prefix or the configuration', () => {
    expect(value(setters.path(), 'logs/a')).toBe('/prefix/logs/a')
    expect(value(setters.path(), '/a')).toBe('/a')
    expect(value(setters.confPath(), 'cert.pem')).toBe('/conf/cert.pem')
  })

  it('strings and lists gather what is repeated', () => {
    expect(value(setters.string(), 'a')).toBe('a')
    expect(value(setters.strings(), 'a b', 'c')).toEqual(['a', 'b', 'c'])
    expect(value(setters.list(), 'a b', 'c')).toEqual([['a', 'b'], ['c']])
  })
})
