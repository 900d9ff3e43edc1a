import { describe, expect, it } from 'vitest'
import { type Fields, hashName, NameSet, nextHash, sameName } from '../../../src/worker/http/fields.ts'
import { RequestHead } from '../../../src/worker/http1/request-head.ts'
import { ResponseHead } from '../../../src/worker/http1/response-head.ts'

/** Fields as a backend sends them. */
function received(lines: string): Fields {
  const head = new ResponseHead()
  expect(head.read(`HTTP/1.1 200 OK\r\n${lines}\r\n`)).toBeGreaterThan(0)
  return head.fields
}
/** Fields as a client sends them. */
function requested(lines: string): Fields {
  const head = new RequestHead()
  expect(head.read(`GET / HTTP/1.1\r\nHost: a\r\n${lines}\r\n`)).toBeGreaterThan(0)
  return head.fields
}
const none = new NameSet([])

describe('Fields', () => {
  it('finds a field by its name in any case, the first of several', () => {
    const fields = received('A: 1\r\nX-Long-Name: two\r\na: 3\r\nEmpty:\r\n')
    expect(fields.get('a')).toBe('1')
    expect(fields.get('x-long-name')).toBe('two')
    expect(fields.get('empty')).toBe('')
    expect(fields.get('b')).toBeNull()
    expect(fields.indexOf('a', hashName('a'), 1)).toBe(2)
    expect(fields.count).toBe(4)
  })

  it('joins all values of a name', () => {
    const fields = received('Via: a\r\nX: -\r\nVIA: b\r\nvia:\r\n')
    expect(fields.join('via', hashName('via'), ', ')).toBe('a, b, ')
    expect(fields.join('via', hashName('via'), '; ')).toBe('a; b; ')
    expect(fields.join('none', hashName('none'), ', ')).toBeNull()
  })

  it('values have no blanks around them, names keep their case', () => {
    const fields = received('A:   b c   \r\nB:\tx\ty\t \r\n')
    expect([fields.name(0), fields.value(0), fields.name(1), fields.value(1)]).toEqual([
      'A',
      'b c',
      'B',
      'x\ty',
    ])
  })

  it('forgets everything on reset', () => {
    const fields = received('A: 1\r\n')
    fields.reset('')
    expect(fields.get('a')).toBeNull()
    expect(fields.lines(none)).toBe('')
  })
})

describe('lines', () => {
  it.each([
    ['nothing', '', [], ''],
    ['all', 'A: 1\r\nB: 2\r\n', [], 'A: 1\r\nB: 2\r\n'],
    ['without the first', 'A: 1\r\nB: 2\r\nC: 3\r\n', ['a'], 'B: 2\r\nC: 3\r\n'],
    ['without one in the middle', 'A: 1\r\nB: 2\r\nC: 3\r\n', ['B'], 'A: 1\r\nC: 3\r\n'],
    ['without the last', 'A: 1\r\nB: 2\r\nC: 3\r\n', ['c'], 'A: 1\r\nB: 2\r\n'],
    ['without any', 'A: 1\r\nB: 2\r\n', ['a', 'b'], ''],
    ['without all of a name', 'A: 1\r\nB: 2\r\na: 3\r\n', ['A'], 'B: 2\r\n'],
    ['in the middle not in its usual form', 'A: 1\r\nB:2\r\nC: 3\r\n', [], 'A: 1\r\nB: 2\r\nC: 3\r\n'],
    ['with blanks after the value', 'A: 1 \r\nB: 2\r\n', [], 'A: 1\r\nB: 2\r\n'],
    ['with several spaces before the value', 'A:  1\r\nB:   2\r\n', [], 'A: 1\r\nB: 2\r\n'],
    ['with an empty value', 'A:\r\nB: \r\nC: 3\r\n', [], 'A: \r\nB: \r\nC: 3\r\n'],
    ['skipped next to an unusual one', 'A:1\r\nB: 2\r\nC:3\r\n', ['b'], 'A: 1\r\nC: 3\r\n'],
    ['with a colon in the value', 'A: b: c\r\n', [], 'A: b: c\r\n'],
    [
      'with a name that begins like a skipped one',
      'Date-X: 1\r\nDat: 2\r\nDate: 3\r\n',
      ['date'],
      'Date-X: 1\r\nDat: 2\r\n',
    ],
  ])('%s', (_what, given, skip, expected) => {
    expect(received(given).lines(new NameSet(skip))).toBe(expected)
  })

  it('leaves out fields of a request with odd names, wherever they stand', () => {
    const fields = requested('X_A: 1\r\nB: 2\r\nX.C: 3\r\nX_D: 4\r\nE: 5\r\n')
    expect(fields.lines(new NameSet(['host']))).toBe('B: 2\r\nE: 5\r\n')
    expect(fields.get('x_a')).toBeNull()
  })

  it('passes odd names of a response', () => {
    expect(received('X_A: 1\r\nB: 2\r\n').lines(none)).toBe('X_A: 1\r\nB: 2\r\n')
  })

  it('is right whatever text follows the head', () => {
    const head = new ResponseHead()
    head.read('HTTP/1.1 200 OK\r\nA: 1\r\n\r\nB: smuggled\r\n')
    expect(head.fields.lines(none)).toBe('A: 1\r\n')
  })
})

describe('NameSet', () => {
  it('takes names in any case and tells names of one hash apart', () => {
    const set = new NameSet(['Content-Type', 'x-b'])
    const has = (name: string) => set.has(hashName(name.toLowerCase()), name, 0, name.length)
    expect([has('content-type'), has('CONTENT-TYPE'), has('X-B'), has('x-c'), has('')]).toEqual([
      true,
      true,
      true,
      false,
      false,
    ])
    // The same hash, another name.
    expect(hashName('aB'.toLowerCase())).toBe(hashName('ab'))
    expect(set.has(hashName('x-b'), 'x-c', 0, 3)).toBe(false)
  })
})

describe('sameName', () => {
  it('compares a part of a text in any case', () => {
    expect(sameName('..Host..', 2, 6, 'host')).toBe(true)
    expect(sameName('..Host..', 2, 5, 'host')).toBe(false)
    expect(sameName('..Hose..', 2, 6, 'host')).toBe(false)
  })

  it('hashes upper and lower case alike', () => {
    expect(nextHash(7, 65)).toBe(nextHash(7, 97))
  })
})
