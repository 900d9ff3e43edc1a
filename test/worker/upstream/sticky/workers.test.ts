// Sessions in a whole weir: what one worker has learned all know, and a reload keeps it.

import { afterEach, beforeEach, expect, it } from 'vitest'
import { type RunningProxy, startWeir } from '../../../support/proxy.ts'
import { RawBackend } from '../../../support/raw-backend.ts'
import { rawRequest } from '../../../support/raw-client.ts'
import { eventually } from '../../../support/wait.ts'

const WORKERS = 4
/** Each worker counts its connections in steps of this. */
const STRIDE = 1024

const conf = (more: string) => `
worker_processes ${WORKERS};
events {}
http {
  access_log off;
  upstream app {
    ip_hash;
    server %A% max_fails=0;
    server %B% max_fails=0;
    sticky learn create=$upstream_cookie_session lookup=$cookie_session zone=sessions:64k;
  }
  server {
    listen 127.0.0.1:%PORT%;
    add_header X-Connection $connection;
    add_header X-More "${more}";
    location / { proxy_pass http://app; }
  }
}
`

let weir: RunningProxy | null = null
let a: RawBackend
let b: RawBackend

beforeEach(async () => {
  a = await RawBackend.start()
  b = await RawBackend.start()
})
afterEach(async () => {
  await weir?.stop()
  weir = null
  await Promise.all([a.stop(), b.stop()])
})

const answer = (name: string, session = '') =>
  `HTTP/1.1 200 OK\r\n${session === '' ? '' : `Set-Cookie: session=${session}\r\n`}Content-Length: 1\r\n\r\n${name}`

interface Answer {
  body: string
  worker: number
  more: string
}

async function get(session: string): Promise<Answer> {
  const request = `GET / HTTP/1.1\r\nHost: a\r\nCookie: session=${session}\r\n\r\n`
  const text = (await rawRequest(weir!.port, request)).bytes.toString('latin1')
  const field = (name: string) => new RegExp(`^${name}: (.*)\\r$`, 'm').exec(text)?.[1] ?? ''
  const body = text.slice(text.indexOf('\r\n\r\n') + 4)
  return { body, worker: Number(field('X-Connection')) % STRIDE, more: field('X-More') }
}

it('sticky learn: workers share sessions, and a reload keeps them', async () => {
  weir = await startWeir(conf('before'), { vars: { A: a.address, B: b.address } })
  a.answer = answer('a', 'one')
  b.answer = answer('b', 'one')
  const { body: usual } = await get('none')
  const [own, other] = usual === 'a' ? [a, b] : [b, a]
  // The server of all clients of this address fails: the session begins at the other one.
  own.answer = { bytes: '', after: 'reset' }
  const begun = other === a ? 'a' : 'b'
  other.answer = answer(begun, 'two')
  expect((await get('none')).body).toBe(begun)
  other.answer = answer(begun)
  own.answer = answer(usual)
  const workers = new Set<number>()
  for (let count = 0; count < 20; count++) {
    const { body, worker } = await get('two')
    expect(body).toBe(begun)
    workers.add(worker)
  }
  expect(workers.size).toBe(WORKERS)
  expect((await get('none')).body).toBe(usual)

  const { writeFileSync } = process.getBuiltinModule('node:fs')
  const path = `${weir.folder}/nginx.conf`
  writeFileSync(path, weir.read('nginx.conf').replace('before', 'after'))
  weir.signal('SIGHUP')
  await eventually('the new configuration', async () => (await get('none')).more === 'after')
  for (let count = 0; count < 8; count++) expect((await get('two')).body).toBe(begun)
})
