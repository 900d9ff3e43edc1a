// proxy_pass in every kind of location, in every form: the backend must be asked for the same URI, under the same name.

import type { ParityCase } from './compare.ts'
import { describeGenerated } from './generated.ts'
import { get, MODERN } from './requests.ts'

interface Kind {
  /** The location's argument and the path of a request for it, for location number `n`. */
  location(n: number): string
  path(n: number): string
  /** A constant URI part is allowed. */
  prefix: boolean
  /** What requests may add to the path. */
  suffixes: readonly string[]
}

const SUFFIXES = ['', 'a/b?x=1&y', 'a%2Fb%41;c?q=%20%2F', './/x/../y/', '%3Fq%25?', 'A:b@c,d?e=http://f/?g']
const QUERIES = ['', '?', '?x=1', '?q=%20//..']

const KINDS: Record<string, Kind> = {
  'prefix with slash': {
    location: (n) => `/c${n}/`,
    path: (n) => `/c${n}/`,
    prefix: true,
    suffixes: SUFFIXES,
  },
  prefix: { location: (n) => `/c${n}-`, path: (n) => `/c${n}-`, prefix: true, suffixes: SUFFIXES },
  exact: { location: (n) => `= /c${n}/e`, path: (n) => `/c${n}/e`, prefix: true, suffixes: QUERIES },
  'prefix before regexes': {
    location: (n) => `^~ /c${n}/`,
    path: (n) => `/%63${n}/`,
    prefix: true,
    suffixes: SUFFIXES.slice(0, 3),
  },
  regex: { location: (n) => `~ ^/c${n}/(.*)$`, path: (n) => `/c${n}/`, prefix: false, suffixes: SUFFIXES },
  'regex in any case': {
    location: (n) => `~* ^/C${n}/(?<rest${n}>.*)$`,
    path: (n) => `/c${n}/`,
    prefix: false,
    suffixes: SUFFIXES.slice(0, 3),
  },
}

/** By what they are: the arguments, and whether they have a constant URI part or what a decoded URI becomes part of. */
const PASSES: [pass: string, uri: boolean][] = [
  ['http://%BACKEND%', false],
  ['http://%BACKEND%/', true],
  ['http://%BACKEND%/t', true],
  ['http://%BACKEND%/t/u/', true],
  ['http://%BACKEND%/t/?fixed=1', true],
  ['http://back', false],
  ['http://BACK/t/', true],
  ['HTTP://back/%%20/', true],
  ['http://localhost:%BACKPORT%/n/', true],
  ['http://%BACKEND%$request_uri', false],
  ['http://%BACKEND%$uri$is_args$args', false],
  ['http://$http_x_up', false],
  ['http://$http_x_up/', false],
  ['http://$http_x_up$request_uri', false],
  ['http://$http_x_up/v?u=$uri&a=$args', false],
  ['$scheme://%BACKEND%?r=$request_uri', false],
  ['http://%BACKEND%/r/$1', false],
  ['http://$http_x_up/r/$1$is_args$args', false],
]

const locations: string[] = []
const cases: ParityCase[] = []
for (const [kind, { location, path, prefix, suffixes }] of Object.entries(KINDS)) {
  const chosen = PASSES.filter(([pass, uri]) => (prefix ? !pass.includes('$1') : !uri))
  for (const [index, [pass]] of chosen.entries()) {
    const n = cases.length
    locations.push(`location ${location(n)} { proxy_pass ${pass}; }`)
    for (const suffix of suffixes) {
      cases.push({
        name: `${kind}, ${pass}, ${JSON.stringify(suffix)}`,
        send: get(path(n) + suffix, `X-Up: ${index % 2 === 0 ? 'back' : 'Back'}`),
      })
    }
  }
}

describeGenerated(
  'proxy_pass, generated',
  `${MODERN}
  log_format parity '$request_uri -> $uri ? $args, $proxy_host $proxy_port $upstream_status: $status';
  access_log logs/access.log parity;
  upstream back { server %BACKEND%; }
  server {
    listen 127.0.0.1:%PORT%;
    server_name localhost;
    ${locations.join('\n    ')}
  }`,
  cases,
)
