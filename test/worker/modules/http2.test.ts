// The directives of HTTP/2: what they take, what nginx says of the others, and `$http2`.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { serverConf, TestEngine } from '../../support/engine.ts'
import { get, headers, INITIAL_WINDOW_SIZE, MAX_CONCURRENT_STREAMS } from '../../support/http2-bytes.ts'
import { block, type Field } from '../../support/http2-hpack.ts'
import { Http2Raw } from '../../support/http2-raw.ts'
import { rawRequest } from '../../support/raw-client.ts'

let engine: TestEngine | null = null
afterEach(async () => {
  await engine?.stop()
  engine = null
})

async function started(body: string, http = ''): Promise<TestEngine> {
  engine = await TestEngine.start(serverConf(body, http))
  return engine
}

describe('http2', () => {
  it('on: a plain connection speaks HTTP/2 or HTTP/1, by its first bytes; $http2 tells', async () => {
    const { port } = await started(`http2 on; return 200 "[$http2] $server_protocol $request";`)
    const client = await Http2Raw.connect(port)
    client.send(get(1, '/x'))
    expect((await client.response(1)).body).toBe('[h2c] HTTP/2.0 GET /x HTTP/2.0')
    client.destroy()
    const { bytes } = await rawRequest(port, ['GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n'], {
      until: 'close',
    })
    expect(bytes.toString()).toMatch(/\r\n\r\n\[\] HTTP\/1\.1 GET \/ HTTP\/1\.1$/)
  })

  it('off: the preface is no request', async () => {
    const { port } = await started('return 200 ok;')
    const client = await Http2Raw.connect(port)
    await client.when('an end', () => client.ended)
    expect(client.responses.size).toBe(0)
    client.destroy()
  })

  it('off in a server that the request names: 421', async () => {
    const other = 'server { listen 127.0.0.1:%PORT%; server_name other; return 200 other; }'
    const conf = serverConf('http2 on; return 200 ok;')
    engine = await TestEngine.start(conf.replace(/\}\s*$/, `${other} }`))
    const client = await Http2Raw.connect(engine.port)
    const fields: Field[] = [
      [':method', 'GET'],
      [':scheme', 'http'],
      [':authority', 'other'],
      [':path', '/'],
    ]
    client.send(get(1), headers(3, block(...fields)))
    expect((await client.response(1)).status).toBe(200)
    expect((await client.response(3)).status).toBe(421)
    expect(engine.errorLog).toContain(
      'client attempted to request the server name for which the negotiated protocol is disabled',
    )
    client.destroy()
  })
})

describe('what the client is told', () => {
  const told = async (body: string): Promise<Map<number, number>> => {
    const { port } = await started(`http2 on; ${body}`)
    const client = await Http2Raw.connect(port)
    const { payload } = await client.frame('SETTINGS')
    client.destroy()
    const values = new Map<number, number>()
    for (let at = 0; at < payload.length; at += 6) {
      values.set(payload.readUInt16BE(at), payload.readUInt32BE(at + 2))
    }
    return values
  }

  it('http2_max_concurrent_streams and http2_body_preread_size by default', async () => {
    const values = await told('')
    expect(values.get(MAX_CONCURRENT_STREAMS)).toBe(128)
    expect(values.get(INITIAL_WINDOW_SIZE)).toBe(65_536)
  })

  it('http2_max_concurrent_streams and http2_body_preread_size as they are set', async () => {
    const values = await told('http2_max_concurrent_streams 7; http2_body_preread_size 1k;')
    expect(values.get(MAX_CONCURRENT_STREAMS)).toBe(7)
    expect(values.get(INITIAL_WINDOW_SIZE)).toBe(1024)
  })
})

describe('http2_chunk_size', () => {
  it.each([
    ['', 8192],
    ['http2_chunk_size 1k;', 1024],
    ['http2_chunk_size 1m;', 16_384],
  ])('%s: pieces of %i bytes', async (directive, longest) => {
    const text = '0123456789abcdef'.repeat(2500)
    const { port, folder } = await started(`http2 on; root %FOLDER%; location / { ${directive} }`)
    writeFileSync(join(folder, 'file'), text)
    const client = await Http2Raw.connect(port)
    client.send(get(1, '/file'))
    expect((await client.response(1)).body).toBe(text)
    const lengths = client.frames.filter(({ type }) => type === 'DATA').map(({ payload }) => payload.length)
    expect(Math.max(...lengths)).toBe(longest)
    client.destroy()
  })
})

describe('errors', () => {
  it.each([
    ['http2_chunk_size 0;', 'the http2 chunk size cannot be zero'],
    ['http2_body_preread_size 2147483648;', 'the maximum body preread buffer size is 2147483647'],
    ['http2_max_concurrent_streams x;', '"http2_max_concurrent_streams" directive invalid number'],
    ['http2_pool_size 100;', 'the pool size must be no less than 112'],
    ['http2_pool_size 120;', 'the pool size must be a multiple of 16'],
    ['http2_streams_index_size 3;', '"http2_streams_index_size" directive must be a power of two'],
    ['http2_streams_index_size 0;', '"http2_streams_index_size" directive must be a power of two'],
    ['http2 maybe;', 'invalid value "maybe" in "http2" directive, it must be "on" or "off"'],
    ['location / { http2 on; }', '"http2" directive is not allowed here'],
    ['http2_recv_buffer_size 1k;', '"http2_recv_buffer_size" directive is not allowed here'],
  ])('%s', async (directive, message) => {
    const own = await started('')
    expect(() => own.load(serverConf(directive))).toThrow(message)
  })

  it('http2_recv_buffer_size 16;', async () => {
    const own = await started('')
    expect(() => own.load(serverConf('', 'http2_recv_buffer_size 16;'))).toThrow(
      '"http2_recv_buffer_size" directive value is too small',
    )
  })
})

describe('directives that do nothing', () => {
  it.each([
    ['http2_recv_timeout 1s', 'use the "client_header_timeout" directive instead'],
    ['http2_idle_timeout 1s', 'use the "keepalive_timeout" directive instead'],
    ['http2_max_requests 1', 'use the "keepalive_requests" directive instead'],
    ['http2_max_field_size 1', 'use the "large_client_header_buffers" directive instead'],
    ['http2_max_header_size 1', 'use the "large_client_header_buffers" directive instead'],
    ['http2_max_concurrent_pushes 1', 'ignored'],
    ['http2_push off', 'ignored'],
    ['http2_push_preload on', 'ignored'],
  ])('%s is obsolete, as nginx says', async (directive, rest) => {
    const own = await started('')
    const { context } = own.load(serverConf(`${directive}; ${directive};`))
    const [name] = directive.split(' ')
    expect(context.warnings).toHaveLength(2)
    expect(context.warnings[0]).toContain(`the "${name}" directive is obsolete, ${rest}`)
  })

  it.each(['http2_recv_buffer_size 256k', 'http2_pool_size 4k', 'http2_streams_index_size 32'])(
    '%s has no effect here',
    async (directive) => {
      const own = await started('')
      const { context } = own.load(serverConf('', `${directive};`))
      expect(context.notices.join()).toContain(`the "${directive.split(' ')[0]}" directive has no effect`)
    },
  )
})
