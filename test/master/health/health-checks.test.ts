// What health checks make of peers, as workers see it in the shared slots: over checks in a row, several checks of one
// upstream, reloads and addresses that come and go.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { buildLoaded, type LoadedCycle } from '../../../src/master/cycle.ts'
import { HealthChecks } from '../../../src/master/health/health-checks.ts'
import { Monitor } from '../../../src/master/health/monitor.ts'
import type { Verdict } from '../../../src/master/health/probe.ts'
import { parseText } from '../../../src/shared/conf/parser.ts'
import { type PeerState, PeerZone } from '../../../src/shared/peer-zone.ts'
import { type CheckParts, checkConf, checksOf } from '../../support/health.ts'
import { RawBackend } from '../../support/raw-backend.ts'
import { freePort } from '../../support/temporary.ts'
import { eventually } from '../../support/wait.ts'

const PATHS = { prefix: '/', confFile: '/nginx.conf', confPrefix: '/', errorLog: null }
const FAILING = 'HTTP/1.1 500 Bad\r\nContent-Length: 0\r\n\r\n'
const PASSING = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'
const QUICK = 'health_check interval=1ms'

let backend: RawBackend
let health: HealthChecks
let log: string[]

beforeEach(async () => {
  backend = await RawBackend.start()
  backend.answer = PASSING
  log = []
  health = new HealthChecks((level, message) => log.push(`[${level}] ${message}`))
})
afterEach(async () => {
  health.stop()
  await backend.stop()
})

/** A configuration whose upstream `u` has the backend, or `servers`. */
async function load(location: string, parts: CheckParts = {}, before: LoadedCycle | null = null) {
  const conf = checkConf({ servers: `server ${backend.address};`, ...parts, location })
  const loaded = await buildLoaded({ tree: parseText(conf, 'nginx.conf', '/'), files: [] }, PATHS, before)
  await health.prepare(loaded)
  return loaded
}

/** Checks are those of this configuration from now on. */
async function use(...given: Parameters<typeof load>): Promise<LoadedCycle> {
  const loaded = await load(...given)
  health.use(loaded)
  return loaded
}

function slot(loaded: LoadedCycle, key = backend.address): PeerState {
  return PeerZone.in(loaded.options.zones!['upstream u']!, 0).claim(key, 1)!
}

const settled = (state: PeerState, word: string) => eventually(word, () => state.health === word)

describe('checks in a row', () => {
  it('fails make a peer unhealthy, passes healthy again; one of the other kind begins anew', async () => {
    const answers = [FAILING, PASSING, FAILING, FAILING, PASSING, FAILING, PASSING, PASSING]
    backend.answer = (_request, index) => answers[index] ?? PASSING
    health = new HealthChecks((_level, message) => log.push(`${backend.requests.length} ${message}`))
    const state = slot(await use(`${QUICK} fails=2 passes=2;`))
    health.start()
    await eventually('two changes', () => log.length === 2)
    const rest = `while checking status code, health check "" of peer ${backend.address} in upstream "u"`
    expect(log).toEqual([`4 peer is unhealthy ${rest}`, `8 peer is healthy ${rest}`])
    expect(state.checks.fails).toBe(4)
    expect(state.checks.unhealthy).toBe(1)
    await eventually('more checks', () => state.checks.checks > 8 && state.checks.lastPassed)
  })

  it('what goes wrong is logged each time, what it comes to when it changes', async () => {
    const port = await freePort()
    const match = { http: 'match m { status 200; }', servers: `server 127.0.0.1:${port};` }
    await use(`${QUICK} match=m port=${port} fails=2;`, match)
    health.start()
    await eventually('three checks', () => log.length >= 4)
    const about = `while connecting to upstream, health check "m" of peer 127.0.0.1:${port} in upstream "u", port ${port}`
    const refused = `[error] connect() failed (111: Connection refused) ${about}`
    expect(log.slice(0, 4)).toEqual([refused, refused, `[warn] peer is unhealthy ${about}`, refused])
  })

  it('the next check of a peer waits until the one before is over', async () => {
    const [check] = checksOf(checkConf({ location: `${QUICK};` }))
    const ends: ((verdict: Verdict) => void)[] = []
    const passed = { passed: true, doing: '', error: '' }
    const owner = { checked: () => {} }
    const slow = new Monitor(check!, { start: (done) => ends.push(done), stop: () => {} }, null, owner)
    let others = 0
    const answer = (done: (verdict: Verdict) => void) => {
      others++
      done(passed)
    }
    const quick = new Monitor(check!, { start: answer, stop: () => {} }, null, owner)
    slow.start()
    quick.start()
    await eventually('checks of the other', () => others > 5)
    expect(ends).toHaveLength(1)
    ends[0]!(passed)
    await eventually('the next one', () => ends.length === 2)
    slow.stop()
    quick.stop()
  })

  it('jitter puts checks off', async () => {
    const state = slot(await use('health_check interval=1ms jitter=1h;'))
    health.start()
    const other = new HealthChecks(() => {})
    const loaded = await load('health_check interval=1ms;')
    await other.prepare(loaded)
    other.use(loaded)
    other.start()
    await eventually('ten checks', () => slot(loaded).checks.checks >= 10)
    other.stop()
    expect(state.checks.checks).toBe(0)
  })

  it('servers that are down are not asked', async () => {
    const other = await RawBackend.start()
    const loaded = await use(`${QUICK};`, {
      servers: `server ${backend.address} down; server ${other.address};`,
    })
    health.start()
    await eventually('checks', () => slot(loaded, other.address).checks.checks > 2)
    expect(backend.requests).toEqual([])
    await other.stop()
  })

  it('after stop nothing is asked and nothing is open', async () => {
    backend.answer = ''
    await use(`${QUICK} keepalive_time=1h;`)
    health.start()
    await eventually('request', () => backend.requests.length === 1)
    health.stop()
    await eventually('closed connection', () => backend.open === 0)
    expect(log).toEqual([])
  })
})

