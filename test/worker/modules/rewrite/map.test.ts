import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { serverConf, TestEngine } from '../../../support/engine.ts'

/** A chain of maps longer than variables may be nested. */
const CHAIN = Array.from(
  { length: 101 },
  (_, index) => `map $c${index} $c${index + 1} { default "\${c${index}}." ; }`,
)

const HTTP = `
  map $cycle $cycle { default x; x y; }
  map "$wild$wild" $wild { volatile; default x; }
  map $arg_a $c0 { default 0; }
  ${CHAIN.join('\n  ')}
  map $http_x $shown { default $http_x; '~^(.)(?<rest>.*)$' '$1+$rest'; }
  map $http_x $volatile { volatile; default "$1"; }
  map $http_x $kept { default "$1"; }`

const engineConf = serverConf(
  `location /cycle { return 200 $cycle; }
   location /wild { return 200 [$wild]; }
   location /chain { return 200 $c50; }
   location /long { return 200 [$c101]; }
   location ~ ^/order/(.) { return 200 '$1 $shown $1 $rest'; }
   location ~ ^/kept/(.) { return 200 '$volatile$kept $shown $volatile$kept'; }`,
  HTTP,
)

describe('map', () => {
  let engine: TestEngine
  beforeAll(async () => {
    engine = await TestEngine.start(engineConf)
  })
  afterAll(() => engine.stop())

  function get(target: string): string {
    const { transport } = engine.connect()
    transport.receive(`GET ${target} HTTP/1.1\r\nHost: test\r\nX: abc\r\nConnection: close\r\n\r\n`)
    return transport.sent.split('\r\n\r\n')[1]!
  }

  it('of itself ends after a hundred rounds and is an error of the log', () => {
    expect(get('/cycle')).toBe('y')
    expect(engine.errorLog).toContain('cycle while evaluating variable "cycle", client: 192.0.2.1')
  })

  it('of itself, twice and volatile, ends as soon', () => {
    expect(get('/wild')).toBe('[x]')
  })

  it('of maps is as deep as a hundred', () => {
    expect(get('/chain')).toBe(`0${'.'.repeat(50)}`)
    expect(get('/long')).toMatch(/^\[\.+\]$/)
    expect(engine.errorLog).toContain('cycle while evaluating variable "c')
  })

  it('that captures changes the numbered captures behind it, not those before it', () => {
    expect(get('/order/x')).toBe('x a+bc a bc')
  })

  it('is evaluated once for a request unless it is volatile', () => {
    expect(get('/kept/x')).toBe('xx a+bc ax')
  })
})
