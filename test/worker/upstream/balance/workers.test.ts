// Balancing in a whole weir: turns and counts are shared by all workers, whichever of them gets a request.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type RunningProxy, startWeir } from '../../../support/proxy.ts'
import { RawBackend } from '../../../support/raw-backend.ts'
import { type RawAnswer, rawRequest } from '../../../support/raw-client.ts'
import { eventually } from '../../../support/wait.ts'

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

let weir: RunningProxy | null = null
let backends: RawBackend[] = []

beforeEach(async () => {
  backends = await Promise.all([RawBackend.start(), RawBackend.start(), RawBackend.start()])
})

afterEach(async () => {
  await weir?.stop()
  weir = null
  await Promise.all(backends.map((backend) => backend.stop()))
})

/** Starts weir with four workers; %A1% to %A3% are backends. */
async function start(upstream: string): Promise<void> {
  const vars = Object.fromEntries(backends.map(({ address }, index) => [`A${index + 1}`, address]))
  weir = await startWeir(
    `worker_processes 4;
events {}
http {
  access_log off;
  upstream app { ${upstream} }
  server { listen 127.0.0.1:%PORT%; location / { proxy_pass http://app; } }
}
`,
    { vars },
  )
}

/** One request on a connection of its own: connections go to all workers in turn. */
const get = () => rawRequest(weir!.port, GET)
const status = ({ bytes }: RawAnswer) => bytes.toString('latin1', 9, 12)
const received = () => backends.map(({ requests }) => requests.length)

it('round robin spreads requests by weight over all workers together', async () => {
  await start('server %A1% weight=3; server %A2%;')
  for (let count = 0; count < 40; count++) expect(status(await get())).toBe('200')
  expect(received()).toEqual([30, 10, 0])
})

describe('while backends keep requests', () => {
  /** Sockets' answers that are still to come. */
  const waiting: Promise<RawAnswer>[] = []

  beforeEach(() => {
    waiting.length = 0
    for (const backend of backends) backend.answer = { bytes: '' }
  })

  /** Sends one more, and waits until a backend has it. */
  async function keep(): Promise<void> {
    const before = received().reduce((sum, count) => sum + count)
    waiting.push(get())
    await eventually('request at a backend', () => received().reduce((sum, count) => sum + count) > before)
  }

  /** The backends go away: what waits is answered with an error. */
  async function release(): Promise<void> {
    for (const backend of backends) backend.dropConnections()
    await Promise.all(waiting)
  }

  it('least_conn sees the requests of all workers', async () => {
    await start(
      'least_conn; server %A1% weight=2 max_fails=0; server %A2% max_fails=0; server %A3% max_fails=0;',
    )
    for (let count = 0; count < 16; count++) await keep()
    expect(received()).toEqual([8, 4, 4])
    for (const backend of backends) backend.answer = OK
    await release()
  })

  it('four workers together never exceed max_conns', async () => {
    await start('server %A1% max_conns=7 max_fails=0; server %A2% max_conns=3 max_fails=0;')
    const all = Array.from({ length: 40 }, get)
    waiting.push(...all)
    await eventually('ten requests at the backends', () => received().join() === '7,3,0')
    const answers: RawAnswer[] = []
    for (const answer of all) void answer.then((whole) => answers.push(whole))
    await eventually('refusals of all others', () => answers.length >= 30)
    expect(answers.map(status)).toEqual(Array(30).fill('502'))
    expect(received()).toEqual([7, 3, 0])
    for (const backend of backends) backend.answer = OK
    await release()
    // What they held is free again.
    expect(status(await get())).toBe('200')
  })
})

it('a server that fails takes max_fails requests of all workers together', async () => {
  backends[0]!.answer = { bytes: '', after: 'reset' }
  await start('server %A1% max_fails=3 fail_timeout=1000; server %A2%;')
  for (let count = 0; count < 24; count++) expect(status(await get())).toBe('200')
  expect(received()).toEqual([3, 24, 0])
})
