// Generated: rules of `proxy_redirect` against the values backends give Location and Refresh.

import { describeGenerated, randomFrom } from './generated.ts'
import { get, LOGGING, MODERN, type ParityCases, replyWith } from './requests.ts'

const LOCATIONS = 24
const CASES = 150

const { below, pick, some } = randomFrom(20260301)

const host = () => pick(['old.test', 'OLD.test', 'a.old.test', 'other.test', 'old.test:8080', 'old.testing'])
const scheme = () => pick(['http://', 'http://', 'https://', 'HTTP://', '//', ''])
const segment = () => pick(['/', '/a', '/b/', '/a%20b', '/..', '//', '/x.html', '/A'])
const path = () => some(0, 3, segment)

const variable = () =>
  pick(['$host', '$scheme', '$arg_v', '$uri', '$request_method', '$server_port', '$arg_none'])
const text = () =>
  pick([
    () => `http://${host()}/`,
    () => `http://old.test${path()}`,
    () => path() || '/',
    () => `${scheme()}$arg_v/`,
    () => `${variable()}${path()}`,
    () => '',
  ])()
const regex = () =>
  pick([
    '~^http://([^/]+)/(.*)$',
    '~*^http://(?<rest>old[^/]*)(/.*)?$',
    '~*old',
    '~^/(a|b)/?',
    '~/x\\.html$',
    '~^(https?)://([a-z.]+)(:\\d+)?(.*)$',
    '~*(A)',
    '~.',
    '~^$',
  ])
const replacement = () =>
  pick([
    () => text(),
    () => '/new/',
    () => 'http://new.test/',
    () => '/$1/$2',
    () => 'http://$1.new$2',
    () => `$1${variable()}`,
    () => '',
  ])()
const rule = () => `proxy_redirect "${below(5) < 2 ? regex() : text()}" "${replacement()}";`

const locations = Array.from({ length: LOCATIONS }, (_, index) => {
  const uri = pick(['', '', '/', '/up/'])
  const last = pick(['proxy_redirect default;', '', ''])
  return `location /l${index}/ { proxy_pass http://%BACKEND%${uri}; ${some(1, 3, rule)} ${last} }`
})

const CONF = `${LOGGING}${MODERN}
  server {
    listen 127.0.0.1:%PORT%;
    server_name r.test;
    ${locations.join('\n    ')}
    location / { proxy_pass http://%BACKEND%/up/; }
  }
`

const url = () =>
  pick([
    () => `${scheme()}${host()}${path()}`,
    () => `${scheme()}old.test${path()}?q=http://old.test/`,
    () => path(),
    () => `http://BACKEND${path()}`,
    () => `http://BACKEND/up${path()}`,
    () => pick(['', ' ', 'x', '?a', '#f', 'mailto:a@b']),
  ])()

function makeCase(index: number): ParityCases[number] {
  const target = below(8) === 0 ? '/x' : `/l${below(LOCATIONS)}/${pick(['', 'y', 'y/z'])}`
  const value = url()
  const refresh = below(5) === 0
  const line = refresh
    ? `Refresh: ${pick(['0;url=', '5; URL=', '1; Url="', 'x', 'url='])}${value}`
    : `${pick(['Location', 'Location', 'location'])}: ${value}`
  return {
    name: `${index}: ${target} ${line}`,
    send: get(`${target}?v=${pick(['old.test', 'x', ''])}`),
    answer: (request) => {
      const backend = /\r\nHost: ([^\r]*)/.exec(request.toString('latin1'))?.[1] ?? ''
      return replyWith(
        refresh ? '200 OK' : '302 Found',
        '',
        'X-A: 1',
        line.replace('BACKEND', backend),
        'X-B: 1',
      )
    },
  }
}

describeGenerated(
  'generated redirects',
  CONF,
  Array.from({ length: CASES }, (_, index) => makeCase(index)),
)
