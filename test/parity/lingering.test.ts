// How a connection ends while the client may still be sending, and after timeouts: the whole answer, then an end or a
// reset.

import { describeParity, type ParityCase } from './compare.ts'
import { get, LOGGING, MODERN, request } from './requests.ts'

const places = (name: string, directives: string): string => `
  location /${name}/ {
    ${directives}
    location /${name}/text { return 200 "text"; }
    location /${name}/proxy { proxy_pass http://%BACKEND%; }
    location /${name}/silent { return 444; }
  }`

const CONF = `${LOGGING}${MODERN}
  lingering_timeout 200ms;
  client_header_timeout 300ms;
  client_body_timeout 300ms;
  keepalive_timeout 300ms;
  server {
    listen 127.0.0.1:%PORT%;
    ${places('on', 'lingering_close on;')}
    ${places('off', 'lingering_close off;')}
    ${places('always', 'lingering_close always;')}
    ${places('reset', 'reset_timedout_connection on;')}
    ${places('always-reset', 'reset_timedout_connection on; lingering_close always;')}
  }
  server { listen 127.0.0.1:%PORT2%; reset_timedout_connection on; }
`

const post = (target: string, length: number, ...headers: string[]): string =>
  request('POST', target, `Content-Length: ${length}`, ...headers)
const CLOSE = 'Connection: close'

const cases: ParityCase[] = ['on', 'off', 'always', 'reset', 'always-reset']
  .flatMap((place) => [
    { name: `${place}: no body`, send: get(`/${place}/text`, CLOSE) },
    { name: `${place}: whole body unread`, send: `${post(`/${place}/text`, 5, CLOSE)}hello` },
    { name: `${place}: part of a body unread`, send: `${post(`/${place}/text`, 50, CLOSE)}hello` },
    { name: `${place}: part of a body unread, kept`, send: `${post(`/${place}/text`, 50)}hello` },
    {
      name: `${place}: body unread in two parts, kept`,
      send: [`${post(`/${place}/text`, 10)}hello`, `world${get(`/${place}/text`, CLOSE)}`],
      logged: 2,
    },
    { name: `${place}: proxied`, send: `${post(`/${place}/proxy`, 5, CLOSE)}hello` },
    { name: `${place}: 444`, send: get(`/${place}/silent`) },
    { name: `${place}: body that does not come`, send: `${post(`/${place}/proxy`, 50)}hello` },
    { name: `${place}: keepalive timeout`, send: get(`/${place}/text`) },
  ])
  .map((parityCase) => ({ ...parityCase, until: 'close' as const, reset: true as const }))

cases.push(
  { name: 'head that does not come', send: 'GET / HTTP/1.1\r\nHo', until: 'close', reset: true, info: true },
  {
    name: 'head that does not come, reset',
    port: 2,
    send: 'GET / HTTP/1.1\r\nHo',
    until: 'close',
    reset: true,
    info: true,
  },
  { name: 'nothing comes', send: '', until: 'close', reset: true, logged: 0, info: true },
  { name: 'nothing comes, reset', port: 2, send: '', until: 'close', reset: true, logged: 0, info: true },
  {
    name: 'the client ends without a word',
    send: '',
    halfClose: true,
    until: 'close',
    logged: 0,
    info: true,
  },
  {
    name: 'the client ends in a head',
    send: 'GET / HT',
    halfClose: true,
    until: 'close',
    info: true,
  },
  {
    name: 'bytes behind the last request',
    send: `${get('/on/text', CLOSE)}more and more`,
    until: 'close',
    reset: true,
  },
)

describeParity('lingering', CONF, cases)
