// One health check of one peer: what it sends, and what it makes of answers, of lies and of silence.

import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { Client } from 'undici'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { HttpProber } from '../../../src/master/health/http-probe.ts'
import type { Prober, Verdict } from '../../../src/master/health/probe.ts'
import { TcpProber } from '../../../src/master/health/tcp-probe.ts'
import { malformedResponses } from '../../corpus/malformed-responses.ts'
import { DeafListener } from '../../support/deaf-listener.ts'
import { checkConf, checksOf } from '../../support/health.ts'
import { RawBackend } from '../../support/raw-backend.ts'
import { freePort, removeFolder, temporaryFolder } from '../../support/temporary.ts'
import { eventually } from '../../support/wait.ts'

const MATCHES = `match body { body ~ well; } match not { body !~ ill; } match none { }`
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwell'

let backend: RawBackend
let prober: Prober | null = null

beforeEach(async () => {
  backend = await RawBackend.start()
})
afterEach(async () => {
  prober?.stop()
  prober = null
  await backend.stop()
})

function proberTo(server: string, check: string, location = ''): Prober {
  const timeouts = location.includes('_timeout')
    ? ''
    : 'proxy_connect_timeout 200ms; proxy_read_timeout 200ms;'
  const conf = checkConf({
    servers: `server ${server};`,
    http: MATCHES,
    location: `${timeouts} ${location} health_check ${check};`,
  })
  const [found] = checksOf(conf)
  const peer = found!.group.configured[0]!
  return (prober = found!.type === 'tcp' ? new TcpProber(found!, peer) : new HttpProber(found!, peer, Client))
}

const ask = (from: Prober) => new Promise<Verdict>((done) => from.start(done))

/** `passed while ...`, or `failed while ...: error`. */
function words({ passed, doing, error }: Verdict): string {
  return `${passed ? 'passed' : 'failed'} while ${doing}${error === '' ? '' : `: ${error}`}`
}

const verdict = async (server: string, check = '', location = '') =>
  words(await ask(proberTo(server, check, location)))

