// Clients of HTTP/2 that others have written, over plain connections: curl, nghttp, h2load and node:http2.

import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, writeFileSync } from 'node:fs'
import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from 'node:http2'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { serverConf, TestEngine } from '../../support/engine.ts'
import { RawBackend } from '../../support/raw-backend.ts'
import { eventually } from '../../support/wait.ts'

const run = promisify(execFile)
const LARGE = randomBytes(1_000_000)

let engine: TestEngine
let backend: RawBackend
let url: string

beforeAll(async () => {
  backend = await RawBackend.start()
  engine = await TestEngine.start(
    serverConf(`
      http2 on;
      root %FOLDER%;
      client_max_body_size 0;
      location / { return 200 "$request_method $http_cookie $content_length"; }
      location /file { }
      location /proxy { proxy_pass http://%BACKEND%; proxy_pass_trailers on; }
    `),
    { BACKEND: backend.address },
  )
  writeFileSync(join(engine.folder, 'file'), LARGE)
  url = `http://127.0.0.1:${engine.port}`
})
afterAll(async () => {
  await engine.stop()
  await backend.stop()
})

const installed = (name: string): boolean => existsSync(`/usr/bin/${name}`)

describe.skipIf(!installed('curl'))('curl', () => {
  const curl = (...args: string[]) =>
    run('curl', ['-s', '--http2-prior-knowledge', '-m', '20', ...args], {
      encoding: 'buffer',
      maxBuffer: 2 ** 25,
    })

  it('gets a page and its fields', async () => {
    const { stdout } = await curl('-i', '-b', 'a=1; b=2', `${url}/x`)
    const [head, body] = stdout.toString().split('\r\n\r\n')
    expect(head).toMatch(
      /^HTTP\/2 200 \r\nserver: weir\/[^\r]+\r\ndate: [^\r]+\r\ncontent-type: text\/plain\r\n/,
    )
    expect(body).toBe('GET a=1; b=2 ')
  })

  it('gets a large file, and sends one', async () => {
    expect((await curl(`${url}/file`)).stdout.equals(LARGE)).toBe(true)
    backend.reset()
    await curl('--data-binary', `@${join(engine.folder, 'file')}`, `${url}/proxy`)
    const { bytes } = backend.requests[0]!
    expect(bytes.subarray(bytes.length - LARGE.length).equals(LARGE)).toBe(true)
  })
})

describe.skipIf(!installed('nghttp'))('nghttp2', () => {
  it('nghttp gets several at once', async () => {
    const urls = [`${url}/a`, `${url}/file`, `${url}/b`]
    const { stdout } = await run('nghttp', ['-ns', ...urls], { maxBuffer: 2 ** 25 })
    expect(stdout.match(/ 200 /g)).toHaveLength(3)
  })

  it('h2load: none of many requests on several connections fails', async () => {
    const { stdout } = await run('h2load', ['-n', '2000', '-c', '4', '-m', '50', `${url}/x`])
    expect(stdout).toContain('2000 succeeded, 0 failed, 0 errored, 0 timeout')
    expect(stdout).toContain('2000 2xx')
  })
})

describe('node:http2', () => {
  let session: ClientHttp2Session
  beforeAll(() => {
    session = connect(url)
  })
  afterAll(() => new Promise<void>((done) => session.close(done)))

  interface Response {
    headers: IncomingHttpHeaders
    body: Buffer
    trailers: IncomingHttpHeaders
  }

  async function exchange(headers: Record<string, string>, body: Buffer | string = ''): Promise<Response> {
    const stream = session.request(headers, { endStream: body.length === 0 })
    const parts: Buffer[] = []
    const response: Response = { headers: {}, body: Buffer.alloc(0), trailers: {} }
    stream.on('response', (fields) => (response.headers = fields))
    stream.on('trailers', (fields) => (response.trailers = fields))
    stream.on('data', (bytes: Buffer) => parts.push(bytes))
    if (body.length > 0) stream.end(body)
    await new Promise((done, fail) => stream.on('end', done).on('error', fail))
    response.body = Buffer.concat(parts)
    return response
  }

  it('many requests at the same time', async () => {
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) => exchange({ ':path': `/${index}`, cookie: `n=${index}` })),
    )
    expect(answers.map(({ body }) => body.toString())).toEqual(answers.map((_, index) => `GET n=${index} `))
  })

  it('large bodies both ways at the same time', async () => {
    backend.reset((request) => {
      const head = `HTTP/1.1 200 OK\r\nContent-Length: ${LARGE.length}\r\n\r\n`
      return Buffer.concat([Buffer.from(head), request.subarray(request.length - LARGE.length)])
    })
    const answers = await Promise.all(
      Array.from({ length: 4 }, () => exchange({ ':path': '/proxy', ':method': 'POST' }, LARGE)),
    )
    for (const { body } of answers) expect(body.equals(LARGE)).toBe(true)
  })

  it('trailers of the backend, and of requests, which nobody gets', async () => {
    backend.reset('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 7\r\n\r\n')
    const stream = session.request({ ':path': '/proxy', ':method': 'POST' }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-hidden': '1' }))
    const trailers = new Promise<IncomingHttpHeaders>((done) => stream.on('trailers', done))
    stream.end('body')
    stream.resume()
    expect((await trailers)['x-sum']).toBe('7')
    const request = backend.requests[0]!.bytes.toString()
    expect(request).toMatch(/\r\n\r\n4\r\nbody\r\n0\r\n\r\n$|\r\n\r\nbody$/)
    expect(request).not.toContain('hidden')
  })

  it('a request it cancels is given up at the backend', async () => {
    backend.reset({ bytes: 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nsome' })
    const stream = session.request({ ':path': '/proxy' })
    stream.on('error', () => {})
    await new Promise((done) => stream.once('data', done))
    stream.close(8)
    await eventually('end at the backend', () => backend.open === 0)
  })

  it('a ping comes back', async () => {
    const payload = await new Promise<Buffer>((done, fail) =>
      session.ping(Buffer.from('01234567'), (error, _duration, bytes) => (error ? fail(error) : done(bytes))),
    )
    expect(payload.toString()).toBe('01234567')
  })
})
