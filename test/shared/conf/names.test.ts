import { describe, expect, it } from 'vitest'
import { unknownDirective } from '../../../src/shared/conf/names.ts'
import { nearest } from '../../../src/shared/conf/nearest.ts'
import { nginxDirectives } from '../../../src/shared/conf/nginx-names.ts'

function message(name: string, known = ['proxy_pass', 'events', 'listen']): string {
  return unknownDirective({ name, args: [], file: 'conf/a.conf', line: 12, block: null }, known).message
}

describe('unknown directive', () => {
  it.each([
    ['prox_pass', 'proxy_pass'],
    ['event', 'events'],
    ['proxy-pass', 'proxy_pass'],
    ['Listen', 'listen'],
    ['lisetn', 'listen'],
    ['client_max_body_siz', 'client_max_body_size'],
  ])('%s: the nearest known name is %s', (name, known) => {
    expect(message(name)).toBe(`unknown directive "${name}" in conf/a.conf:12, did you mean "${known}"?`)
  })

  it.each(['xyzzy', 'pass_proxy', '', 'x', 'q'])('%j: nothing is near', (name) => {
    expect(message(name)).toBe(`unknown directive "${name}" in conf/a.conf:12`)
  })

  it('ssl, which nginx has done away with: says what to use instead', () => {
    expect(message('ssl')).toBe('unknown directive "ssl" in conf/a.conf:12, use "listen ... ssl" instead')
  })

  it("one of nginx's is refused by name, whatever it resembles", () => {
    expect(message('slice')).toBe('the "slice" directive is not supported by weir yet in conf/a.conf:12')
  })

  it.each([
    ['health_check', 'of NGINX Plus is not supported by weir yet'],
    ['stream', 'is not supported: weir proxies HTTP only, not TCP and UDP streams'],
    ['mail', 'is not supported: weir proxies HTTP only, not mail'],
  ])('%s: %s', (name, reason) => {
    expect(message(name)).toBe(`the "${name}" directive ${reason} in conf/a.conf:12`)
  })

  it.each([
    ['content_by_lua_block', 'lua-nginx-module'],
    ['more_set_headers', 'headers-more-nginx-module'],
    ['brotli', 'ngx_brotli'],
  ])('%s: it belongs to %s', (name, module) => {
    expect(message(name)).toContain(`it belongs to ${module}, a third-party module that weir does not have`)
  })

  it('a byte order mark before a name is pointed out', () => {
    expect(message('\xef\xbb\xbfevents')).toContain('the file begins with a UTF-8 byte order mark')
  })
})

describe("nginx's names", () => {
  it.each([
    ['proxy_ssl_verify_depth', 'nginx'],
    ['uwsgi_cache_use_stale', 'nginx'],
    ['max_headers', 'nginx'],
    ['pass', 'stream'],
    ['proxy_pass', 'nginx'],
    ['proxy_cache_purge', 'nginx-plus'],
    ['zone_sync_ssl_verify', 'stream'],
    ['starttls', 'mail'],
  ])('%s is of %s', (name, origin) => {
    expect(nginxDirectives.get(name)).toBe(origin)
  })

  it('are all directive names', () => {
    expect([...nginxDirectives.keys()].filter((name) => !/^[a-z][a-z0-9_]*$/.test(name))).toEqual([])
  })
})

describe('nearest', () => {
  it('takes the first of equally near ones', () => {
    expect(nearest('ab_d', ['ab_c', 'ab_e'])).toBe('ab_c')
  })

  it('prefers the nearer one', () => {
    expect(nearest('proxy_pas', ['proxy_bass', 'proxy_pass'])).toBe('proxy_pass')
  })
})
