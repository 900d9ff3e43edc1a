import { describe, expect, it } from 'vitest'
import { Response } from '../../../src/worker/http/response.ts'

function response(...fields: [string, string][]): Response {
  const made = new Response()
  for (const [name, value] of fields) made.add(name, value)
  return made
}

describe('Response', () => {
  it('keeps fields in the order they were added', () => {
    expect(response(['A', '1'], ['B', '2'], ['A', '3']).lines).toBe('A: 1\r\nB: 2\r\nA: 3\r\n')
  })

  it('finds the first of a name in any case, and only whole names', () => {
    const made = response(['X-Ab', '1'], ['AB', '2'], ['ab', '3'], ['C', ''])
    expect(made.get('ab')).toBe('2')
    expect(made.get('ab')).toBe('2')
    expect(made.get('x-ab')).toBe('1')
    expect(made.get('c')).toBe('')
    expect(made.get('b')).toBeNull()
  })

  it('does not take a value for a field', () => {
    expect(response(['A', 'B: 1']).get('b')).toBeNull()
  })

  it('removes all of a name and nothing else', () => {
    const made = response(['A', '1'], ['B', '2'], ['a', '3'], ['AB', '4'])
    made.remove('a')
    expect(made.lines).toBe('B: 2\r\nAB: 4\r\n')
    made.remove('a')
    made.remove('ab')
    expect(made.lines).toBe('B: 2\r\n')
  })

  it('takes characters of a name literally', () => {
    const made = response(['aXb', '1'], ['a.b', '2'], ['a_b', '3'])
    expect(made.get('a.b')).toBe('2')
    made.remove('a.b')
    expect(made.lines).toBe('aXb: 1\r\na_b: 3\r\n')
  })

  it('cleared knows nothing but its status', () => {
    const made = response(['A', '1'])
    made.status = 404
    made.statusLine = '404 Nope'
    made.contentType = 'a/b'
    made.contentLength = 5
    made.lastModified = 'x'
    made.location = '/'
    made.clear()
    expect({ ...made }).toEqual({ ...new Response(), status: 404 })
  })
})
