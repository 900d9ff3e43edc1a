// Choice of the location, asked of a built configuration: what nginx 1.22 chose for the same text stands beside each.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { serverConf, TestEngine } from '../../support/engine.ts'

const own = (text: string) => `return 200 "${text}";`

const LOCATIONS = `
  location = / { ${own('exact root')} }
  location / { ${own('root')} }
  location = /exact { ${own('exact')} }
  location /exact { ${own('prefix of exact')} }
  location /images/ { ${own('images')} }
  location ^~ /static/ { ${own('static')} location /static/deep/ { ${own('static deep')} } location ~ [.]in$ { ${own('static regex')} } }
  location /static/open/ { ${own('static open')} }
  location /outer/ { ${own('outer')}
    location /outer/inner/ { ${own('outer inner')} }
    location ^~ /outer/final/ { ${own('outer final')} }
    location = /outer/exact.php { ${own('outer exact')} }
    location ~ [.]in { ${own('outer regex')} location ~ z { ${own('outer regex nested')} } }
  }
  location ~ [.]php$ { ${own('php')} location ~ ^/admin { ${own('php admin')} } location = /own.php { ${own('php own')} } }
  location ~* [.]JPG$ { ${own('jpg')} }
  location ~ [.]jpg$ { ${own('never')} }
  location ~ ^/user/(?<who>[a-z]+)/([0-9]+)$ { return 200 "$who $2"; }
  location ~ ^/made/(?<constructor>[a-z]+) { return 200 "made $constructor"; }
  location ~ ^/unmade/(?<other>[a-z]+) { return 200 "unmade $constructor"; }
  location /both { ${own('both')} }
  location /both/ { proxy_pass http://127.0.0.1:1; }
  location /slash/ { proxy_pass http://127.0.0.1:1; }
  location /sla { ${own('sla')} }
  location ~ ^/slash$ { ${own('never, the redirect goes before')} }
  location = /only/ { proxy_pass http://127.0.0.1:1; }
  location "/a b/" { proxy_pass http://127.0.0.1:1; }
  location /nest/ { ${own('nest')} location /nest/in/ { proxy_pass http://127.0.0.1:1; } }
  location @named { ${own('never')} }
`

let engine: TestEngine

beforeAll(async () => {
  engine = await TestEngine.start(serverConf(LOCATIONS))
})
afterAll(() => engine?.stop())

function ask(target: string): { body: string; location: string | undefined; status: number } {
  const { transport } = engine.connect()
  transport.receive(`GET ${target} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n`)
  const [head = '', body = ''] = transport.sent.split('\r\n\r\n')
  return {
    status: Number(head.slice(9, 12)),
    body,
    location: /\r\nLocation: http:\/\/test(?::\d+)?([^\r]*)/.exec(head)?.[1],
  }
}

describe('location', () => {
  it.each([
    ['/', 'exact root'],
    ['/x', 'root'],
    ['/exact', 'exact'],
    ['/exact/', 'prefix of exact'],
    ['/exactly', 'prefix of exact'],
    ['/images', 'root'],
    ['/images/', 'images'],
    ['/images/a.php', 'php'],
    ['/images/a.JpG', 'jpg'],
    ['/static/a.php', 'static'],
    ['/static/a.in', 'static regex'],
    ['/static/deep/a.php', 'static deep'],
    ['/static/deep/a.in', 'static regex'],
    ['/static/open/a.php', 'php'],
    ['/stati.php', 'php'],
    ['/outer/', 'outer'],
    ['/outer/inner/x', 'outer inner'],
    // A nested prefix is no more final than its outer one: regular expressions outside still come first...
    ['/outer/inner/x.php', 'php'],
    ['/outer/x.php', 'php'],
    // ... even when the nested one says ^~, which is about its own level.
    ['/outer/final/x.php', 'php'],
    ['/outer/final/x.in', 'outer final'],
    ['/outer/exact.php', 'outer exact'],
    ['/outer/q.in.php', 'outer regex'],
    ['/outer/inner/q.in', 'outer regex'],
    ['/outer/q.inz', 'outer regex nested'],
    ['/admin/x.php', 'php admin'],
    ['/own.php', 'php own'],
    ['/user/ann/42', 'ann 42'],
    ['/user/ann/x', 'root'],
    ['/a/../exact', 'exact'],
    ['/%65xact', 'exact'],
    ['/both', 'both'],
    ['/slas', 'sla'],
    ['/nest/', 'nest'],
    ['/@named', 'root'],
    ['/made/x', 'made x'],
    ['/unmade/x', 'unmade '],
  ])('%s is served by "%s"', (target, expected) => {
    expect(ask(target)).toMatchObject({ status: 200, body: expected })
  })

  it.each([
    ['/slash', '/slash/'],
    ['/slash?x=1', '/slash/?x=1'],
    ['//slash', '/slash/'],
    ['/%73lash?%41', '/slash/?%41'],
    ['/x/../slash', '/slash/'],
    ['/slash#part', '/slash/'],
    ['/only', '/only/'],
    ['/a%20b', '/a%20b/'],
    ['/nest/in', '/nest/in/'],
  ])('%s is redirected to %s', (target, expected) => {
    expect(ask(target)).toMatchObject({ status: 301, location: expected })
  })
})
