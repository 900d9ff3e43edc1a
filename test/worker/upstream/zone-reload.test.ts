// What is known of servers when another configuration takes over while they have requests.

import { afterEach, beforeEach, expect, it } from 'vitest'
import { serverConf, TestEngine } from '../../support/engine.ts'
import { HoldingBackend } from '../../support/holding-backend.ts'
import { rawRequest } from '../../support/raw-client.ts'
import { eventually } from '../../support/wait.ts'

let engine: TestEngine
let backends: HoldingBackend[]
let asked: Promise<unknown>[]

beforeEach(async () => {
  asked = []
  backends = [await HoldingBackend.start(), await HoldingBackend.start()]
})
afterEach(async () => {
  for (const backend of backends) backend.release()
  await Promise.all(asked)
  await engine.stop()
  await Promise.all(backends.map((backend) => backend.stop()))
})

/** %A% and %B% are the servers, which may have one request each. */
const conf = (upstream: string) =>
  serverConf(
    'location / { proxy_pass http://u; }',
    `upstream u { ${upstream.replace(/%([AB])%/g, (_, name) => `server ${backends[name === 'A' ? 0 : 1]!.address} max_conns=1`)} }`,
  )

const have = () => backends.map(({ current }) => current).join()

async function ask(): Promise<void> {
  const before = have()
  asked.push(rawRequest(engine.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'))
  await eventually('arrival', () => have() !== before)
}

async function refused(): Promise<void> {
  const { bytes } = await rawRequest(engine.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  expect(bytes.toString('latin1', 9, 12)).toBe('502')
}

it.each([
  ['one server that gets company', '%A%;', '%A%; %B%;'],
  ['servers in another order', '%A%; %B%;', '%B%; %A%;'],
  ['servers with other weights', '%A% weight=9; %B%;', '%A% weight=5; %B% weight=7;'],
  ['another method', 'least_conn; %A%; %B% backup;', 'hash $uri consistent; %B%; %A%;'],
])('%s: requests under way count', async (_, before, after) => {
  engine = await TestEngine.start(conf(before))
  await ask()
  expect(have()).toBe('1,0')
  engine.load(conf(after))
  await ask()
  expect(have()).toBe('1,1')
  await refused()
})

it('an only server that is left: requests at it count', async () => {
  engine = await TestEngine.start(conf('%A%; %B%;'))
  await ask()
  engine.load(conf('%A%;'))
  await refused()
  backends[0]!.release()
  await eventually('end of the request', () => have() === '0,0')
  await ask()
  expect(have()).toBe('1,0')
})

it('a server that goes and comes back: requests at it count all the time', async () => {
  engine = await TestEngine.start(conf('%A%; %B% backup;'))
  await ask()
  engine.load(conf('%B%;'))
  engine.load(conf('%A%; %B% backup;'))
  await ask()
  expect(have()).toBe('1,1')
})
