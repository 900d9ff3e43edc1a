// `proxy_pass_trailers`: trailer sections of backends on their way to clients.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { serverConf, TestEngine } from '../../support/engine.ts'
import { RawBackend } from '../../support/raw-backend.ts'
import { rawRequest } from '../../support/raw-client.ts'

const SERVER = `
  proxy_pass_trailers on;
  location / { proxy_pass http://%BACKEND%; proxy_hide_header X-Secret; proxy_pass_header X-Pad; }
  location /off { proxy_pass http://%BACKEND%; proxy_pass_trailers off; }
  location /asking { proxy_pass http://%BACKEND%; proxy_set_header Connection te; proxy_set_header TE trailers; }
  location /own { proxy_pass http://%BACKEND%; add_trailer X-Own "$upstream_trailer_x_sum"; }
  location /small { proxy_pass http://%BACKEND%; proxy_buffer_size 1k; }
  location /else { return 200 ok; }
  location /limited { proxy_pass http://%BACKEND%; limit_rate 20k; }
  location /gzip { proxy_pass http://%BACKEND%; gzip on; gzip_types *; gzip_min_length 1; }
`
const HTTP = `
  log_format sent '$uri [$sent_trailer_x_sum] [$upstream_trailer_x_sum]';
  access_log logs/sent.log sent;
`
const HEAD = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n'
const SUM = 'X-Sum: 12\r\n'
const chunked = (trailers = SUM) => `${HEAD}2\r\nok\r\n0\r\n${trailers}\r\n`

let engine: TestEngine
let backend: RawBackend

beforeAll(async () => {
  backend = await RawBackend.start()
  engine = await TestEngine.start(serverConf(SERVER, HTTP), { BACKEND: backend.address })
})
beforeEach(() => backend.reset(chunked()))
afterAll(() => Promise.all([engine?.stop(), backend?.stop()]))

async function ask(target: string, version = '1.1', fields = ''): Promise<{ head: string; content: string }> {
  const request = `GET ${target} HTTP/${version}\r\nHost: test\r\n${fields}Connection: close\r\n\r\n`
  const { bytes } = await rawRequest(engine.port, request, { until: 'close' })
  const text = bytes.toString('latin1')
  const end = text.indexOf('\r\n\r\n') + 4
  return { head: text.slice(0, end), content: text.slice(end) }
}

/** The last line about the trailers of `target`, once there are `count` such lines. */
async function told(target: string): Promise<string> {
  const lines = engine.read('logs/sent.log').split('\n').length - 1
  await ask(target)
  await engine.logged(1)
  const all = engine.read('logs/sent.log').split('\n').slice(0, -1)
  expect(all.length).toBe(lines + 1)
  return all.at(-1)!
}

