// error_page: every form of it, what becomes of status, method, URI and body, and where it ends.

import { describeParity } from './compare.ts'
import { get, LOGGING, MODERN, type ParityCases, replyWith, request } from './requests.ts'

const urlWith = (status: number) =>
  `location /away-${status} { error_page 403 =${status} http://other.test/; return 403; }`

const HTTP = `${MODERN}${LOGGING}
  error_page 404 /404.page;
  server {
    listen 127.0.0.1:%PORT%;
    server_name e.test;
    location / { return 404; }
    location = /404.page { return 200 "page for $uri $request_uri $status $request_method\\n"; }
    location /own { error_page 403 404 /own.page; return 403; }
    location = /own.page { internal; return 200 "own\\n"; }
    location /code { error_page 403 =200 /404.page; return 403; }
    location /code-404 { error_page 403 =404 /404.page; return 403; }
    location /answer { error_page 403 = /answers; return 403; }
    location = /answers { return 202 "answered\\n"; }
    location /named { error_page 403 @fallback; return 403; }
    location /named-code { error_page 403 =201 @fallback; return 403; }
    location /named-own { error_page 403 = @fallback; return 403; }
    location @fallback { return 299 "fallback $uri\\n"; }
    location /no-named { error_page 403 @missing; return 403; }
    location /url { error_page 403 http://other.test/denied?x=y; return 403; }
    location /url-301 { error_page 403 =301 http://other.test/denied; return 403; }
    location /url-308 { error_page 403 =308 http://other.test/$arg_a; return 403; }
    location /url-200 { error_page 403 =200 http://other.test/; return 403; }
    location /variable { error_page 403 /v-$arg_a?from=$uri; return 403; }
    location /v- { return 200 "v $uri $args\\n"; }
    location /args { error_page 403 /v-args?own=1; return 403; }
    location /first { error_page 403 /v-one; error_page 403 /v-two; return 403; }
    location /proxy { error_page 403 /proxied/page; return 403; }
    location /proxied { proxy_pass http://%BACKEND%; }
    location /proxied-uri { error_page 403 /proxied-to/x; return 403; }
    location /proxied-to/ { proxy_pass http://%BACKEND%/base/; }
    location /dead { error_page 502 504 /v-dead; proxy_pass http://%REFUSED%; }
    location /dead-named { error_page 502 =503 @live; proxy_pass http://%REFUSED%/x; }
    location @live { proxy_pass http://%BACKEND%; }
    location /page-fails { error_page 403 /fails; return 403; }
    location = /fails { error_page 500 /v-never; return 500; }
    location /recursive { recursive_error_pages on; error_page 403 /recursive-2; return 403; }
    location = /recursive-2 { recursive_error_pages on; error_page 500 /v-recursive; return 500; }
    location /loop { recursive_error_pages on; error_page 403 /loop; return 403; }
    location /redirected { error_page 301 /v-redirected; return 301 /elsewhere; }
    location /internal { internal; return 200; }
    location /text { error_page 403 /v-text; return 403 "text\\n"; }
    location /headers { add_header X-A a always; error_page 403 /headers-page; return 403; }
    location /headers-page { add_header X-B b; return 200 "b\\n"; }
    location /empty { error_page 403 ""; return 403; }
    location /relative { error_page 403 relative; return 403; }
    location /too-big { error_page 413 /v-413; return 413; }
    location /bad { error_page 400 /v-400; return 400; }
    location /rewritten { error_page 403 /v-403; rewrite ^ /denied last; }
    location /denied { return 403; }
    location /set { set $x 1; error_page 403 /shows; return 403; }
    location = /shows { return 200 "$x\\n"; }
    location /named-rewrite { error_page 403 @rewrites; return 403; }
    location @rewrites { rewrite ^/named-rewrite(.*)$ /v-rewritten$1 last; }
    location /hidden { internal; error_page 404 =410 /shows; }
    location /hidden-named { internal; error_page 404 = @hidden; add_header X-Hidden 1 always; }
    location @hidden { return 200 "$uri\\n"; }
    ${[300, 301, 303, 304, 305, 306, 307, 308, 309].map(urlWith).join('\n    ')}
  }
  server {
    listen 127.0.0.1:%PORT%;
    server_name two.test;
    error_page 403 =204 /x;
    location / { return 403; }
    location /none { error_page 500 /y; return 404; }
    location /x { return 200 "x"; }
  }
`

const paths = [...new Set([...HTTP.matchAll(/location (?:= )?(\/\S*)/g)].map((match) => match[1]!))]
const unasked = paths.filter((path) => !path.startsWith('/dead'))

const cases: ParityCases = [
  ...paths.flatMap((path) => [
    { name: path, send: get(`${path}?a=b`) },
    { name: `HEAD ${path}`, send: request('HEAD', path, 'Connection: close'), until: 'close' as const },
  ]),
  ...['/proxy', '/answer', '/dead-named', '/url', '/text', '/bad'].map((path) => ({
    name: `POST ${path}`,
    send: `${request('POST', path, 'Content-Length: 4')}body`,
  })),
  ...['/', '/none', '/x'].map((path) => ({ name: `two.test${path}`, send: get(path, 'Host: two.test') })),
  // For a backend nginx reads the body before it connects.
  ...unasked.map((path) => ({
    name: `a body that waits to be asked for: ${path}`,
    send: `${request('POST', path, 'Content-Length: 4', 'Expect: 100-continue', 'Connection: close')}body`,
    until: 'close' as const,
    logged: 'answers' as const,
  })),
  {
    name: 'a body that was not asked for comes all the same',
    send: [request('POST', '/own', 'Content-Length: 4', 'Expect: 100-continue'), `body${get('/answer')}`],
    until: 2,
    logged: 2,
  },
  { name: 'a kept connection goes on', send: get('/own') + get('/answer'), until: 2, logged: 2 },
  { name: 'the page of a backend', send: get('/proxy'), answer: replyWith('200 Fine', 'page', 'X-A: b') },
  { name: 'a page that is not there', send: get('/proxy'), answer: replyWith('404 None', 'none') },
  {
    name: 'a page that redirects',
    send: get('/proxy'),
    answer: replyWith('302 R', '', 'Location: http://x/'),
  },
]

describeParity('error_page', HTTP, cases)
