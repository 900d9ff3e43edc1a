// What `sticky`, `route=` and `drain` refuse, in nginx's words, and what is only doubtful.

import { describe, expect, it } from 'vitest'
import { buildCycle } from '../../../../src/shared/conf/build.ts'
import { parseText } from '../../../../src/shared/conf/parser.ts'
import { modules } from '../../../../src/worker/modules.ts'

const LEARN = 'create=$upstream_cookie_a lookup=$cookie_a'

/** Builds a configuration with this in an upstream{}; gives its warnings. */
function build(upstream: string, more = ''): string[] {
  const text = `events {} http { upstream app { ${upstream} server 127.0.0.1:1; server 127.0.0.1:2; } ${more} }`
  const { context } = buildCycle(parseText(text, 'nginx.conf', '/'), modules, {
    prefix: '/',
    confPrefix: '/',
  })
  return context.warnings.map((warning) => warning.replace(/ in [^ ]*:\d+$/, ''))
}

describe('sticky', () => {
  it.each([
    ['sticky cookie;', 'invalid number of arguments in "sticky" directive'],
    ['sticky cookie a; sticky cookie a;', '"sticky" directive is duplicate'],
    ['sticky kookie a;', 'unknown parameter "kookie"'],
    ['sticky constructor a;', 'unknown parameter "constructor"'],
    ['sticky cookie "";', '"sticky" directive empty cookie name'],
    ['sticky cookie a b;', 'unknown parameter "b"'],
    ['sticky cookie a HttpOnly;', 'unknown parameter "HttpOnly"'],
    ['sticky cookie a httponly=on;', 'unknown parameter "httponly=on"'],
    ['sticky cookie a domain=;', '"sticky" directive no value for "domain"'],
    ['sticky cookie a path=;', '"sticky" directive no value for "path"'],
    ['sticky cookie a domain=a domain=a;', '"sticky" directive parameter "domain" is duplicate'],
    ['sticky cookie a path=/ path=/;', '"sticky" directive parameter "path" is duplicate'],
    ['sticky cookie a expires=1 expires=max;', '"sticky" directive parameter "expires" is duplicate'],
    ['sticky cookie a httponly httponly;', '"sticky" directive parameter "httponly" is duplicate'],
    ['sticky cookie a secure secure;', '"sticky" directive parameter "secure" is duplicate'],
    ['sticky cookie a samesite=lax samesite=lax;', '"sticky" directive parameter "samesite" is duplicate'],
    ['sticky cookie a expires=;', '"sticky" directive invalid "expires" parameter value'],
    ['sticky cookie a expires=500ms;', '"sticky" directive invalid "expires" parameter value'],
    ['sticky cookie a expires=MAX;', '"sticky" directive invalid "expires" parameter value'],
    ['sticky cookie a samesite=;', '"sticky" directive invalid "samesite" parameter value'],
    ['sticky cookie a samesite=any;', '"sticky" directive invalid "samesite" parameter value'],
    ['sticky cookie a domain=$nowhere;', 'unknown "nowhere" variable'],
    ['sticky route a;', 'invalid variable name "a"'],
    ['sticky route $arg_a "";', 'invalid variable name ""'],
    ['sticky route $;', 'invalid variable name "$"'],
    ['sticky route $nowhere;', 'unknown "nowhere" variable'],
    [`sticky route $\{arg_a};`, 'unknown "{arg_a}" variable'],
    [
      'sticky learn create=$upstream_cookie_a zone=a:1m;',
      '"sticky" directive "lookup" parameter is not specified',
    ],
    ['sticky learn lookup=$cookie_a zone=a:1m;', '"sticky" directive "create" parameter is not specified'],
    [`sticky learn ${LEARN};`, '"sticky" directive "zone" parameter is not specified'],
    ['sticky learn create=a;', '"sticky" directive missing variable in the "create" parameter'],
    ['sticky learn lookup=a;', '"sticky" directive missing variable in the "lookup" parameter'],
    [`sticky learn ${LEARN} zone=a;`, '"sticky" directive zone size is not specified'],
    [`sticky learn ${LEARN} zone=:1m;`, '"sticky" directive zone name is not specified'],
    [`sticky learn ${LEARN} zone=a:1x;`, '"sticky" directive invalid zone size'],
    [`sticky learn ${LEARN} zone=a:31k;`, '"sticky" directive zone is too small'],
    [`sticky learn ${LEARN} zone=a:1m zone=b:1m;`, '"sticky" directive duplicate zone'],
    [`sticky learn ${LEARN} zone=a:1m timeout=0;`, '"sticky" directive invalid timeout'],
    [`sticky learn ${LEARN} zone=a:1m timeout=x;`, '"sticky" directive invalid timeout'],
    [`sticky learn ${LEARN} zone=a:1m timeout=1 timeout=1;`, '"sticky" directive duplicate timeout'],
    [`sticky learn ${LEARN} zone=a:1m headers;`, 'unknown parameter "headers"'],
    [
      `sticky learn ${LEARN} zone=a:1m sync;`,
      'the "sync" parameter of the "sticky" directive is not supported by weir yet',
    ],
  ])('%s is refused', (line, message) => {
    expect(() => build(line)).toThrow(message)
  })

  it.each([
    'sticky cookie a;',
    'sticky cookie a-b.c expires=0 domain=.a path=/ httponly secure samesite=STRICT;',
    'sticky cookie a samesite=$arg_a domain=a$host;',
    'sticky route $arg_a $cookie_b;',
    `sticky learn ${LEARN} create=$upstream_http_b lookup=$arg_b zone=a:32k timeout=1h30m header;`,
    'least_conn; sticky cookie a;',
    'sticky cookie a; keepalive 5;',
    'keepalive 5; sticky cookie a;',
  ])('%s is accepted', (line) => {
    expect(build(line)).toEqual([])
  })

  it('outside of an upstream is refused', () => {
    expect(() => build('', 'sticky cookie a;')).toThrow('"sticky" directive is not allowed here')
  })

  it('in two upstreams, the same zone is refused', () => {
    const learn = `sticky learn ${LEARN} zone=a:1m;`
    const other = (zone: string) =>
      `upstream other { server 127.0.0.1:1; sticky learn ${LEARN} zone=${zone}:1m; }`
    expect(() => build(learn, other('a'))).toThrow('sticky zone "a" is already used in upstream "app"')
    expect(build(learn, other('b'))).toEqual([])
  })

  it.each(['least_conn', 'ip_hash', 'random'])(
    'before %s has no effect, as in nginx, which is said',
    (method) => {
      expect(build(`sticky cookie a; ${method};`)).toEqual([
        'load balancing method redefined',
        `"sticky" has no effect before "${method}", which has to stand in front of it`,
      ])
    },
  )
})

describe('parameters of server', () => {
  it.each([
    ['route=', 'route is empty'],
    [`route=${'x'.repeat(33)}`, 'route is longer than 32'],
    ['route', 'invalid parameter "route"'],
    ['drain=1', 'invalid parameter "drain=1"'],
    ['draining', 'invalid parameter "draining"'],
  ])('%s is refused', (parameter, message) => {
    expect(() => build(`server 127.0.0.1:3 ${parameter};`)).toThrow(message)
  })

  it.each(['hash $uri', 'ip_hash', 'least_conn', 'least_time header', 'random two'])(
    'route= and drain are known to %s, and without sticky too',
    (method) => {
      expect(build(`${method}; server 127.0.0.1:3 drain route=${'x'.repeat(32)};`)).toEqual([])
    },
  )
})
