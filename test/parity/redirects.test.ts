// Redirects that weir makes: the slash a proxied prefix lacks, `return` with a path, a backend's Location; with every
// combination of what a URL in them is made of, and every way a request can name its host.

import type { ParityCase } from './compare.ts'
import { describeGenerated } from './generated.ts'
import { LOGGING, reply } from './requests.ts'

const SWITCHES = ['absolute_redirect', 'port_in_redirect', 'server_name_in_redirect']

/** What the bits of `number` switch on. */
const switches = (number: number): string =>
  SWITCHES.map((name, bit) => `${name} ${number & (1 << bit) ? 'on' : 'off'};`).join(' ')

const LOCATIONS = `
  proxy_http_version 1.1;
  location /dir/ { proxy_pass http://%BACKEND%; }
  location "/sp ace/" { proxy_pass http://%BACKEND%; }
  location /go { return 301 /else?where; }
  location /url { return 302 http://other/; }
  location /relative { return 307 else; }
  location /empty { return 303 ""; }
  location /two { return 308 //other/; }
  location /back/ { proxy_pass http://%BACKEND%/b/; }`

const server = (body: string, ...listens: string[]): string => `
  server { ${listens.map((listen) => `listen ${listen};`).join(' ')} ${body} ${LOCATIONS} }`

const COMBINATIONS = Array.from({ length: 8 }, (_, number) => number)

const HTTP = `${LOGGING}
  ${COMBINATIONS.map((number) => server(`server_name name${number}; ${switches(number)}`, '127.0.0.1:%PORT%')).join('')}
  ${COMBINATIONS.map((number) => server(`server_name six${number}; ${switches(number)}`, '[::1]:%PORT2%')).join('')}
  ${server('server_name .dotted.example; server_name_in_redirect on;', '127.0.0.1:%PORT3%')}
  ${server('server_name *.star.example; server_name_in_redirect on;', '127.0.0.1:%PORT3%')}
  ${server('server_name ""; server_name_in_redirect on;', '127.0.0.1:%PORT4%')}
  ${server('server_name ~^re; server_name_in_redirect on;', '127.0.0.1:%PORT4%')}
  server { listen 127.0.0.1:%PORT5%; server_tokens off; ${LOCATIONS} }
  server { listen 127.0.0.1:%PORT5%; server_name build; server_tokens build; ${LOCATIONS} }`

const HOSTS: [name: string, host: string][] = [
  ['a name', 'Host: name%\r\n'],
  ['a name with a port', 'Host: name%:81\r\n'],
  ['a name in upper case', 'Host: NAME%\r\n'],
  ['a name with a dot behind', 'Host: name%.:%PORT%\r\n'],
  ['an address', 'Host: 127.0.0.1\r\n'],
]

function exchange(name: string, send: string, more: Partial<ParityCase> = {}): ParityCase {
  return { name, send: `${send}\r\n`, ...more }
}

function combined(path: string): ParityCase[] {
  return COMBINATIONS.flatMap((number) =>
    HOSTS.map(([what, host]) =>
      exchange(
        `${path}: ${switches(number)} ${what}`,
        `GET ${path} HTTP/1.1\r\n${host.replace('%', String(number))}`,
      ),
    ),
  )
}

describeGenerated('a prefix without its slash', HTTP, combined('/dir'))
describeGenerated('return with a path', HTTP, combined('/go'))

describeGenerated(
  'the same over IPv6 and without Host',
  HTTP,
  COMBINATIONS.flatMap((number) => [
    exchange(`HTTP/1.0 without Host: ${number}`, `GET /dir HTTP/1.0\r\n`, { port: 1 }),
    exchange(`IPv6, HTTP/1.0 without Host: ${number}`, `GET /go HTTP/1.0\r\n`, { port: 2, host: '::1' }),
    exchange(`IPv6, a name: ${number}`, `GET /go HTTP/1.1\r\nHost: six${number}\r\n`, {
      port: 2,
      host: '::1',
    }),
    exchange(`absolute target: ${number}`, `GET http://name${number}:99/dir HTTP/1.1\r\nHost: x\r\n`),
    exchange(`absolute target in HTTP/1.0: ${number}`, `GET http://name${number}/dir?a HTTP/1.0\r\n`),
    exchange(`a URL: ${number}`, `GET /url HTTP/1.1\r\nHost: name${number}\r\n`),
    exchange(`a relative one: ${number}`, `GET /relative HTTP/1.1\r\nHost: name${number}\r\n`),
    exchange(`an empty one: ${number}`, `GET /empty HTTP/1.1\r\nHost: name${number}\r\n`),
    exchange(`two slashes: ${number}`, `GET /two HTTP/1.1\r\nHost: name${number}\r\n`),
    exchange(`HEAD: ${number}`, `HEAD /go HTTP/1.1\r\nHost: name${number}\r\n`),
    exchange(`a path of the backend: ${number}`, `GET /dir/x HTTP/1.1\r\nHost: name${number}\r\n`, {
      answer: reply('302 Found', ['Location: /there', 'Content-Length: 0']),
    }),
    exchange(`the backend's own URL: ${number}`, `GET /back/x HTTP/1.1\r\nHost: name${number}\r\n`, {
      answer: reply('302 Found', ['Location: http://%BACKEND%/b/there', 'Content-Length: 0']),
    }),
    exchange(`a prefix of the backend: ${number}`, `GET /back/x HTTP/1.1\r\nHost: name${number}\r\n`, {
      answer: reply('301 Moved Permanently', ['Location: /b/there?q', 'Content-Length: 0']),
    }),
  ]),
)

const get = (path: string, host: string, port: number): ParityCase =>
  exchange(`${path} of ${host} on ${port}`, `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n`, { port })

describeGenerated('names of servers, and of the program', HTTP, [
  ...['a.dotted.example', 'dotted.example', '.dotted.example', 'x.star.example', 'star.example'].map((host) =>
    get('/go', host, 3),
  ),
  ...['.star.example', '.', 'other'].map((host) => get('/dir', host, 3)),
  ...['re', 'read.er', 'other'].map((host) => get('/dir', host, 4)),
  exchange('no name at all', 'GET /dir HTTP/1.0\r\n', { port: 4 }),
  get('/dir?a=b', 'name1', 1),
  get('/dir?', 'name1', 1),
  get('/d%69r', 'name1', 1),
  get('/sp%20ace', 'name1', 1),
  get('/sp%20ace?x%20y', 'name0', 1),
  get('//dir', 'name1', 1),
  get('/dir#f', 'name1', 1),
  exchange('POST', 'POST /dir HTTP/1.1\r\nHost: name1\r\nContent-Length: 0\r\n'),
  get('/go', 'x', 5),
  get('/dir', 'x', 5),
  get('/dir/', 'x', 5),
  get('/dir/', 'build', 5),
])
