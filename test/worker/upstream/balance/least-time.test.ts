import { describe, expect, it } from 'vitest'
import { LeastTime } from '../../../../src/worker/upstream/balance/least-time.ts'
import { type Measured, ResponseTimes } from '../../../../src/worker/upstream/balance/response-times.ts'
import { makePeers, sequence, weighted } from '../../../support/peers.ts'

const NOW = 1e9

/** Peers of which the last response took these times, tried just now. */
function timed(times: number[], weights = times.map(() => 1), measured: Measured = 'header') {
  const peers = weighted(...weights)
  const timing = new ResponseTimes(measured, false)
  for (const [index, time] of times.entries()) {
    peers[index]!.state.checked = NOW
    timing.end(peers[index]!.state, 'ok', time, time, NOW)
  }
  return { peers, timing, balancer: new LeastTime(peers, timing) }
}

describe('LeastTime', () => {
  it('goes round where nothing is known', () => {
    expect(sequence(timed([0, 0, 0]).balancer, 6)).toBe('abcabc')
  })

  it('takes the fastest', () => {
    expect(sequence(timed([200, 100, 300]).balancer, 4)).toBe('bbbb')
  })

  it('goes round peers whose times are 20 milliseconds apart at most', () => {
    expect(sequence(timed([100, 119, 120]).balancer, 4)).toBe('abab')
  })

  it('goes round peers that take more than 5 seconds', () => {
    expect(sequence(timed([6000, 9000]).balancer, 4)).toBe('abab')
  })

  it('counts the requests a peer has', () => {
    const { peers, balancer } = timed([60, 180])
    peers[0]!.state.take(0)
    expect(sequence(balancer, 2)).toBe('aa')
    peers[0]!.state.take(0)
    expect(sequence(balancer, 2)).toBe('bb')
  })

  it('counts weights', () => {
    expect(sequence(timed([180, 80], [3, 1]).balancer, 3)).toBe('aaa')
  })

  it('measures to the head, or to the last byte', () => {
    for (const [measured, expected] of [
      ['header', 'aa'],
      ['last_byte', 'bb'],
    ] as const) {
      const { peers, timing, balancer } = timed([0, 0], [1, 1], measured)
      timing.end(peers[0]!.state, 'ok', 100, 900, NOW)
      timing.end(peers[1]!.state, 'ok', 300, 400, NOW)
      expect(sequence(balancer, 2)).toBe(expected)
    }
  })

  it('gives a slow peer that was not asked for several fail_timeouts another chance', () => {
    const { peers, balancer } = timed([4000, 500])
    peers[1]!.state.checked = NOW + 70_000
    expect(balancer.pick(null, NOW + 11_000)!.name).toBe('b')
    expect(balancer.pick(null, NOW + 45_000)!.name).toBe('a')
  })

  it('leaves out what other methods leave out', () => {
    const peers = makePeers([{ down: true }, { maxConns: 1 }, {}, {}])
    peers[1]!.state.take(1)
    const balancer = new LeastTime(peers, new ResponseTimes('header', false))
    expect(balancer.pick(new Set([peers[3]!]), NOW)).toBe(peers[2])
    expect(balancer.pick(new Set([peers[2]!, peers[3]!]), NOW)).toBeNull()
  })
})

describe('averages of response times', () => {
  const timing = new ResponseTimes('last_byte', false)

  it('begin with the first response; the last one counts for a twentieth', () => {
    const [{ state }] = weighted(1) as [ReturnType<typeof weighted>[number]]
    timing.end(state, 'ok', 40, 100, NOW)
    expect([state.headerTime, state.responseTime]).toEqual([40, 100])
    timing.end(state, 'ok', 240, 1100, NOW)
    expect([state.headerTime, state.responseTime]).toEqual([50, 150])
  })

  it.each([
    ['failed', 40],
    ['next', 40],
    ['ok', -1],
  ] as const)('say nothing of an attempt that ended "%s" after a head at %d', (outcome, head) => {
    const [{ state }] = weighted(1) as [ReturnType<typeof weighted>[number]]
    timing.end(state, outcome, head, 100, NOW)
    expect([state.headerTime, state.responseTime]).toEqual([0, 0])
  })
})

describe('LeastTime with inflight', () => {
  /** Two peers that took 100 ms each so far. */
  function inflight(measured: Measured) {
    const peers = weighted(1, 1)
    const timing = new ResponseTimes(measured, true)
    for (const { state } of peers) {
      state.checked = NOW
      state.headerTime = state.responseTime = 100
    }
    return { peers, timing, balancer: new LeastTime(peers, timing) }
  }

  it('leaves a peer alone that has not answered for longer than it usually takes', () => {
    const { peers, timing, balancer } = inflight('header')
    const [a, b] = peers
    expect(balancer.pick(null, NOW)).toBe(a)
    expect(a!.state.inflight).toBe(1)
    // Nothing else is at either of them: without inflight both would be as good.
    expect(balancer.pick(null, NOW + 2000)).toBe(b)
    timing.head(b!.state, 100, NOW + 2100)
    expect(balancer.pick(null, NOW + 2100)).toBe(b)
  })

  it.each([
    ['header', 0],
    ['last_byte', 1],
  ] as const)('%s: the head of a response leaves %d in flight', (measured, left) => {
    const { peers, timing, balancer } = inflight(measured)
    const { state } = balancer.pick(null, NOW) ?? peers[0]!
    timing.head(state, 50, NOW + 50)
    expect(state.inflight).toBe(left)
    timing.end(state, 'ok', 50, 80, NOW + 80)
    expect(state.inflight).toBe(0)
    // The head counts once.
    expect([state.headerTime, state.responseTime]).toEqual([98, 99])
  })

  it('lands a request that fails before the head', () => {
    const { peers, timing, balancer } = inflight('header')
    const { state } = balancer.pick(null, NOW) ?? peers[0]!
    timing.end(state, 'failed', -1, 10, NOW + 10)
    expect([state.inflight, state.headerTime]).toEqual([0, 100])
  })

  it('averages what several requests have taken', () => {
    const { peers, timing } = inflight('last_byte')
    const { state } = peers[0]!
    timing.start(state, NOW)
    timing.start(state, NOW + 100)
    timing.review(state, NOW + 200)
    // 200 and 100 ms: 50 of the time before the second began, and 100 since.
    expect(state.inflightTime).toBe(150)
    timing.end(state, 'ok', 150, 200, NOW + 200)
    timing.review(state, NOW + 300)
    expect([state.inflight, state.inflightTotal]).toEqual([1, 100])
    expect(state.inflightTime).toBe(153)
  })

  it('never counts below none', () => {
    const { peers, timing } = inflight('last_byte')
    timing.end(peers[0]!.state, 'ok', 1, 2, NOW)
    expect(peers[0]!.state.inflight).toBe(0)
  })
})
