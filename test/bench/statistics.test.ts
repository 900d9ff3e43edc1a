// The figures of the bench: medians, percentiles and how numbers are shown.

import { describe, expect, it } from 'vitest'
import { median, percentile, readable, spread } from '../../bench/statistics.ts'

describe('median', () => {
  it('odd count, gives the middle value whatever the order', () => {
    expect(median([9, 1, 100])).toBe(9)
  })
  it('even count, gives the mean of the two middle values', () => {
    expect(median([4, 1, 3, 2])).toBe(2.5)
  })
  it('does not change the list it is given', () => {
    const values = [3, 1, 2]
    median(values)
    expect(values).toEqual([3, 1, 2])
  })
  it('empty list, is not a number', () => {
    expect(median([])).toBeNaN()
  })
})

describe('percentile', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index)
  it('nearest rank of a hundred values', () => {
    expect(percentile(hundred, 0.5)).toBe(50)
    expect(percentile(hundred, 0.99)).toBe(99)
    expect(percentile(hundred, 1)).toBe(100)
  })
  it('one value, is that value for every share', () => {
    expect(percentile([7], 0)).toBe(7)
    expect(percentile([7], 0.99)).toBe(7)
  })
})

describe('spread', () => {
  it('is the range over the median', () => {
    expect(spread([9, 10, 12])).toBeCloseTo(0.3)
  })
})

describe('readable', () => {
  it.each([
    [0.984, '0.98'],
    [17.44, '17.4'],
    [412.4, '412'],
    [12345, '12 345'],
    [1234567, '1 234 567'],
    [Number.NaN, '-'],
  ])('%d is shown as "%s"', (value, text) => {
    expect(readable(value)).toBe(text)
  })
})
