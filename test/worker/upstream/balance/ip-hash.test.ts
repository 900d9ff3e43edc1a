// Against nginx itself, ip_hash is compared in test/parity/balancing.test.ts.

import { describe, expect, it } from 'vitest'
import type { Request } from '../../../../src/worker/http/request.ts'
import { hashedBytes, IpHash } from '../../../../src/worker/upstream/balance/ip-hash.ts'
import { makePeers, sequence, weighted } from '../../../support/peers.ts'

const NOW = 1e9
const from = (remoteAddress: string) => ({ remoteAddress }) as Request

describe('bytes of an address that count', () => {
  it.each([
    ['192.0.2.77', [192, 0, 2]],
    ['255.254.253.1', [255, 254, 253]],
    ['2001:db8::1', [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]],
    ['fe80::1%eth0', [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]],
    ['unix:', [0, 0, 0]],
  ])('%s', (address, bytes) => {
    expect(hashedBytes(address)).toEqual(bytes)
  })
})

describe('IpHash', () => {
  it('sends a network of 256 addresses to one peer, and networks to all peers', () => {
    const balancer = new IpHash(weighted(1, 1, 1))
    const picks = new Set<string>()
    for (let network = 0; network < 50; network++) {
      const own = new Set(
        [0, 1, 100, 255].map((host) => sequence(balancer, 2, from(`10.0.${network}.${host}`))),
      )
      expect(own.size).toBe(1)
      picks.add([...own][0]!)
    }
    expect([...picks].sort()).toEqual(['aa', 'bb', 'cc'])
  })

  it('tells all of two IPv6 addresses apart', () => {
    const balancer = new IpHash(weighted(1, 1))
    const picks = Array.from({ length: 40 }, (_, host) => sequence(balancer, 1, from(`2001:db8::${host}`)))
    expect(new Set(picks).size).toBe(2)
  })

  it('finds another peer for clients of one that is down, and leaves the others where they are', () => {
    const peers = makePeers([{}, {}, {}])
    const clients = Array.from({ length: 60 }, (_, network) => from(`10.${network}.0.1`))
    const before = clients.map((client) => sequence(new IpHash(peers), 1, client))
    const without = peers.map((peer) => (peer.name === 'b' ? { ...peer, down: true } : peer))
    const after = clients.map((client) => sequence(new IpHash(without), 1, client))
    expect(after).not.toContain('b')
    expect(after.filter((name, index) => name !== before[index])).toHaveLength(
      before.filter((name) => name === 'b').length,
    )
  })

  it('tries every peer once for a request', () => {
    const peers = weighted(1, 1, 1)
    const picker = new IpHash(peers).begin(from('192.0.2.1'))
    const tried = new Set<(typeof peers)[number]>()
    for (let count = 0; count < 3; count++) tried.add(picker.pick(tried, NOW)!)
    expect(tried.size).toBe(3)
    expect(picker.pick(tried, NOW)).toBeNull()
  })

  it('goes round where the hash finds a peer of great weight only that is out', () => {
    const balancer = new IpHash(makePeers([{ weight: 1_000_000, down: true }, {}, {}]))
    expect(sequence(balancer, 4, from('192.0.2.1'))).toBe('bcbc')
  })
})
