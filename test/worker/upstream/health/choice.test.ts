// Whatever the balancing method, requests go to no peer that health checks have taken out.

import { expect, it } from 'vitest'
import type { Health } from '../../../../src/shared/peer-zone.ts'
import { allocateStats, WorkerStats } from '../../../../src/shared/stats.ts'
import type { Peer, PeerGroup } from '../../../../src/worker/upstream/peers.ts'
import { Selection } from '../../../../src/worker/upstream/selection.ts'
import { checkConf, checksOf } from '../../../support/health.ts'

const HOST = {
  slot: 0,
  stats: new WorkerStats(allocateStats(1), 0),
  connectionLimit: 512,
  log: () => {},
  makeRoom: () => false,
}

/** The group of these lines, in which peers have this health; and a way to choose a peer for a request. */
function group(lines: string, ...health: Health[]): { group: PeerGroup; choose: () => Peer | null } {
  const [check] = checksOf(checkConf({ servers: lines, location: 'health_check;' }))
  check!.group.bind(HOST)
  for (const [index, word] of health.entries()) check!.group.set.peers[index]!.state.health = word
  let count = 0
  const choose = () => {
    const r = check!.requests.make()
    r.realAddress = { address: `10.0.${count++}.1`, port: 1 }
    const selection = new Selection(r, check!.group, 0)
    const peer = selection.next()
    if (peer !== null) selection.finish(peer, 'ok')
    return peer
  }
  return { group: check!.group, choose }
}

const SERVERS = 'server 127.0.0.1:1; server 127.0.0.1:2; server 127.0.0.1:3;'

it.each([
  '',
  'least_conn;',
  'ip_hash;',
  'hash $remote_addr;',
  'hash $remote_addr consistent;',
  'random;',
  'random two;',
  'random two least_time=header;',
  'least_time header;',
])('%s leaves out what is unhealthy or not checked yet', (method) => {
  const { choose } = group(method + SERVERS, 'unhealthy', 'up', 'checking')
  const names = Array.from({ length: 60 }, () => choose()?.name)
  expect(new Set(names)).toEqual(new Set(['127.0.0.1:2']))
})

it('a single server that is out is no live upstream', () => {
  const { group: single, choose } = group('server 127.0.0.1:1;', 'unhealthy')
  expect(choose()).toBeNull()
  single.set.peers[0]!.state.health = 'up'
  expect(choose()?.name).toBe('127.0.0.1:1')
})

it('backups come in when all others are out, as long as they are not', () => {
  const servers = 'server 127.0.0.1:1; server 127.0.0.1:2 backup;'
  expect(group(servers, 'checking').choose()?.name).toBe('127.0.0.1:2')
  expect(group(servers, 'unhealthy', 'unhealthy').choose()).toBeNull()
})
