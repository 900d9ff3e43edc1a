// map from a grammar: keys, flags and values of all kinds against sources that meet them, nearly meet them or do not.
// Keys that nginx refuses beside one another are left out here; parity/map.test.ts has them.

import type { ParityCase } from './compare.ts'
import { describeGenerated, randomFrom } from './generated.ts'
import { get } from './requests.ts'

const random = randomFrom(20261122)
const MAPS = 36
const SOURCES_EACH = 5

/** Texts that are near one another. */
const NAMES = [
  ...[
    'example.com',
    'www.example.com',
    'a.b.example.com',
    'example.org',
    'mail.example.com',
    'mail.x',
    'mail',
  ],
  ...['com', 'x.com', 'Example.COM', '.example.com', 'example.com.', 'ab', 'AB', 'abc', 'a1', '10', '~x'],
  ...['default', 'hostnames', 'volatile', 'include', 'a b', '\xe9t\xe9', '\xc9t\xe9', 'a.b', 'x-y_z/2'],
]
const KEYS = {
  text: [
    ...['example.com', 'www.Example.com', 'mail.example.com', 'com', 'ab', 'AbC', 'a1', '10', "'a b'"],
    ...[
      '\\\\default',
      '\\\\hostnames',
      '\\\\volatile',
      '\\\\~x',
      "''",
      '\xe9t\xe9',
      'x-y_z/2',
      '*.com',
      '.com',
    ],
  ],
  wildcard: ['*.example.com', '.example.com', 'mail.*', '*.com', 'www.example.*', '.org', '*.b.example.com'],
  regex: [
    ...[
      "'~^(a)(b)?'",
      "'~*^(?<first>[a-z])(?<second>[a-z])'",
      '~example',
      "'~^(\\w+)\\.(\\w+)$'",
      "'~\\d+$'",
    ],
    ...["'~^mail\\.(?<rest>.+)$'", "'~*^AB$'", "'~ '", "'~[^\\x00-\\x7f]'", '~.', "'~^(?P<whole>.*)\\.$'"],
  ],
}
const VALUES = [
  ...['1', 'plain', "'two words'", "''", '$http_x_v', '<$http_x_v>', '$1', '$2', "'$1-$2'", '$first$second'],
  ...[`\${rest}`, '$whole', '$request_method', '$map0', "'$map1 and $1'", '$arg_none', '$uri'],
]

/** A key that conflicts with none of `used` is what nginx's table of names holds once. */
function bare(key: string): string {
  return key
    .toLowerCase()
    .replace(/^'|'$/g, '')
    .replace(/^\\\\/, '')
    .replace(/^\*?\./, '')
    .replace(/\.\*$/, '')
}

function block(index: number): string {
  const hostnames = random.below(2) === 0
  const used = new Set<string>()
  const lines: string[] = []
  if (random.below(4) > 0) lines.push(`default ${value(index)};`)
  for (let count = 1 + random.below(8); count > 0; count--) {
    const kind = random.pick([
      'text',
      'text',
      'regex',
      ...(hostnames ? ['wildcard'] : []),
    ]) as keyof typeof KEYS
    const key = random.pick(KEYS[kind])
    // A name with and without its wildcard may or may not conflict: only one of them is taken.
    const name = kind === 'regex' ? key : bare(key)
    if (used.has(name)) continue
    if (hostnames && kind === 'text' && /[*]|^\.|^''$/.test(key)) continue
    used.add(name)
    lines.push(`${key} ${value(index)};`)
  }
  if (random.below(4) === 0) lines.push('volatile;')
  const flags = hostnames ? 'hostnames; ' : ''
  return `${flags}${lines.join(' ')}`
}

/** A map may use those before it. */
function value(index: number): string {
  const chosen = random.pick(VALUES)
  const needs = /map(\d)/.exec(chosen)
  return needs !== null && Number(needs[1]) >= index ? 'none' : chosen
}

const SOURCES = [
  '$http_x_v',
  '$http_x_v',
  '$http_x_v',
  `\${http_x_v}`,
  '$http_x_v$arg_none',
  'a$http_x_v',
  '$host',
]

const maps = Array.from({ length: MAPS }, (_, index) => {
  const source = random.pick(SOURCES)
  return `map ${source} $map${index} { ${block(index)} }`
})

const HTTP = `
  log_format values '$uri $map0 $map1 $map2 [$first|$second|$rest|$whole]';
  access_log logs/access.log values;
  ${maps.join('\n  ')}
  server {
    listen 127.0.0.1:%PORT%;
    server_name example.com;
    ${maps.map((_, index) => `location = /${index} { return 200 "[$map${index}] $map${index} $1"; }`).join('\n    ')}
  }`

const cases: ParityCase[] = []
for (let index = 0; index < MAPS; index++) {
  for (let count = 0; count < SOURCES_EACH; count++) {
    const source = random.below(12) === 0 ? '' : random.pick(NAMES)
    cases.push({
      name: `${maps[index]} with "${source}"`,
      send: get(`/${index}`, 'Host: www.example.com.', ...(source === '' ? [] : [`X-V: ${source}`])),
    })
  }
}

describeGenerated('generated maps', HTTP, cases)
