// proxy_upgrade: which requests go to the backend as requests for another protocol, and which do not.

import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isPassable } from '../../../../../src/worker/modules/content/proxy/upgrade.ts'
import { serverConf, TestEngine } from '../../../../support/engine.ts'
import { RawBackend } from '../../../../support/raw-backend.ts'
import { rawRequest } from '../../../../support/raw-client.ts'

const SERVER = `
  location / { proxy_pass http://%BACKEND%; }
  location /on/ { proxy_pass http://%BACKEND%; proxy_upgrade auto; proxy_set_header X-More yes; }
  location /off/ { proxy_pass http://%BACKEND%; proxy_upgrade off; }
  location /old/ { proxy_pass http://%BACKEND%; proxy_http_version 1.0; }
  location /own/ { proxy_pass http://%BACKEND%; proxy_set_header connection ""; }
  location /half/ { proxy_pass http://%BACKEND%; proxy_set_header Upgrade $http_x; }
  location /bare/ { proxy_pass http://%BACKEND%; proxy_pass_request_headers off; }
`
const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nwords'

let engine: TestEngine
let backend: RawBackend

beforeAll(async () => {
  backend = await RawBackend.start()
  engine = await TestEngine.start(serverConf(SERVER), { BACKEND: backend.address })
})
afterAll(async () => {
  backend?.dropConnections()
  await engine?.stop()
  await backend?.stop()
})

/** The fields about the protocol that the backend gets of a request with these lines. */
async function passed(
  lines: string[],
  target = '/',
  version = 'HTTP/1.1',
  method = 'GET',
): Promise<string[]> {
  backend.reset()
  const head = [`${method} ${target} ${version}`, 'Host: test', ...lines].join('\r\n')
  await rawRequest(engine.port, `${head}\r\n\r\n`)
  const text = backend.requests[0]!.bytes.toString('latin1')
  return text.split('\r\n').filter((line) => /^(?:upgrade|connection):/i.test(line))
}

const PASSED = ['Upgrade: websocket', 'Connection: upgrade']

describe('proxy_upgrade auto', () => {
  it.each([
    ['Connection: Upgrade', 'Upgrade: websocket'],
    ['Upgrade: websocket', 'connection: upgrade'],
    ['Connection: keep-alive, Upgrade', 'Upgrade: websocket'],
    ['Connection: UPGRADE ,close', 'Upgrade: websocket'],
    ['Connection: keep-alive', 'Connection: upgrade', 'Upgrade: websocket'],
  ])('a request that asks for another protocol is passed on as one: %s, %s', async (...lines) => {
    expect(await passed(lines)).toEqual(PASSED)
    expect(await passed(lines, '/on/')).toEqual(PASSED)
  })

  it('passes the protocols as they are asked for', async () => {
    expect(await passed(['Connection: upgrade', 'Upgrade: a/1.0 , b!,c/x'])).toEqual([
      'Upgrade: a/1.0 , b!,c/x',
      'Connection: upgrade',
    ])
    expect(await passed(['Connection: upgrade', 'Upgrade: a', 'Upgrade: b'])).toEqual([
      'Upgrade: a, b',
      'Connection: upgrade',
    ])
  })

  it.each(['POST', 'HEAD', 'OPTIONS'])('whatever the method: %s', async (method) => {
    expect(await passed(['Connection: upgrade', 'Upgrade: websocket'], '/', 'HTTP/1.1', method)).toEqual(
      PASSED,
    )
  })

  it.each([
    ['no Connection', ['Upgrade: websocket']],
    ['no Upgrade', ['Connection: upgrade']],
    ['another option of Connection', ['Connection: keep-alive', 'Upgrade: websocket']],
    ['a longer option', ['Connection: upgrades, x-upgrade', 'Upgrade: websocket']],
    ['nothing in Upgrade', ['Connection: upgrade', 'Upgrade:']],
  ])('a request that does not ask is a plain one: %s', async (_what, lines) => {
    expect(await passed(lines)).toEqual([])
  })

  it('one of HTTP/1.0 cannot ask', async () => {
    expect(await passed(['Connection: upgrade', 'Upgrade: websocket'], '/', 'HTTP/1.0')).toEqual([])
  })

  it.each([
    ...['h2c', 'H2C', 'h2', 'h3', 'HTTP/2.0', 'http/1.1', 'HTTP', 'https', 'TLS/1.0', 'tls', 'spdy/3'],
    ...['websocket, h2c', 'h2c,websocket', 'a/1\t,\tHTTP/2.0 , b', 'websocket, TLS/1.2'],
  ])('never passes on what carries HTTP requests past the rules: %s', async (protocols) => {
    const lines = ['Connection: Upgrade, HTTP2-Settings', `Upgrade: ${protocols}`, 'HTTP2-Settings: AAMAAABk']
    expect(await passed(lines)).toEqual([])
  })

  it.each([
    'web socket',
    'websocket;v=1',
    'a//b',
    'a/b/c',
    ',websocket',
    'websocket,',
    'a,,b',
    '"h2c"',
    'h2c\u00a0',
  ])('nor what is no list of protocols: %s', async (protocols) => {
    expect(await passed(['Connection: upgrade', `Upgrade: ${protocols}`])).toEqual([])
  })

  it('nor one of two fields that hides h2c', async () => {
    expect(await passed(['Connection: upgrade', 'Upgrade: websocket', 'Upgrade: h2c'])).toEqual([])
  })
})

