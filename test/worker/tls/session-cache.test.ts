// `ssl_session_cache`: sessions that openssl's client goes on with, in whichever worker it comes to.

import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Authority, type Certificate } from '../../support/certificates.ts'
import { opensslClient } from '../../support/openssl-client.ts'
import { type RunningProxy, startWeir } from '../../support/proxy.ts'
import { eventually } from '../../support/wait.ts'

let authority: Authority
let server: Certificate
let behindOne: string[]
let good: string[]
let expired: string[]
let proxy: RunningProxy
const held: Socket[] = []

const CACHES = [
  'ssl_session_tickets off; ssl_session_cache shared:one:1m;',
  'ssl_session_tickets off;',
  'ssl_session_tickets off; ssl_session_cache off;',
  'ssl_session_tickets off; ssl_session_cache builtin:100;',
  'ssl_session_cache shared:one:1m;',
  'ssl_verify_client optional;',
  'ssl_verify_client optional; ssl_verify_depth 0; error_page 495 =200 /;',
  'ssl_session_cache shared:one:1m; ssl_verify_client on; error_page 496 =200 /;',
] as const
const [SHARED, NONE, OFF, BUILTIN, TICKETS, CLIENTS, DEPTH, STRICT] = CACHES.keys()

beforeAll(async () => {
  authority = await Authority.create('Sessions')
  server = await authority.issue('localhost')
  const own = ({ certFile, keyFile }: Certificate) => ['-cert', certFile, '-key', keyFile]
  const first = await authority.intermediate('First')
  behindOne = [...own(await first.issue('behind one')), '-cert_chain', first.certFile]
  good = own(await authority.issue('good'))
  expired = own(await authority.issue('expired', { from: -9, until: -1 }))
  const servers = CACHES.map(
    (cache, index) => `server { listen 127.0.0.1:%PORT${index + 1}% ssl; ${cache}
      location / { return 200 "$connection $ssl_session_reused $ssl_client_verify\\n"; } }`,
  )
  proxy = await startWeir(
    `worker_processes 2; events {} http { ssl_certificate ${server.certFile}; ssl_certificate_key ${server.keyFile};
      ssl_client_certificate ${authority.certFile}; ${servers.join('\n')} }`,
  )
})
afterEach(() => {
  for (const socket of held.splice(0)) socket.destroy()
})
afterAll(() => Promise.all([proxy?.stop(), authority?.remove()]))

/** What the server in front of this cache says: the worker, `r` or `.`, and of the client's certificate. */
async function ask(
  cache: number,
  args: readonly string[],
): Promise<{ worker: number; reused: string; verify: string }> {
  const { body, text } = await opensslClient(proxy.ports[cache]!, args)
  const [, connection, reused, verify] = /^(\d+) (\S) (.*)$/m.exec(body) ?? expect.fail(text)
  // Numbers of connections tell which worker they are of.
  return { worker: Number(connection) % 1024, reused: reused!, verify: verify! }
}

/** A connection that keeps its worker busy, so that the next ones go to the other. */
async function hold(cache: number): Promise<Socket> {
  const socket = connect(proxy.ports[cache]!, '127.0.0.1')
  held.push(socket)
  await new Promise((done) => socket.once('connect', done))
  return socket
}

/** One connection in each of the workers, the second with the session of the first. */
async function inBoth(cache: number, args: readonly string[]) {
  const file = join(authority.folder, `${cache}${args[0]}.pem`)
  const first = await ask(cache, [...args, '-sess_out', file])
  await hold(cache)
  let second = await ask(cache, [...args, '-sess_in', file])
  const next = async () => {
    const other = await hold(cache)
    second = await ask(cache, [...args, '-sess_in', file])
    other.destroy()
  }
  for (let count = 0; count < 20 && second.worker === first.worker; count++) await next()
  expect(second.worker).not.toBe(first.worker)
  return { first, second, file }
}

describe.each(['-tls1_2', '-tls1_3'])('ssl_session_cache, %s', (version) => {
  it('shared: a session goes on in another worker, and after a reload', async () => {
    const { first, second, file } = await inBoth(SHARED!, [version])
    expect([first.reused, second.reused]).toEqual(['.', 'r'])
    if (version === '-tls1_3') return
    const before = proxy.errorLog.length
    proxy.signal('SIGHUP')
    await eventually('the reload', () => proxy.errorLog.slice(before).includes('reconfiguring'))
    expect((await ask(SHARED!, [version, '-sess_in', file])).reused).toBe('r')
  })

  it.each([
    ['none', NONE],
    ['off', OFF],
  ])('%s: no session goes on without a ticket', async (_what, cache) => {
    const file = join(authority.folder, `${cache}${version}.pem`)
    await ask(cache!, [version, '-sess_out', file])
    for (let count = 0; count < 3; count++) {
      expect((await ask(cache!, [version, '-sess_in', file])).reused).toBe('.')
    }
  })

  it('builtin: a session goes on in the worker it is of', async () => {
    const { file, second, first } = await inBoth(BUILTIN!, [version])
    expect(second.reused).toBe('.')
    for (const socket of held.splice(0)) socket.destroy()
    let again = second
    const look = async () => {
      again = await ask(BUILTIN!, [version, '-sess_in', file])
      if (again.worker !== first.worker) await hold(BUILTIN!)
    }
    for (let count = 0; count < 20 && again.worker !== first.worker; count++) await look()
    expect(again).toMatchObject({ worker: first.worker, reused: 'r' })
  })

  it('beside tickets: a session goes on by its ticket', async () => {
    expect((await inBoth(TICKETS!, [version])).second.reused).toBe('r')
  })

  it.runIf(version === '-tls1_2')('beside tickets: a session without one goes on by its id', async () => {
    expect((await inBoth(TICKETS!, [version, '-no_ticket'])).second.reused).toBe('r')
  })

  it('of a client with a certificate: the session goes on in another worker, with what was found out', async () => {
    const { first, second } = await inBoth(CLIENTS!, [version, ...good])
    expect([first.reused, first.verify]).toEqual(['.', 'SUCCESS'])
    expect([second.reused, second.verify]).toEqual(['r', 'SUCCESS'])
  })

  it('of another server: no session goes on where certificates are asked for', async () => {
    const file = join(authority.folder, `other${version}.pem`)
    for (const cache of [SHARED!, TICKETS!]) {
      await ask(cache, [version, '-sess_out', file])
      expect(await ask(STRICT!, [version, '-sess_in', file])).toMatchObject({ reused: '.', verify: 'NONE' })
    }
    await ask(CLIENTS!, [version, ...good, '-sess_out', file])
    expect(await ask(STRICT!, [version, '-sess_in', file])).toMatchObject({ reused: '.', verify: 'NONE' })
  })

  it('of a client whose chain is too long: no session goes on', async () => {
    const file = join(authority.folder, `deep${version}.pem`)
    const answers = [
      await ask(DEPTH!, [version, ...behindOne, '-sess_out', file]),
      await ask(DEPTH!, [version, ...behindOne, '-sess_in', file]),
    ]
    for (const { reused, verify } of answers) {
      expect([reused, verify]).toEqual(['.', 'FAILED:unable to get local issuer certificate'])
    }
  })

  it('of a client whose certificate is not trusted: no session goes on', async () => {
    const file = join(authority.folder, `expired${version}.pem`)
    await ask(DEPTH!, [version, ...expired, '-sess_out', file])
    const { reused, verify } = await ask(DEPTH!, [version, ...expired, '-sess_in', file])
    expect([reused, verify]).toEqual(['.', 'FAILED:certificate has expired'])
  })
})
