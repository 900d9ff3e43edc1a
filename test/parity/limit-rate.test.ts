// Where the rate of a response comes from, seen by `$limit_rate` and by what the client gets; how fast that is, is
// tested in test/worker/modules/filter/limit-rate.test.ts.

import { describeParity } from './compare.ts'
import { describeRefusals } from './refusals.ts'
import { get, MODERN, type ParityCases, replyWith, request } from './requests.ts'

const TEXT = 'x'.repeat(900)

const HTTP = `${MODERN}
  log_format rate '$uri $status $limit_rate body=$body_bytes_sent $request_completion';
  access_log logs/access.log rate;
  limit_rate 100k;
  server {
    listen 127.0.0.1:%PORT%;
    location /inherited { return 200 "$limit_rate"; }
    location /own { limit_rate 2k; return 200 "${TEXT}"; }
    location /none { limit_rate 0; return 200 "${TEXT}"; }
    location /exceeded { limit_rate 1000; return 200 "${TEXT}"; }
    location /after { limit_rate 10; limit_rate_after 1m; return 200 "${TEXT}"; }
    location /after_variable { limit_rate 10; limit_rate_after $arg_after; return 200 "${TEXT}"; }
    location /variable { limit_rate $arg_rate; return 200 "$limit_rate ${TEXT}"; }
    location /set { set $limit_rate $arg_rate; return 200 "$limit_rate ${TEXT}"; }
    location /set_own { limit_rate 7k; set $limit_rate $arg_rate; return 200 "$limit_rate"; }
    location /if { if ($arg_a) { limit_rate 9k; } return 200 "$limit_rate"; }
    location /if_proxied { if ($arg_a) { limit_rate 9k; } proxy_pass http://%BACKEND%; }
    location /proxied { limit_rate 3k; proxy_pass http://%BACKEND%; }
    location /ignored { proxy_ignore_headers X-Accel-Limit-Rate; proxy_pass http://%BACKEND%; }
    location /passed { proxy_pass_header X-Accel-Limit-Rate; proxy_pass http://%BACKEND%; }
    location /set_proxied { set $limit_rate 5k; proxy_pass http://%BACKEND%; }
    location /page { limit_rate 4k; error_page 404 /own; return 404; }
    location /zipped { gzip on; gzip_min_length 1; gzip_types *; limit_rate 5000; proxy_pass http://%BACKEND%; }
  }
`

const asked = (target: string) => ({ name: target, send: get(target) })
const accelerated = (target: string, rate: string) => ({
  name: `${target} with X-Accel-Limit-Rate: ${rate}`,
  send: get(target),
  answer: replyWith('200 OK', TEXT, `X-Accel-Limit-Rate: ${rate}`),
})

const CASES: ParityCases = [
  ...['/inherited', '/own', '/none', '/exceeded', '/after', '/page', '/if?a=1', '/if', '/if_proxied?a=1'].map(
    asked,
  ),
  ...['5k', '1M', '1g', '', '0', 'k', '-1', '5kk', ' 5k'].flatMap((rate) => [
    asked(`/variable?rate=${encodeURIComponent(rate)}`),
    asked(`/set?rate=${encodeURIComponent(rate)}`),
  ]),
  ...['2k', 'x', ''].map((rate) => asked(`/set_own?rate=${rate}`)),
  ...['5k', '1m'].map((after) => asked(`/after_variable?after=${after}`)),
  { name: 'HEAD', send: request('HEAD', '/own') },
  { name: 'a head only', send: request('HEAD', '/exceeded') },
  { name: 'two on a connection', send: get('/own') + get('/inherited'), until: 2, logged: 2 },
  { name: 'HTTP/1.0', send: 'GET /exceeded HTTP/1.0\r\n\r\n', until: 'close' },
  ...['/proxied', '/set_proxied'].flatMap((target) => [
    asked(target),
    ...['5000', '0', '5k', '', 'x', '-5'].map((rate) => accelerated(target, rate)),
  ]),
  ...['/ignored', '/passed'].map((target) => accelerated(target, '6000')),
  { ...accelerated('/zipped', '7000'), name: 'content that is not zipped' },
]

describeParity('limit_rate', HTTP, CASES)

describeRefusals('the directives', [
  'limit_rate;',
  'limit_rate x;',
  'limit_rate 1g;',
  'limit_rate -1;',
  'limit_rate 1 2;',
  'limit_rate 1; limit_rate 2;',
  'limit_rate $;',
  'limit_rate_after x;',
  'limit_rate_after 1k 2k;',
  'server { if ($host) { limit_rate 1k; } }',
  'server { location / { limit_except GET { limit_rate 1k; } } }',
])