describe('a peer that is healthy again', () => {
  it('has no failures any more, and begins slowly where slow_start says so', async () => {
    backend.answer = FAILING
    const state = slot(await use(`${QUICK};`, { servers: `server ${backend.address} slow_start=1m;` }))
    health.start()
    await settled(state, 'unhealthy')
    expect([state.out, state.slowSince]).toEqual([true, 0])
    state.fails = 3
    backend.answer = PASSING
    await settled(state, 'up')
    expect([state.out, state.fails]).toEqual([false, 0])
    expect(state.slowSince).toBeGreaterThan(0)
  })
})

describe('mandatory', () => {
  it('a peer is out from the beginning until its first check has passed', async () => {
    const state = slot(await use(`${QUICK} passes=3 mandatory;`))
    expect([state.health, state.out]).toEqual(['checking', true])
    backend.answer = (_request, index) => (index === 0 ? FAILING : PASSING)
    health.start()
    await settled(state, 'up')
    expect(log[0]).toContain('[warn] peer is unhealthy')
    expect(backend.requests.length).toBeGreaterThanOrEqual(4)
  })

  it('its first pass is enough where nothing has failed', async () => {
    const state = slot(await use(`health_check interval=1h passes=3 mandatory;`))
    health.start()
    await settled(state, 'up')
    expect(backend.requests).toHaveLength(1)
    expect(log).toHaveLength(1)
    expect(log[0]).toContain('[notice] peer is healthy while checking status code')
  })

  it('without it, a peer is taken for healthy', async () => {
    expect(slot(await use(`${QUICK};`)).health).toBe('up')
  })
})

describe('several checks of one upstream', () => {
  it('one that fails is enough, and all have to pass', async () => {
    const failing = new Set(['/a', '/b'])
    backend.answer = (request) => (failing.has(request.toString('latin1').split(' ')[1]!) ? FAILING : PASSING)
    const more = `location /2 { proxy_pass http://u; ${QUICK} uri=/b; } location /3 { proxy_pass http://u; ${QUICK}; }`
    const state = slot(await use(`${QUICK} uri=/a; ${more}`))
    health.start()
    await eventually('both have failed', () => log.length === 2)
    expect(state.health).toBe('unhealthy')
    failing.delete('/a')
    await eventually('one passes', () => log.length === 3)
    expect(state.health).toBe('unhealthy')
    failing.delete('/b')
    await settled(state, 'up')
  })
})

