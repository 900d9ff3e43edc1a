// Directives about request heads that Debian's nginx lacks, or that its answers cannot show.

import { afterEach, describe, expect, it } from 'vitest'
import { serverConf, TestEngine } from '../../support/engine.ts'
import { rawRequest } from '../../support/raw-client.ts'

let engine: TestEngine

afterEach(() => engine.stop())

async function answer(body: string, send: string, http = ''): Promise<string> {
  engine = await TestEngine.start(serverConf(`${body} location / { return 200 "$host"; }`, http))
  const { bytes } = await rawRequest(engine.port, send)
  return bytes.toString('latin1')
}

const fields = (count: number): string => Array.from({ length: count }, (_, n) => `F${n}: 1\r\n`).join('')
const get = (lines: string): string => `GET / HTTP/1.1\r\nHost: a\r\n${lines}Connection: close\r\n\r\n`

describe('max_headers', () => {
  it('lets as many header lines through', async () => {
    expect(await answer('max_headers 5;', get(fields(3)))).toMatch(/^HTTP\/1\.1 200 /)
  })

  it('refuses one more as a head that is too large', async () => {
    const text = await answer('max_headers 5;', get(fields(4)))
    expect(text).toMatch(/^HTTP\/1\.1 400 /)
    expect(text).toContain('Request Header Or Cookie Too Large')
    expect(engine.errorLog).toContain(
      'client sent too many header lines while reading client request headers',
    )
  })

  it('does not count lines that are left out', async () => {
    expect(await answer('max_headers 5;', get(`${fields(3)}X_A: 1\r\nX_B: 1\r\n`))).toMatch(
      /^HTTP\/1\.1 200 /,
    )
  })

  it('is that of the server that Host names', async () => {
    const other = 'server { listen 127.0.0.1:%PORT%; server_name a; max_headers 2; }'
    expect(await answer('', get(fields(2)), other)).toMatch(/^HTTP\/1\.1 400 /)
  })

  it('is 1000 by default', async () => {
    const conf = 'large_client_header_buffers 4 32k;'
    expect(await answer(conf, get(fields(998)))).toMatch(/^HTTP\/1\.1 200 /)
    await engine.stop()
    expect(await answer(conf, get(fields(999)))).toMatch(/^HTTP\/1\.1 400 /)
  })
})

describe('server_tokens', () => {
  it.each([
    ['off', 'weir'],
    ['"proxy of $host"', 'proxy of a'],
    ['plain', 'plain'],
  ])('%s names the server %j in the field and on pages', async (value, name) => {
    const text = await answer(
      `server_tokens ${value}; location /no { return 404; }`,
      get('').replace('/', '/no'),
    )
    expect(text).toContain(`\r\nServer: ${name}\r\n`)
    expect(text).toContain(`<hr><center>${name}</center>`)
  })

  it('leaves the field out where the value is empty', async () => {
    expect(await answer('server_tokens "";', get(''))).not.toContain('Server:')
  })
})

describe('a value of Host', () => {
  it.each(['a|b', 'a"b', 'a:65536', 'a:b', '[::1', '[::1]x', 'a\xe9'])('%j is refused', async (host) => {
    const text = await answer('', `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
    expect(text).toMatch(/^HTTP\/1\.1 400 /)
    expect(engine.errorLog).toContain('client sent invalid host header')
  })

  it.each([
    ["A~b!$&'()*+,;=%41", "a~b!$&'()*+,;=%41"],
    ['a.:65535', 'a'],
    ['[V1.A:b]:', '[v1.a:b]'],
  ])('%j means %j', async (host, name) => {
    expect(await answer('', `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)).toMatch(
      new RegExp(`\r\n\r\n${name.replace(/[^a-z0-9]/g, '\\$&')}$`),
    )
  })
})
