import { describe, expect, it } from 'vitest'
import { StapleStore } from '../../../src/worker/tls/stapling.ts'

const NOW = Date.now()
const response = Buffer.from('response')

describe('the responses a worker knows', () => {
  it('are found by their keys until they expire', () => {
    const store = new StapleStore()
    store.use({ a: { response, until: NOW + 60_000 }, b: { response, until: Number.POSITIVE_INFINITY } })
    expect(store.find({ key: 'a' }, NOW)).toEqual(response)
    expect(store.find({ key: 'a' }, NOW + 60_001)).toBeNull()
    expect(store.find({ key: 'b' }, NOW + 1e12)).toEqual(response)
    expect(store.find({ key: 'c' }, NOW)).toBeNull()
  })

  it('stay when there are others, and change when there are newer ones', () => {
    const store = new StapleStore()
    const newer = Buffer.from('newer')
    store.use({ a: { response, until: NOW + 60_000 } })
    store.use({ b: { response, until: NOW + 60_000 } })
    expect(store.find({ key: 'a' }, NOW)).toEqual(response)
    store.use({ a: { response: newer, until: NOW + 60_000 } })
    expect(store.find({ key: 'a' }, NOW)).toEqual(newer)
  })

  it('are not needed where the configuration has them', () => {
    expect(new StapleStore().find({ response }, NOW)).toBe(response)
  })
})
