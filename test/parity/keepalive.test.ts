// When a connection is kept after a response, and what the response says of it.

import { describeParity, type ParityCase } from './compare.ts'
import { get, LOGGING, MODERN, request } from './requests.ts'

const MSIE = 'Mozilla/4.0 (compatible; MSIE'
const SAFARI = 'Mozilla/5.0 (Macintosh; U; PPC Mac OS X; en) AppleWebKit/412 (KHTML, like Gecko) Safari/412'
const AGENTS: Record<string, string> = {
  'MSIE 4': `${MSIE} 4.01; Windows 98)`,
  'MSIE 5': `${MSIE} 5.5; Windows NT 5.0)`,
  'MSIE 6': `${MSIE} 6.0; Windows NT 5.1)`,
  'MSIE 6 SV1': `${MSIE} 6.0; Windows NT 5.1; SV1)`,
  'MSIE 7': `${MSIE} 7.0; Windows NT 5.1)`,
  'MSIE 10': `${MSIE} 10.0; Windows NT 6.2)`,
  'MSIE with nothing behind': 'MSIE 6.',
  'MSIE with one character behind': 'MSIE 6.0',
  'Opera as MSIE': `${MSIE} 6.0; Windows NT 5.1) Opera 7.54`,
  Safari: SAFARI,
  'Safari, Opera too': `${SAFARI} Opera`,
  'Safari on Windows': 'Mozilla/5.0 (Windows) AppleWebKit/528 (KHTML, like Gecko) Version/4.0 Safari/528',
  Chrome: 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) AppleWebKit/537 Chrome/120.0 Safari/537',
  Gecko: 'Mozilla/5.0 (Macintosh; Intel Mac OS X) Gecko/20100101 Safari/1',
}

const CONF = `${LOGGING}${MODERN}
  keepalive_timeout 60s 25s;
  server {
    listen 127.0.0.1:%PORT%;
    location / { return 200 "text"; }
    location /proxy { proxy_pass http://%BACKEND%; }
    location /zero { keepalive_timeout 0; return 200 "zero"; }
    location /zero/proxy { keepalive_timeout 0; proxy_pass http://%BACKEND%; }
    location /inherited { keepalive_timeout 50s; return 200 "inherited"; }
    location /header { keepalive_timeout 50s 1h; return 200 "header"; }
    location /noheader { keepalive_timeout 50s 0; return 200 "no header"; }
    location /none { keepalive_disable none; return 200 "none"; }
    location /safari { keepalive_disable safari; return 200 "safari"; }
    location /both { keepalive_disable msie6 safari; return 200 "both"; }
    location /norequests { keepalive_requests 0; return 200 "no requests"; }
    location /one { keepalive_requests 1; return 200 "one"; }
    location /three { keepalive_requests 3; return 200 "three"; }
  }
  server { listen 127.0.0.1:%PORT2%; keepalive_timeout 0; return 200 "server"; }
  server { listen 127.0.0.1:%PORT3%; keepalive_requests 2; return 200 "server"; }
  server { listen 127.0.0.1:%PORT4%; keepalive_requests 2; location / { return 200 "location"; } }
`

const one = (version: string, target: string, ...headers: string[]): string =>
  `GET ${target} HTTP/${version}\r\n${['Host: a', ...headers].map((line) => `${line}\r\n`).join('')}\r\n`

/** A first request, then one that closes, so that the end of the connection can be waited for. */
const thenClose = (first: string): string => first + get('/', 'Connection: close')

const values = [
  'close',
  'Close',
  'keep-alive',
  'Keep-Alive',
  'keep-alive, close',
  'close, keep-alive',
  'upgrade',
  'x-close',
  'TE, close',
  '',
  'closed',
  'keep-alive-not',
  'keep-alive\r\nConnection: close',
  'close\r\nConnection: keep-alive',
]

const cases: ParityCase[] = ['1.0', '1.1'].flatMap((version) => [
  {
    name: `HTTP/${version} without Connection`,
    send: thenClose(one(version, '/')),
    until: 'close' as const,
  },
  ...values.map((value) => ({
    name: `HTTP/${version} with Connection: ${JSON.stringify(value)}`,
    // Whether there is a second answer is what is asked.
    send: thenClose(one(version, '/', `Connection: ${value}`)),
    until: 'close' as const,
  })),
  {
    name: `HTTP/${version} keep-alive, proxied`,
    send: thenClose(one(version, '/proxy', 'Connection: keep-alive')),
    until: 'close' as const,
  },
  {
    name: `HTTP/${version} keep-alive, keepalive_timeout 0`,
    send: thenClose(one(version, '/zero', 'Connection: keep-alive')),
    until: 'close' as const,
  },
])

for (const target of [
  '/inherited',
  '/header',
  '/noheader',
  '/norequests',
  '/one',

  '/zero/proxy',
]) {
  cases.push({ name: `GET ${target}`, send: thenClose(get(target)), until: 'close' })
}
cases.push(
  { name: 'keepalive_requests reached', send: get('/three').repeat(4), until: 'close' },
  {
    name: 'keepalive_requests reached, counted over locations',
    send: get('/') + get('/') + get('/three') + get('/'),
    until: 'close',
  },
  { name: 'keepalive_requests in the server', port: 4, send: get('/').repeat(3), until: 'close' },
  { name: 'keepalive_timeout 0 and return in the server', port: 2, send: get('/'), until: 'close' },
  {
    name: 'keepalive_requests and return in the server',
    port: 3,
    send: get('/').repeat(3) + get('/', 'Connection: close'),
    until: 'close',
  },
)

for (const [name, agent] of Object.entries(AGENTS)) {
  for (const method of ['GET', 'POST']) {
    for (const target of ['/', '/none', '/safari', '/both']) {
      cases.push({
        name: `${name}, ${method} ${target}`,
        send: thenClose(request(method, target, `User-Agent: ${agent}`)),
        until: 'close',
      })
    }
  }
}

const statuses = [400, 401, 403, 404, 405, 408, 411, 413, 414, 416, 444, 494, 499, 500, 501, 502, 503, 504]
const PAGES = `${LOGGING}
  server {
    listen 127.0.0.1:%PORT%;
    location / { return 200 "text"; }
    ${statuses.map((status) => `location /${status} { return ${status}; }`).join('\n')}
  }
`

describeParity(
  'keepalive',
  CONF,
  cases.map((parityCase) => ({ ...parityCase, logged: 'answers' as const })),
)

describeParity(
  'keepalive after errors',
  PAGES,
  statuses.map((status) => ({
    name: `return ${status}`,
    send: thenClose(get(`/${status}`)),
    until: 'close' as const,
    ...(status !== 444 && status !== 499 && status !== 408 && { logged: 'answers' as const }),
  })),
)