describe('proxy_pass_trailers', () => {
  it('on: clients of HTTP/1.1 get them behind the last chunk, and the field that announces them', async () => {
    const { head, content } = await ask('/')
    expect(head).toMatch(/\r\nTransfer-Encoding: chunked\r\n[\s\S]*\r\nTrailer: X-Sum\r\n/)
    expect(content).toBe('2\r\nok\r\n0\r\nX-Sum: 12\r\n\r\n')
  })

  it('off: they do not', async () => {
    expect((await ask('/off')).content).toBe('2\r\nok\r\n0\r\n\r\n')
  })

  it('clients of HTTP/1.0 get none', async () => {
    expect((await ask('/', '1.0')).content).toBe('ok')
  })

  it('the backend is asked for them by proxy_set_header, not by what the client says', async () => {
    await ask('/asking')
    await ask('/', '1.1', 'TE: trailers\r\n')
    const [asking, other] = backend.requests.map(({ bytes }) => bytes.toString('latin1'))
    expect(asking).toMatch(/\r\nConnection: te\r\nTE: trailers\r\n/)
    expect(other).not.toMatch(/\r\nTE:/i)
  })

  it('add_trailer comes behind them, even where the backend sends none', async () => {
    expect((await ask('/own')).content).toBe('2\r\nok\r\n0\r\nX-Sum: 12\r\nX-Own: 12\r\n\r\n')
    backend.reset('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    expect((await ask('/own')).content).toBe('2\r\nok\r\n0\r\n\r\n')
  })

  it('a response of known length keeps it', async () => {
    backend.reset('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    const { head, content } = await ask('/')
    expect(head).toMatch(/\r\nContent-Length: 2\r\n/)
    expect(content).toBe('ok')
  })

  it('compressed content has them too', async () => {
    backend.reset(`${HEAD}28\r\n${'a'.repeat(40)}\r\n0\r\n${SUM}\r\n`)
    const { head, content } = await ask('/gzip', '1.1', 'Accept-Encoding: gzip\r\n')
    expect(head).toContain('Content-Encoding: gzip\r\n')
    expect(content).toMatch(/\r\n0\r\nX-Sum: 12\r\n\r\n$/)
  })

  it('content that is held back by limit_rate has them too', async () => {
    backend.reset(`${HEAD}1000\r\n${'a'.repeat(4096)}\r\n0\r\n${SUM}\r\n`)
    const { content } = await ask('/limited')
    expect(content).toMatch(/\r\n0\r\nX-Sum: 12\r\n\r\n$/)
  })

  it('a response without content but with trailers has them', async () => {
    backend.reset(`${HEAD}0\r\n${SUM}\r\n`)
    expect((await ask('/')).content).toBe('0\r\nX-Sum: 12\r\n\r\n')
  })

  it('a HEAD has none', async () => {
    backend.reset(HEAD)
    const { bytes } = await rawRequest(
      engine.port,
      'HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
      {
        until: 'close',
      },
    )
    expect(bytes.toString('latin1')).toMatch(/\r\n\r\n$/)
  })

  it('the connection to the backend is used again', async () => {
    await ask('/')
    await ask('/off')
    expect(backend.requests.map(({ connection }) => connection)).toEqual([0, 0])
  })

  it('variables tell of what was received and of what was sent', async () => {
    expect(await told('/')).toBe('/ [12] [12]')
    expect(await told('/off')).toBe('/off [-] [12]')
  })

  it('they may come in pieces', async () => {
    backend.reset({ bytes: [HEAD, '2\r\no', 'k\r\n0\r', '\nX-S', 'um: 1', '2\r', '\n\r', '\n'] })
    expect((await ask('/')).content).toMatch(/0\r\nX-Sum: 12\r\n\r\n$/)
  })
})

describe('a response in the place of one with trailers', () => {
  it('has none of them, and its own framing', async () => {
    backend.reset(chunked().replace('\r\n', '\r\nX-Accel-Redirect: /else\r\n'))
    const { head, content } = await ask('/')
    expect(head).toContain('Content-Length: 2\r\n')
    expect(content).toBe('ok')
  })
})

describe('fields of trailers', () => {
  it.each([
    ['as they came', 'x-sum:12\r\nX-SUM: 13\r\nETag: "a"\r\n', 'x-sum: 12\r\nX-SUM: 13\r\nETag: "a"\r\n'],
    ['hidden', `Server: x\r\nX-Secret: x\r\nX-Accel-Expires: 1\r\nx-pad: 1\r\n${SUM}`, `x-pad: 1\r\n${SUM}`],
    ['framing', `Content-Length: 5\r\nTransfer-Encoding: chunked\r\nTrailer: x\r\n${SUM}`, SUM],
    ['connection', `connection: close\r\nKeep-Alive: 1\r\nUpgrade: h2c\r\nTE: trailers\r\n${SUM}`, SUM],
    ['routing', `host: evil\r\nMax-Forwards: 1\r\n${SUM}`, SUM],
    ['authentication', `SET-COOKIE: a=b\r\nWWW-Authenticate: Basic\r\nAuthorization: x\r\n${SUM}`, SUM],
    ['response control', `Location: /evil\r\nCache-Control: public\r\nVary: *\r\nAge: 1\r\n${SUM}`, SUM],
    ['content', `Content-Type: text/html\r\nContent-Encoding: gzip\r\nContent-Range: x\r\n${SUM}`, SUM],
    ['nothing left', 'Content-Length: 5\r\n', ''],
  ])('%s', async (_name, sent, passed) => {
    backend.reset(chunked(sent))
    expect((await ask('/')).content).toBe(`2\r\nok\r\n0\r\n${passed}\r\n`)
  })
})

describe('hostile trailers', () => {
  it.each([
    ['a bare CR', 'X: a\rSet-Cookie: b\r\n', 'invalid trailer: "X: a\\x0d..."'],
    ['a bare LF', 'X: a\nSet-Cookie: b\r\n', 'invalid trailer'],
    ['NUL', 'X: a\0\r\n', 'invalid trailer: "X: a\\x00..."'],
    ['a blank before the colon', 'X : a\r\n', 'invalid trailer: "X\\x20..."'],
    ['a folded line', 'X: a\r\n b\r\n', 'invalid trailer: "\\x20..."'],
    ['no colon', 'X\r\n', 'invalid trailer: "X\\x0d..."'],
    ['longer than 4 KiB', `X: ${'a'.repeat(4096)}\r\n`, 'too big trailers'],
    ['endless', 'X: a\r\n'.repeat(10_000), 'too big trailers'],
  ])('%s: the response is cut off, and none of them passes', async (_name, trailers, words) => {
    backend.reset(chunked(trailers))
    const { head, content } = await ask('/')
    expect(head).toMatch(/^HTTP\/1\.1 200 /)
    expect(content).toBe('2\r\nok\r\n')
    expect(engine.errorLog.split('\n').at(-2)).toContain(`[error]`)
    expect(engine.errorLog.split('\n').at(-2)).toContain(`upstream sent ${words} while reading upstream`)
    backend.answer = chunked()
    await ask('/')
    expect(backend.requests.at(-1)!.connection).toBe(1)
  })

  it('of 4 KiB pass', async () => {
    const trailers = `X: ${'a'.repeat(4096 - 7)}\r\n`
    expect(trailers.length + 2).toBe(4096)
    backend.reset(chunked(trailers))
    expect((await ask('/')).content).toBe(`2\r\nok\r\n0\r\n${trailers}\r\n`)
  })

  it('longer than proxy_buffer_size do not', async () => {
    backend.reset(chunked(`X: ${'a'.repeat(1024)}\r\n`))
    expect((await ask('/small')).content).toBe('2\r\nok\r\n')
    expect((await ask('/')).content).toMatch(/aa\r\n\r\n$/)
  })

  it('cut off by the end of the connection: none of them passes', async () => {
    backend.reset({ bytes: `${HEAD}2\r\nok\r\n0\r\nX-Sum: 12\r\n`, after: 'end' })
    expect((await ask('/')).content).toBe('2\r\nok\r\n')
  })
})
