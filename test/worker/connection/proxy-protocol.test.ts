// PROXY protocol headers: cut at every byte, their fields, and whatever else may stand where one is expected. What
// nginx makes of whole ones is compared in test/parity/proxy-protocol.test.ts.

import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readPreface } from '../../../src/worker/connection/proxy-protocol.ts'
import { run as endTurn } from '../../../src/worker/tick.ts'
import { serverConf, TestEngine } from '../../support/engine.ts'
import { eventually } from '../../support/wait.ts'

const bytes = (...numbers: number[]): string => String.fromCharCode(...numbers)
const field = (type: number, value: string): string =>
  bytes(type, value.length >> 8, value.length & 255) + value
const v2 = (payload: string, length = payload.length, command = 0x21, family = 0x11): string =>
  `\r\n\r\n\0\r\nQUIT\n${bytes(command, family, length >> 8, length & 255)}${payload}`
const INET = bytes(192, 0, 2, 1, 198, 51, 100, 2, 0x30, 0x39, 0x01, 0xbb)
const SSL = field(
  0x20,
  bytes(1, 0xff, 0, 0, 1) +
    field(0x21, 'TLSv1.3') +
    field(0x22, 'a client') +
    field(0x23, 'AES') +
    field(0x24, 'SHA256') +
    field(0x25, 'RSA2048'),
)
const FIELDS =
  field(1, 'h2') +
  field(2, 'example.com') +
  field(3, 'crc!') +
  field(5, 'id') +
  SSL +
  field(0x30, 'ns') +
  field(0xe0, 'own') +
  field(0xe0, 'again')
const V1 = 'PROXY TCP4 192.0.2.1 198.51.100.2 12345 443\r\n'
const GET = 'GET / HTTP/1.1\r\nHost: test\r\n\r\n'

/** What was said, or why not. */
function proxyOf(text: string) {
  const preface = readPreface(text)
  if (preface === null || 'broken' in preface) throw new Error(JSON.stringify(preface))
  return preface.proxy
}

describe('fields of version 2', () => {
  it.each([
    ['alpn', 'h2'],
    ['authority', 'example.com'],
    ['crc32c', 'crc!'],
    ['unique_id', 'id'],
    ['netns', 'ns'],
    ['ssl', SSL.slice(3)],
    ['ssl_verify', '4278190081'],
    ['ssl_version', 'TLSv1.3'],
    ['ssl_cn', 'a client'],
    ['ssl_cipher', 'AES'],
    ['ssl_sig_alg', 'SHA256'],
    ['ssl_key_alg', 'RSA2048'],
    ['0x01', 'h2'],
    ['0xe0', 'own'],
    ['0xE0', 'own'],
    ['0x99', null],
    ['ssl_0x22', 'a client'],
    ['ssl_0x99', null],
  ])('%s', (name, value) => {
    expect(proxyOf(v2(INET + FIELDS))?.tlv(name)).toBe(value)
  })

  it.each(['alpn', 'ssl', 'ssl_cn', 'ssl_verify', '0x01'])('%s where there are none', (name) => {
    expect(proxyOf(V1)?.tlv(name)).toBe(null)
    expect(proxyOf(v2(INET))?.tlv(name)).toBe(null)
  })

  it('of TLS too short for its flags are not there', () => {
    expect(proxyOf(v2(INET + field(0x20, bytes(1, 0, 0, 0))))?.tlv('ssl_verify')).toBe(null)
  })

  it.each([
    ['nope', 'unknown PROXY protocol TLV "nope"'],
    ['ssl_nope', 'unknown PROXY protocol TLV "ssl_nope"'],
    ['0x', 'invalid PROXY protocol TLV "0x"'],
    ['0xg', 'invalid PROXY protocol TLV "0xg"'],
    ['0x05', 'broken PROXY protocol TLV'],
  ])('%s cannot be read', (name, message) => {
    const cut = name === '0x05' ? bytes(9, 0) : ''
    expect(() => proxyOf(v2(INET + SSL + cut))?.tlv(name)).toThrow(message)
  })
})

