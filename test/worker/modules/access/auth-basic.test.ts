// auth_basic where nginx has nothing to compare with: what is remembered, forms that are refused by name, auth_delay.

import { rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import check from '../../../../src/worker/pool/passwords/check.ts'
import { serverConf, TestEngine } from '../../../support/engine.ts'
import { rawRequest } from '../../../support/raw-client.ts'
import { eventually } from '../../../support/wait.ts'

let engine: TestEngine

beforeAll(async () => {
  engine = await TestEngine.start(
    serverConf(`
      location / { auth_basic r; auth_basic_user_file users; proxy_pass http://127.0.0.1:1; error_page 502 =200 @in; }
      location /late { auth_basic r; auth_basic_user_file users; auth_delay 1h; proxy_pass http://127.0.0.1:1; }
      location @in { return 200 in; }`),
  )
})
afterAll(() => engine.stop())

async function users(...lines: string[]): Promise<void> {
  await writeFile(join(engine.folder, 'users'), `${lines.join('\n')}\n`)
}

function request(user: string, password: string, path = '/'): string {
  const credentials = Buffer.from(`${user}:${password}`).toString('base64')
  return `GET ${path} HTTP/1.1\r\nHost: a\r\nAuthorization: Basic ${credentials}\r\nConnection: close\r\n\r\n`
}

async function statusOf(user: string, password: string): Promise<number> {
  const { bytes } = await rawRequest(engine.port, request(user, password))
  return Number(bytes.toString('latin1', 9, 12))
}

it('auth_basic_user_file, changed between requests, counts as it is', async () => {
  await users('ann:{PLAIN}one')
  expect([await statusOf('ann', 'one'), await statusOf('bob', 'one')]).toEqual([200, 401])
  await users('ann:{PLAIN}two')
  expect([await statusOf('ann', 'one'), await statusOf('ann', 'two')]).toEqual([401, 200])
  await users('bob:{PLAIN}one')
  expect([await statusOf('ann', 'two'), await statusOf('bob', 'one')]).toEqual([401, 200])
  await rm(join(engine.folder, 'users'))
  expect(await statusOf('bob', 'one')).toBe(403)
})

it('auth_basic, a remembered password, does not outlive its line', async () => {
  const hash = '$apr1$saltsalt$x78Y39ym2RjUNQHTLgwHz/'
  await users(`ann:${hash}`)
  const answers = await Promise.all(
    ['pw', 'pw', 'no', 'pw', 'no'].map((password) => statusOf('ann', password)),
  )
  expect(answers).toEqual([200, 200, 401, 200, 401])
  await users('ann:{PLAIN}other')
  expect(await statusOf('ann', 'pw')).toBe(401)
})

it.for([
  ['_', '_J9..rasmBYk8r9AiWNc'],
  ['$y$', '$y$j9T$abc$def'],
  ['$7$', '$7$abc'],
])('auth_basic, a password of the form %s, is an error that names it', async ([form, stored]) => {
  await users(`ann:${stored}`)
  expect(await statusOf('ann', 'pw')).toBe(500)
  expect(engine.errorLog).toContain(`user "ann": passwords of the form "${form}" are not supported, in "`)
})

it('auth_delay, client gone meanwhile, ends the request with 499', async () => {
  await users('ann:{PLAIN}one')
  const client = engine.connect()
  client.transport.receive(request('ann', 'no', '/late').replace('Connection: close\r\n', ''))
  await eventually('the delay', () => engine.errorLog.includes('delaying unauthorized request'))
  client.transport.break()
  await eventually('the log', () => engine.accessLog.includes('499 GET /late'))
})

it.for([
  ['$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5', 'Hello world!'],
  ['$5$rounds=10000$saltstringsaltst$3xv.VbSCBX41eDL9L3voZREpqtPXX9z/5KdtgAPT9uX', 'x'],
  [
    '$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1',
    'Hello world!',
  ],
])('password hash %s, of its specification, fits its password only', ([stored, password]) => {
  const fits = password !== 'x'
  expect(check({ password: password!, stored: stored! })).toBe(fits)
  expect(check({ password: `${password}!`, stored: stored! })).toBe(false)
})

it('auth_basic, clients that went while their passwords waited, keep nobody waiting', async () => {
  // Each takes a quarter of a second or more.
  const slow = '$2b$12$abcdefghijklmnopqrstuuKVJkb3hJpNjO3J0fIXoR9Ov8gKZ1SaW'
  await users(`ann:${slow}`, 'bob:$apr1$saltsalt$x78Y39ym2RjUNQHTLgwHz/')
  const clients = Array.from({ length: 200 }, (_, index) => {
    const client = connect(engine.port, '127.0.0.1')
    client.on('error', () => {})
    client.write(request('ann', `wrong${index}`))
    return client
  })
  await eventually('the requests', () => engine.stats.writing === 200)
  for (const client of clients) client.destroy()
  await eventually('their end', () => engine.stats.writing === 0)
  expect(await statusOf('bob', 'pw')).toBe(200)
})
