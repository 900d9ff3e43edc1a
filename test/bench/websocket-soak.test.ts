// The WebSocket part of the soak: what counts as a wrong message, its clients and backend together, and its verdicts.

import { describe, expect, it } from 'vitest'
import { Child } from '../../bench/children.ts'
import { passed } from '../../bench/soak/report.ts'
import type { ClientState } from '../../bench/soak/websocket/clients.ts'
import { SHUTDOWN, websocketConf } from '../../bench/soak/websocket/conf.ts'
import { together, type WebsocketOutcome, websocketVerdicts } from '../../bench/soak/websocket/report.ts'
import { messageOf, Talk } from '../../bench/soak/websocket/talk.ts'
import type { Sample } from '../../bench/soak/weir.ts'
import { buildCycle } from '../../src/shared/conf/build.ts'
import { parseText } from '../../src/shared/conf/parser.ts'
import { modules } from '../../src/worker/modules.ts'
import { eventually } from '../support/wait.ts'

const FOLDER = new URL('../../bench/soak/websocket/', import.meta.url).pathname

describe('Talk', () => {
  it('messages that come back in order are right', () => {
    const talk = new Talk(3)
    const messages = [talk.next(), talk.next(), talk.next()]
    for (const message of messages) talk.take(message)
    expect(talk).toMatchObject({ sent: 3, received: 3, outstanding: 0, fault: '' })
  })

  it.each([
    ['in another order', [1, 0]],
    ['twice', [0, 0]],
    ['one lost', [1]],
  ])('%s they are wrong', (_what, order) => {
    const talk = new Talk(3)
    talk.next()
    talk.next()
    for (const number of order) talk.take(messageOf(3, number))
    expect(talk.fault).toContain('another message in the place of')
  })

  it('one more than was sent is wrong, and so is that of another', () => {
    const talk = new Talk(3)
    talk.take(messageOf(3, 0))
    expect(talk.fault).toBe('one too many behind 0')
    const other = new Talk(4)
    other.next()
    other.take(messageOf(5, 0))
    expect(other.fault).toContain('another message')
  })
})

it('clients talk to the backend, fall silent, and tell how they ended', async () => {
  const backend = new Child([process.execPath, `${FOLDER}backend.ts`], { cores: null })
  const port = (await backend.line('port ')).slice(5)
  const clients = new Child([process.execPath, `${FOLDER}clients.ts`, port, '0', '3'], { cores: null })
  const state = () => JSON.parse(clients.stdout.trim().split('\n').at(-1)!) as ClientState
  const told = () => clients.stdout.split('\n{').length
  const states = (count: number, before = told()) => eventually('states', () => told() >= before + count)
  try {
    await clients.line('ready')
    await eventually('messages', () => clients.stdout.includes('{') && state().received > 3)
    clients.signal('SIGUSR2')
    await states(2)
    const silent = state()
    await states(1)
    expect(state()).toMatchObject({ sent: silent.sent, received: silent.sent, outstanding: 0 })
    clients.signal('SIGUSR2')
    await eventually('talk', () => state().received > silent.received)
    await backend.stop('SIGKILL')
    expect(await clients.ended).toBe(0)
    expect(state()).toMatchObject({ open: 0, ended: 3, cut: 0, wrong: 0 })
    expect(state().lastEnd).toBeGreaterThanOrEqual(state().firstEnd)
  } finally {
    await Promise.all([clients.stop('SIGKILL'), backend.stop('SIGKILL')])
  }
}, 20_000)

it('weir takes the configuration', () => {
  const tree = parseText(websocketConf(8080, 8081, 10, 1), 'nginx.conf')
  expect(() => buildCycle(tree, modules, { prefix: '/x/', confPrefix: '/x/' })).not.toThrow()
})

describe('verdicts', () => {
  const state: ClientState = {
    ...{
      open: 2,
      sent: 50,
      received: 50,
      outstanding: 0,
      wrong: 0,
      pongs: 1,
      cut: 0,
      ended: 0,
      unanswered: 0,
    },
    ...{ firstEnd: -1, lastEnd: -1, faults: [] },
  }
  const row = {
    accepted: 1,
    handled: 1,
    requests: 1,
    active: 1,
    upstream: 1,
    reading: 0,
    writing: 1,
    waiting: 0,
  }
  const sample: Sample = {
    ...{ time: 1000, resident: 1e8, descriptors: 10, threads: 10 },
    inside: {
      rows: [row, row],
      heaps: { 0: 1e6, 1: 1e6, master: 1e6 },
      committed: {},
      peers: {},
      workers: 2,
    },
  }
  const outcome: WebsocketOutcome = {
    ...{ connections: 2, samples: [sample, sample, sample, sample], quiet: state, reloaded: state },
    talkedOn: { ...state, received: 60 },
    last: { ...state, ended: 2, firstEnd: SHUTDOWN, lastEnd: SHUTDOWN + 100 },
    ...{ generation: '2', exit: 0, log: '101 9.0 5\n101 9.0 5\n', alarms: [] },
  }

  it('a run in which all is right passes', () => {
    expect(websocketVerdicts(outcome).filter(({ good }) => good === false)).toEqual([])
    expect(passed(websocketVerdicts(outcome))).toBe(true)
  })

  it.each<[string, Partial<WebsocketOutcome>]>([
    ['a wrong message', { last: { ...outcome.last, wrong: 1 } }],
    ['a message that is lost', { quiet: { ...state, outstanding: 1 } }],
    ['one that is cut', { last: { ...outcome.last, cut: 1, ended: 1 } }],
    ['one that is not told of the end', { last: { ...outcome.last, ended: 1 } }],
    ['an end too early', { last: { ...outcome.last, firstEnd: 10 } }],
    ['an end too late', { last: { ...outcome.last, lastEnd: SHUTDOWN + 20_000 } }],
    ['a reload that is not done', { generation: '1' }],
    ['nothing said behind the reload', { talkedOn: state }],
    ['no line in the access log', { log: '101 9.0 5\n' }],
    ['another line in the access log', { log: `${outcome.log}502 1.0 5\n` }],
    ['an alert', { alarms: ['[alert]'] }],
    ['another end than an orderly one', { exit: 'SIGKILL' }],
    [
      'a worker that has them all',
      {
        samples: [
          {
            ...sample,
            inside: {
              ...sample.inside!,
              rows: [
                { ...row, active: 2 },
                { ...row, active: 0 },
              ],
            },
          },
        ],
      },
    ],
  ])('fails with %s', (_what, change) => {
    expect(passed(websocketVerdicts({ ...outcome, ...change }))).toBe(false)
  })

  it('states of several processes are added up', () => {
    const first = { ...state, firstEnd: 5, lastEnd: 7, faults: ['a'] }
    const second = { ...state, firstEnd: 3, lastEnd: 4, faults: ['b'] }
    expect(together([first, second, state])).toMatchObject({
      open: 6,
      firstEnd: 3,
      lastEnd: 7,
      faults: ['a', 'b'],
    })
  })
})