describe('any bytes', () => {
  const start = fc.constantFrom(
    '',
    'PROXY ',
    'PROXY TCP4 ',
    'PROXY UNKNOWN',
    V1,
    v2(INET + FIELDS),
    v2('').slice(0, 12),
  )
  const text = fc
    .tuple(start, fc.uint8Array({ maxLength: 300 }))
    .map(([begin, rest]) => begin + bytes(...rest))

  it('are a header, none, or too few, and which does not depend on how they come', () => {
    fc.assert(
      fc.property(text, (whole) => {
        const found = readPreface(whole)
        for (let length = 0; length <= whole.length; length++) {
          const part = readPreface(whole.slice(0, length))
          if (part === null) continue
          if ('end' in part) {
            expect(part.end).toBeLessThanOrEqual(length)
            expect(found).toEqual(part)
          } else expect(found).toHaveProperty('broken')
          return
        }
        expect(found).toBe(null)
        expect(whole.length).toBeLessThan(4096)
      }),
    )
  })

  it('are never waited for without end', () => {
    const endless = ['PROXY TCP4 ', 'PROXY UNKNOWN', v2('', 65535)]
    for (const begin of endless) expect(readPreface(begin + '1'.repeat(5000))).toHaveProperty('broken')
    expect(readPreface(`PROXY UNKNOWN ${'x'.repeat(91)}\r\n`)).toHaveProperty('end', 107)
    expect(readPreface(`PROXY UNKNOWN ${'x'.repeat(92)}\r\n`)).toHaveProperty('broken')
    expect(readPreface(v2('', 4080))).toBe(null)
    expect(readPreface(v2('', 4081))).toHaveProperty('broken')
  })

  it('as fields give values or errors of their own', () => {
    const names = ['alpn', 'ssl', 'ssl_cn', 'ssl_verify', '0x20', 'ssl_0x21']
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.constantFrom(...names), (fields, name) => {
        const proxy = proxyOf(v2(INET + bytes(...fields)))
        try {
          const value = proxy!.tlv(name)
          if (value !== null) expect(typeof value).toBe('string')
        } catch (error) {
          expect((error as Error).message).toBe('broken PROXY protocol TLV')
        }
      }),
    )
  })
})

describe('a connection', () => {
  let engine: TestEngine

  beforeAll(async () => {
    const conf = serverConf(
      `client_header_timeout 300ms;
       return 200 "$proxy_protocol_addr:$proxy_protocol_port $proxy_protocol_tlv_alpn $proxy_protocol_tlv_x";`,
    )
    engine = await TestEngine.start(conf.replace('%PORT%;', '%PORT% proxy_protocol;'))
  })
  afterAll(() => engine.stop())

  it.each([
    ['version 1', V1, '192.0.2.1:12345  '],
    ['version 2', v2(INET + FIELDS), '192.0.2.1:12345 h2 '],
    ['version 2, LOCAL', v2('', 0, 0x20, 0), ':  '],
    ['version 1, UNKNOWN', 'PROXY UNKNOWN\r\n', ':  '],
  ])('takes a header cut at every byte: %s', async (_name, header, said) => {
    const whole = header + GET
    for (let cut = 0; cut <= whole.length; cut++) {
      const { transport } = engine.connect()
      if (cut > 0) transport.receive(whole.slice(0, cut))
      endTurn()
      if (cut < whole.length) transport.receive(whole.slice(cut))
      expect(transport.sent.slice(transport.sent.indexOf('\r\n\r\n') + 4)).toBe(said)
      transport.destroy()
      endTurn()
    }
    await eventually('no connection left', () => engine.stats.active === 0)
    expect(engine.stats.waiting).toBe(0)
  })

  it('without the rest of its header is given up after client_header_timeout', async () => {
    const client = engine.connect()
    client.transport.receive('PROXY TC')
    await eventually('end', () => client.gone)
    expect(client.transport.sent).toBe('')
    expect(engine.errorLog).toContain(
      'client timed out (110: Connection timed out) while reading PROXY protocol, client: 192.0.2.1, server: 127.0.0.1:',
    )
  })

  it('that ends in its header is closed', async () => {
    const client = engine.connect()
    client.transport.receive('PROXY TCP')
    client.transport.receiveEnd()
    await eventually('end', () => client.gone)
    expect(engine.errorLog).toContain('[error] ')
    expect(engine.errorLog).toContain('broken header: "PROXY TCP" while reading PROXY protocol')
  })

  it('with a field asked for by a wrong name says so in the error log', async () => {
    const { transport } = engine.connect()
    transport.receive(V1 + GET)
    expect(engine.errorLog).toContain('unknown PROXY protocol TLV "x", client: 192.0.2.1')
    transport.destroy()
    await eventually('no connection left', () => engine.stats.active === 0)
  })
})