describe('an answer', () => {
  it.each([
    ['', OK, 'passed while checking status code'],
    [
      '',
      'HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n',
      'passed while checking status code',
    ],
    ['', 'HTTP/1.0 200 OK\r\n\r\n', 'passed while checking status code'],
    ['', 'HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n', 'failed while checking status code'],
    ['', `HTTP/1.1 103 Early\r\nLink: a\r\n\r\n${OK}`, 'passed while checking status code'],
    ['match=none', 'HTTP/1.1 500 Bad\r\nContent-Length: 0\r\n\r\n', 'passed while checking status code'],
    ['match=body', OK, 'passed while checking body'],
    ['match=body', 'HTTP/1.1 500 Bad\r\nContent-Length: 4\r\n\r\nwell', 'passed while checking body'],
    ['match=body', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nill', 'failed while checking body'],
    [
      'match=body',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nwe\r\n2\r\nll\r\n0\r\n\r\n',
      'passed while checking body',
    ],
    ['match=not', 'HTTP/1.1 204 No Content\r\n\r\n', 'passed while checking body'],
  ])('%s %j: %s', async (check, answer, expected) => {
    backend.answer = answer
    expect(await verdict(backend.address, check)).toBe(expected)
  })
})

describe('the content', () => {
  const head = 'HTTP/1.1 200 OK\r\nContent-Length: 400000\r\n\r\n'

  it('is looked at up to 256k', async () => {
    const before = 'a'.repeat(256 * 1024 - 4)
    backend.answer = `${head}${before}well`
    expect(await verdict(backend.address, 'match=body')).toBe('passed while checking body')
    backend.answer = `${head}${before}.well`
    expect(await verdict(backend.address, 'match=body')).toBe('failed while checking body')
  })

  it('is not waited for where nobody asks for it', async () => {
    backend.answer = head
    expect(await verdict(backend.address)).toBe('passed while checking status code')
    await eventually('closed connection', () => backend.open === 0)
  })
})

describe('a peer that', () => {
  const reading = 'while reading response header from upstream'

  it('refuses connections', async () => {
    const refused = 'failed while connecting to upstream: connect() failed (111: Connection refused)'
    expect(await verdict(`127.0.0.1:${await freePort()}`)).toBe(refused)
  })

  it('takes no connection in time', async () => {
    const deaf = await DeafListener.start()
    try {
      const late = 'failed while connecting to upstream: upstream timed out (110: Connection timed out)'
      expect(await verdict(`127.0.0.1:${deaf.port}`)).toBe(late)
      expect(await verdict(`127.0.0.1:${deaf.port}`, 'type=tcp')).toBe(late)
    } finally {
      await deaf.stop()
    }
  })

  it.each([
    ['never answers', '', 'upstream timed out (110: Connection timed out)'],
    ['sends half a head', 'HTTP/1.1 200 OK\r\nX-A', 'upstream timed out (110: Connection timed out)'],
    ['answers with something else', 'SSH-2.0-OpenSSH\r\n\r\n', 'upstream sent invalid header'],
    [
      'sends a head that does not end',
      `HTTP/1.1 200 OK\r\nX-A: ${'a'.repeat(9000)}`,
      'upstream sent too big header',
    ],
  ])('%s', async (_what, answer, error) => {
    backend.answer = answer
    expect(await verdict(backend.address)).toBe(`failed ${reading}: ${error}`)
    await eventually('closed connection', () => backend.open === 0)
  })

  it('sends a byte of its head now and then', async () => {
    backend.answer = { bytes: ['HTTP/1.1 200 OK\r\n', ...'X-Long: endless'.split('')], gap: 50 }
    expect(await verdict(backend.address)).toBe(
      `failed ${reading}: upstream timed out (110: Connection timed out)`,
    )
  })

  it('closes the connection', async () => {
    backend.answer = { bytes: '', after: 'end' }
    expect(await verdict(backend.address)).toBe(`failed ${reading}: upstream prematurely closed connection`)
  })

  it('resets the connection', async () => {
    backend.answer = { bytes: '', after: 'reset' }
    expect(await verdict(backend.address)).toBe(
      `failed ${reading}: recv() failed (104: Connection reset by peer)`,
    )
  })

  it('does not complete the content that is asked for', async () => {
    const head = 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nwell'
    const body = 'failed while reading upstream'
    backend.answer = head
    expect(await verdict(backend.address, 'match=body')).toBe(
      `${body}: upstream timed out (110: Connection timed out)`,
    )
    backend.answer = { bytes: head, after: 'end' }
    expect(await verdict(backend.address, 'match=body')).toBe(
      `${body}: upstream prematurely closed connection`,
    )
  })

  it('sends content without end', async () => {
    const server = await endless()
    try {
      const { port } = server.address() as { port: number }
      expect(await verdict(`127.0.0.1:${port}`, 'match=body')).toBe('failed while checking body')
    } finally {
      server.close()
    }
  })
})

/** Sends a head and then as much as the peer takes. */
async function endless(): Promise<Server> {
  const server = createServer((socket) => {
    const more = () => {
      while (socket.writable && socket.write('a'.repeat(65_536)));
    }
    socket.on('error', () => {})
    socket.on('drain', more)
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      more()
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return server
}

describe('the request', () => {
  const text = () => backend.requests.map(({ bytes }) => bytes.toString('latin1'))

  it('is a GET with the fields of the location, on a connection of its own', async () => {
    const location =
      'proxy_set_header X-A b; proxy_set_header Upgrade websocket; proxy_set_header Connection upgrade;'
    const from = proberTo(backend.address, 'uri=/health?a', location)
    expect((await ask(from)).passed && (await ask(from)).passed).toBe(true)
    const request = 'GET /health?a HTTP/1.1\r\nhost: u\r\nconnection: close\r\nX-A: b\r\n\r\n'
    expect(text()).toEqual([request, request])
    expect(backend.requests.map(({ connection }) => connection)).toEqual([0, 1])
  })

  it('goes to the port of the check', async () => {
    expect(await verdict(`127.0.0.1:${await freePort()}`, `port=${backend.port}`)).toBe(
      'passed while checking status code',
    )
  })

  it('comes from the address of proxy_bind', async () => {
    const server = createServer()
    const address = new Promise<string>((done) => {
      server.on('connection', (socket) => {
        done(socket.remoteAddress ?? '')
        socket.destroy()
      })
    })
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    const { port } = server.address() as { port: number }
    await verdict(`127.0.0.1:${port}`, '', 'proxy_bind 127.0.0.7;')
    server.close()
    expect(await address).toBe('127.0.0.7')
  })

  it('with keepalive_time, several go through one connection', async () => {
    const from = proberTo(backend.address, 'keepalive_time=1m')
    for (let count = 0; count < 3; count++) expect((await ask(from)).passed).toBe(true)
    expect(backend.connections).toBe(1)
    expect(text()[2]).toContain('connection: keep-alive')
  })

  it('with keepalive_time, one that has grown too old is replaced', async () => {
    const from = proberTo(backend.address, 'keepalive_time=1ms')
    expect((await ask(from)).passed).toBe(true)
    const end = performance.now() + 5
    await eventually('another millisecond', () => performance.now() > end)
    expect((await ask(from)).passed).toBe(true)
    expect(backend.connections).toBe(2)
  })

  it('with keepalive_time, a connection that was closed meanwhile is no failure', async () => {
    const from = proberTo(backend.address, 'keepalive_time=1m')
    // It closes the kept connection when the second request is there, as one that had just been too long idle.
    backend.answer = (_request, index) => (index === 1 ? { bytes: '', after: 'reset' } : OK)
    expect(words(await ask(from))).toBe('passed while checking status code')
    expect(words(await ask(from))).toBe('passed while checking status code')
    expect(backend.connections).toBe(2)
    // One that is new has no such excuse.
    backend.answer = { bytes: '', after: 'reset' }
    expect((await ask(from)).passed).toBe(false)
  })
})

describe('other addresses', () => {
  it('a unix socket', async () => {
    const folder = await temporaryFolder()
    const local = await RawBackend.start(join(folder, 'socket'))
    try {
      expect(await verdict(`unix:${join(folder, 'socket')}`)).toBe('passed while checking status code')
      expect(await verdict(`unix:${join(folder, 'socket')}`, 'type=tcp')).toBe(
        'passed while connecting to upstream',
      )
      const gone = `unix:${join(folder, 'gone')}`
      const failed = `connect() to ${gone} failed (2: No such file or directory)`
      expect(await verdict(gone)).toBe(`failed while connecting to upstream: ${failed}`)
    } finally {
      await local.stop()
      await removeFolder(folder)
    }
  })

  it('IPv6', async () => {
    const server = createServer((socket) => void socket.on('error', () => {}).end(OK))
    await new Promise<void>((done) => server.listen(0, '::1', done))
    const { port } = server.address() as { port: number }
    expect(await verdict(`[::1]:${port}`)).toBe('passed while checking status code')
    server.close()
  })
})

describe('type=tcp', () => {
  it('a connection is enough', async () => {
    backend.answer = ''
    expect(await verdict(backend.address, 'type=tcp')).toBe('passed while connecting to upstream')
    await eventually('closed connection', () => backend.open === 0)
  })

  it('none is not', async () => {
    const refused = 'failed while connecting to upstream: connect() failed (111: Connection refused)'
    expect(await verdict(`127.0.0.1:${await freePort()}`, 'type=tcp')).toBe(refused)
  })
})

describe('broken answers', () => {
  it.each(malformedResponses.map(({ name, parts, ends }) => [name, parts, ends] as const))(
    '%s',
    async (_name, parts, ends) => {
      backend.answer = { bytes: [...parts], after: ends ? 'end' : 'keep' }
      const from = proberTo(backend.address, 'match=body keepalive_time=1m', 'proxy_read_timeout 50ms;')
      // Whatever undici makes of it; some are well enough for a check.
      expect(await ask(from)).toMatchObject({ passed: false })
      backend.answer = OK
      expect(words(await ask(from))).toBe('passed while checking body')
    },
  )
})

it('a field that no request can have is a failure that says so', async () => {
  const location = 'proxy_set_header "X Y" a;'
  expect(await verdict(backend.address, '', location)).toBe(
    'failed while connecting to upstream: invalid header key',
  )
})

it('one that is stopped says nothing more and leaves no connection', async () => {
  backend.answer = ''
  const verdicts: Verdict[] = []
  const from = proberTo(backend.address, '', 'proxy_read_timeout 10s;')
  from.start((one) => verdicts.push(one))
  await eventually('request', () => backend.requests.length === 1)
  from.stop()
  await eventually('closed connection', () => backend.open === 0)
  expect(verdicts).toEqual([])
})
