import { describe, expect, it } from 'vitest'
import {
  formatAddress,
  NetworkSet,
  parseAddress,
  parseAddressPort,
  parseNetwork,
} from '../../../src/worker/http/address.ts'

describe('an address', () => {
  it.each([
    ['0.0.0.0', '0.0.0.0'],
    ['255.255.255.254', '255.255.255.254'],
    ['010.1.1.1', '10.1.1.1'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['1:0:0:2::3', '1:0:0:2::3'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['2001:DB8::A', '2001:db8::a'],
    ['::ffff:1.2.3.4', '::ffff:1.2.3.4'],
    ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
  ])('%s is written %s', (text, written) => {
    expect(formatAddress(parseAddress(text)!)).toBe(written)
  })

  it.each([
    ...[
      '',
      '1.2.3',
      '1.2.3.4.5',
      '1.2.3.256',
      '255.255.255.255',
      'a.b.c.d',
      ':',
      ':::',
      '1::2::3',
      '1:2',
      '12345::',
    ],
    ...['1:2:3:4:5:6:7:8:9', '1:2:3:4:5:6:7:1.2.3.4', '::1.2.3', 'localhost', '1.2.3.4 ', '1:2:3:4:5:6:7:'],
  ])('%j is none', (text) => {
    expect(parseAddress(text)).toBeNull()
  })

  it.each([
    ['1.2.3.4:80', '1.2.3.4', 80],
    ['[::1]:65535', '::1', 65535],
    ['::1', '::1', 0],
  ])('%s has a port, or none', (text, address, port) => {
    const parsed = parseAddressPort(text)!
    expect([formatAddress(parsed.address), parsed.port]).toEqual([address, port])
  })
})

describe('a set of networks', () => {
  const set = new NetworkSet()
  for (const text of ['10.0.0.0/8', '192.0.2.128/25', '198.51.100.7', '2001:db8::/33', 'fe80::/10']) {
    set.add(parseNetwork(text)!)
  }

  it.each([
    ['10.255.0.1', true],
    ['11.0.0.0', false],
    ['192.0.2.127', false],
    ['192.0.2.128', true],
    ['198.51.100.7', true],
    ['198.51.100.8', false],
    ['::ffff:10.1.2.3', true],
    ['::10.1.2.3', false],
    ['2001:db8:7fff::1', true],
    ['2001:db8:8000::1', false],
    ['febf::1', true],
    ['fec0::1', false],
  ])('has %s: %s', (text, expected) => {
    expect(set.has(parseAddress(text)!)).toBe(expected)
  })

  it('of no bits has every address of its family', () => {
    const all = new NetworkSet()
    all.add(parseNetwork('0.0.0.0/0')!)
    expect([all.has(parseAddress('203.0.113.1')!), all.has(parseAddress('::1')!)]).toEqual([true, false])
  })

  it('tells whether bits behind the prefix are set', () => {
    expect(parseNetwork('10.0.0.1/8')?.exact).toBe(false)
    expect(parseNetwork('10.0.0.0/8')?.exact).toBe(true)
    expect(parseNetwork('10.0.0.0/33')).toBeNull()
  })
})