describe('a reload', () => {
  const HOUR = 'health_check interval=1h'

  /** Loads `location` in the place of `first`, after which the peer was `word`. */
  async function reloaded(first: string, word: 'up' | 'unhealthy', location: string): Promise<PeerState> {
    backend.answer = word === 'up' ? PASSING : FAILING
    const before = await use(first)
    health.start()
    await eventually('first check', () => slot(before).checks.checks === 1)
    expect(slot(before).health).toBe(word)
    // No check of the new configuration may say anything yet.
    backend.answer = ''
    return slot(await use(location, {}, before))
  }

  it('keeps what is known of a peer, even where the check has other settings', async () => {
    expect((await reloaded(`${HOUR};`, 'unhealthy', `${HOUR} fails=3;`)).health).toBe('unhealthy')
  })

  it('leaves the time of the next check as it is', async () => {
    await reloaded(`${HOUR};`, 'up', `${HOUR};`)
    const requests = backend.requests.length
    await reloaded(`${HOUR} uri=/other;`, 'up', `${HOUR} uri=/other;`)
    expect(backend.requests.length).toBe(requests + 1)
  })

  it('mandatory: peers are out again until they have been checked', async () => {
    expect((await reloaded(`${HOUR} mandatory;`, 'up', `${HOUR} mandatory;`)).health).toBe('checking')
  })

  it('persistent: those that were healthy stay in', async () => {
    const location = `${HOUR} mandatory persistent;`
    expect((await reloaded(location, 'up', location)).health).toBe('up')
  })

  it('persistent: those that were not stay out', async () => {
    const location = `${HOUR} mandatory persistent;`
    expect((await reloaded(location, 'unhealthy', location)).out).toBe(true)
  })

  it('without the check, peers are in again', async () => {
    expect((await reloaded(`${HOUR};`, 'unhealthy', '')).health).toBe('up')
    expect((await reloaded(`${HOUR} mandatory;`, 'unhealthy', '')).health).toBe('up')
  })

  it('with another check, what the old one said counts no more', async () => {
    expect((await reloaded(`${HOUR};`, 'unhealthy', `${HOUR} uri=/other;`)).health).toBe('up')
  })

  it('closes what the old configuration had open', async () => {
    await reloaded(`${HOUR} keepalive_time=1h;`, 'up', '')
    await eventually('closed connection', () => backend.open === 0)
  })
})

describe('names that are followed', () => {
  const servers = () => `server backend.test:${backend.port} resolve;`
  const at = (ip: string) => `${ip}:${backend.port}`

  /** The name leads to these addresses. */
  function lead(loaded: LoadedCycle, ...addresses: string[]): void {
    const [key] = loaded.cycle.context.live.keys()
    loaded.options.live = { [key!]: addresses.map((ip) => ({ ip, service: null })) }
    health.refresh()
  }

  it('new addresses are checked, before they are used where that is mandatory', async () => {
    const loaded = await use(`${QUICK} mandatory;`, { servers: servers() })
    health.start()
    lead(loaded, '127.0.0.1')
    expect(slot(loaded, at('127.0.0.1')).health).toBe('checking')
    await settled(slot(loaded, at('127.0.0.1')), 'up')
    lead(loaded, '127.0.0.1', '127.0.0.9')
    expect(slot(loaded, at('127.0.0.1')).health).toBe('up')
    expect(slot(loaded, at('127.0.0.9')).health).toBe('checking')
    await settled(slot(loaded, at('127.0.0.9')), 'unhealthy')
  })

  it('addresses that are gone are not checked any more', async () => {
    const loaded = await use(`${QUICK} mandatory;`, { servers: servers() })
    health.start()
    lead(loaded, '127.0.0.9')
    await settled(slot(loaded, at('127.0.0.9')), 'unhealthy')
    lead(loaded, '127.0.0.1')
    const { checks } = slot(loaded, at('127.0.0.9')).checks
    await eventually('checks of the other', () => slot(loaded, at('127.0.0.1')).checks.checks > 5)
    expect(slot(loaded, at('127.0.0.9')).checks.checks).toBe(checks)
    expect(slot(loaded, at('127.0.0.9')).health).toBe('up')
  })
})