describe('lists of protocols', () => {
  const HTTP = new Set(['h2', 'h2c', 'h3', 'http', 'https', 'tls', 'spdy'])
  const name = fc.oneof(
    fc.constantFrom(
      'h2c',
      'H2C',
      'h2',
      'HTTP',
      'Https',
      'TLS',
      'websocket',
      'h2cx',
      'xh2c',
      'h2-c',
      'http+x',
      'tlsx',
    ),
    fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,8}$/),
  )
  const protocol = fc.tuple(name, fc.option(fc.stringMatching(/^[0-9.A-Za-z]{1,4}$/)))
  const blanks = fc.stringMatching(/^[ \t]{0,2}$/)

  it('pass exactly when no name in them is one of HTTP', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(protocol, blanks, blanks), { minLength: 1, maxLength: 5 }), (list) => {
        const text = list.map(([[name, version], before, after], index) => {
          const own = version === null ? name : `${name}/${version}`
          // A field value has no blanks around it.
          return `${index === 0 ? '' : before}${own}${index === list.length - 1 ? '' : after}`
        })
        const carries = list.some(([[name]]) => HTTP.has(name.toLowerCase()))
        expect(isPassable(text.join(','))).toBe(!carries)
      }),
      { numRuns: 2000 },
    )
  })

  it('any other text that names h2c as a word does not pass', () => {
    const piece = fc.oneof(
      fc.constantFrom('h2c', 'H2c', ',', ' ', '/', ';', '\t', 'websocket', '"'),
      fc.string(),
    )
    fc.assert(
      fc.property(fc.array(piece), fc.array(piece), (before, after) => {
        const text = `${before.join('')},h2c,${after.join('')}`
        expect(isPassable(text)).toBe(false)
      }),
      { numRuns: 2000 },
    )
  })

  it('long lists take no time that grows beyond their length', () => {
    expect(isPassable(`${'a/b , '.repeat(20_000)}c`)).toBe(true)
    expect(isPassable(`${'a'.repeat(100_000)} ${'\t'.repeat(50_000)}`)).toBe(false)
  })
})

describe('proxy_upgrade is not asked', () => {
  it.each([
    ['with proxy_upgrade off', '/off/', []],
    ['towards HTTP/1.0', '/old/', []],
    ['where proxy_set_header sets Connection, if only to nothing', '/own/', []],
    ['where proxy_set_header sets Upgrade', '/half/', []],
    ['with proxy_pass_request_headers off', '/bare/', []],
  ])('%s', async (_what, target, expected) => {
    expect(await passed(['Connection: upgrade', 'Upgrade: websocket'], target)).toEqual(expected)
  })
})

describe('a backend that switches', () => {
  const ask = async (target: string, protocol: string) => {
    backend.reset({ bytes: SWITCH, after: 'end' })
    const head = `GET ${target} HTTP/1.1\r\nHost: test\r\nConnection: upgrade, close\r\nUpgrade: ${protocol}\r\n\r\n`
    const { bytes } = await rawRequest(engine.port, head, { until: 'close' })
    return bytes.toString('latin1')
  }

  it('opens the tunnel that the client asked for', async () => {
    expect(await ask('/', 'websocket')).toMatch(/^HTTP\/1\.1 101 .*\r\n\r\nwords$/s)
  })

  it('opens none to a protocol that was not passed on', async () => {
    expect(await ask('/', 'h2c')).toMatch(/^HTTP\/1\.1 502 /)
  })
})

describe('proxy_upgrade is refused', () => {
  it.each([
    ['proxy_upgrade on;', 'invalid value "on"'],
    ['proxy_upgrade;', 'invalid number of arguments in "proxy_upgrade" directive'],
    ['proxy_upgrade auto; proxy_upgrade off;', '"proxy_upgrade" directive is duplicate'],
    ['if ($uri) { proxy_upgrade off; }', '"proxy_upgrade" directive is not allowed here'],
  ])('%s', (text, message) => {
    const load = () => engine.load(serverConf(`location / { ${text} }`))
    expect(load).toThrow(message)
  })
})
