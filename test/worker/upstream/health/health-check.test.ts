// `health_check`: its parameters and their defaults, what is refused, and the request it makes.

import { describe, expect, it } from 'vitest'
import { variableNames } from '../../../../src/worker/http/variables.ts'
import { checkConf, checksOf, refusal } from '../../../support/health.ts'

const one = (location: string, http = '') => checksOf(checkConf({ location, http }))[0]!

describe('parameters', () => {
  it('none: those of the documentation', () => {
    const { interval, jitter, fails, passes, uri, port, mandatory, persistent, type, keepaliveTime } =
      one('health_check;')
    expect([interval, jitter, fails, passes, uri]).toEqual([5000, 0, 1, 1, '/'])
    expect([port, mandatory, persistent, type, keepaliveTime]).toEqual([0, false, false, 'http', 0])
  })

  it('all of them are read', () => {
    const check = one(
      `health_check interval=2s jitter=100ms fails=3 passes=2 uri=/a?b=c port=81 match=m mandatory persistent
        type=http keepalive_time=1m;`,
      'match m { status 204; }',
    )
    const { interval, jitter, fails, passes, uri, port, mandatory, persistent, type, keepaliveTime } = check
    expect([interval, jitter, fails, passes, uri]).toEqual([2000, 100, 3, 2, '/a?b=c'])
    expect([port, mandatory, persistent, type, keepaliveTime]).toEqual([81, true, true, 'http', 60_000])
    expect(check.match.name).toBe('m')
    expect(check.group.name).toBe('u')
  })

  it('a match may stand behind the server that uses it', () => {
    const conf = checkConf({ location: 'health_check match=late;' }).replace(/\}$/, 'match late { } }')
    expect(checksOf(conf)[0]!.match.name).toBe('late')
  })

  it("the location's timeouts are the check's", () => {
    const { settings } = one('proxy_connect_timeout 1s; proxy_read_timeout 2s; health_check;')
    expect([settings.connectTimeout, settings.readTimeout]).toEqual([1000, 2000])
  })

  it('nested locations do not have it too', () => {
    expect(
      checksOf(checkConf({ location: 'health_check; location /a { proxy_pass http://u; }' })),
    ).toHaveLength(1)
  })
})

describe('refused', () => {
  it.each([
    ['interval=0', 'invalid parameter "interval=0"'],
    ['interval=x', 'invalid parameter "interval=x"'],
    ['jitter=-1', 'invalid parameter "jitter=-1"'],
    ['fails=0', 'invalid parameter "fails=0"'],
    ['passes=', 'invalid parameter "passes="'],
    ['uri=a', 'invalid parameter "uri=a"'],
    ['"uri=/a b"', 'invalid parameter "uri=/a b"'],
    ['port=0', 'invalid parameter "port=0"'],
    ['port=65536', 'invalid parameter "port=65536"'],
    ['match=', 'invalid parameter "match="'],
    ['match=no', 'unknown match "no"'],
    ['keepalive_time=0', 'invalid parameter "keepalive_time=0"'],
    ['type=udp', 'invalid parameter "type=udp"'],
    ['mandatory=1', 'invalid parameter "mandatory=1"'],
    ['toString=1', 'invalid parameter "toString=1"'],
    ['persistent', 'the "persistent" parameter of the "health_check" directive requires "mandatory"'],
    ['type=grpc', 'the "type=grpc" parameter of the "health_check" directive is not supported by weir yet'],
    [
      'grpc_status=12',
      'the "grpc_status" parameter of the "health_check" directive is not supported by weir yet',
    ],
    [
      'grpc_service=a',
      'the "grpc_service" parameter of the "health_check" directive is not supported by weir yet',
    ],
    [
      'type=tcp uri=/',
      'the "uri" parameter of the "health_check" directive is not compatible with "type=tcp"',
    ],
    [
      'match=m type=tcp',
      'the "match" parameter of the "health_check" directive is not compatible with "type=tcp"',
    ],
    ['mandatory; health_check', '"health_check" directive is duplicate'],
  ])('health_check %s', (parameters, message) => {
    expect(refusal(checkConf({ location: `health_check ${parameters};` }))).toContain(
      `${message} in nginx.conf:6`,
    )
  })

  it.each([
    ['return 200;', '"health_check" requires "proxy_pass" in the same location'],
    [
      'proxy_pass http://127.0.0.1:1;',
      '"health_check" requires "proxy_pass" to an upstream, "127.0.0.1" is none',
    ],
    ['proxy_pass http://$host;', '"health_check" requires "proxy_pass" without variables'],
  ])('in a location with %s', (pass, message) => {
    const conf = checkConf({ location: 'health_check;' }).replace('proxy_pass http://u;', pass)
    expect(refusal(conf)).toContain(`${message} in nginx.conf:6`)
  })

  it('outside of a location', () => {
    expect(refusal(checkConf({ http: 'health_check;' }))).toContain(
      '"health_check" directive is not allowed here',
    )
  })
})

describe('the request', () => {
  const fieldsOf = (location: string) => {
    const { requests } = one(`${location} health_check uri=/a?b;`)
    return requests.fields(requests.make())
  }

  it('has the upstream as its host', () => {
    expect(fieldsOf('')).toEqual(['Host', 'u'])
  })

  it('has the fields that the location sets, without those that come out empty', () => {
    const fields =
      fieldsOf(`proxy_set_header Host $host; proxy_set_header X-A "a: b"; proxy_set_header X-B $http_b;
      proxy_set_header X-C $remote_addr$uri$args; proxy_set_header Accept-Encoding "";`)
    expect(fields).toEqual(['Host', 'first.test', 'X-A', 'a: b', 'X-C', '/ab'])
  })

  it('has no content, whatever the location sends', () => {
    expect(fieldsOf('proxy_set_body text; proxy_method POST;')).toEqual(['Host', 'u'])
  })

  it('can be made with any variable there is', () => {
    const names = variableNames().map((name) => name.replace('NAME', 'x'))
    const fields = names.map((name) => `proxy_set_header X-${name} "a$${name}";`).join('\n')
    expect(fieldsOf(fields)).toHaveLength(2 * (names.length + 1))
  })
})
