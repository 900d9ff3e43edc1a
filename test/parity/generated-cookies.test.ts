// Generated: rules of `proxy_cookie_domain`, `_path` and `_flags` against what backends put into Set-Cookie.

import { describeGenerated, randomFrom } from './generated.ts'
import { get, LOGGING, MODERN, type ParityCases, replyWith } from './requests.ts'

const LOCATIONS = 24
const CASES = 160

const { below, pick, some } = randomFrom(20260302)

const domain = () => pick(['old.test', '.old.test', 'OLD.test', 'a.old.test', '.other', '', '.', 'test'])
const path = () => pick(['/', '/a', '/a/b', '/A', '', 'a', '/a%20b/', '//'])
const name = () => pick(['id', 'ID', 'session', 'sess', 'x-y', '', 'a b'])
const variable = () => pick(['$arg_v', '$host', '$uri', '$arg_none'])

const domainRule = () => {
  const from = pick([
    domain,
    domain,
    () => variable(),
    () => pick(['~old', '~^\\.?([a-z]+)\\.test$', '~^(.*)$']),
  ])()
  const to = pick([domain, () => 'new.test', () => '$1.new', () => variable()])()
  return `proxy_cookie_domain "${from}" "${to}";`
}
const pathRule = () => {
  const from = pick([path, path, variable, () => pick(['~^/(a)', '~*^/(A)(.*)$', '~b$', '~^$'])])()
  const to = pick([path, () => '/new$1', () => '/$2', () => '/p; Secure', variable])()
  return `proxy_cookie_path "${from}" "${to}";`
}
const FLAGS = ['secure', 'httponly', 'samesite=strict', 'samesite=lax', 'samesite=none']
const flag = () =>
  pick([
    ...FLAGS,
    ...FLAGS,
    'nosecure',
    'nohttponly',
    'nosamesite',
    'SECURE',
    'SameSite=None',
    '$arg_f',
    'other',
  ])
const flagsRule = () => {
  const from = pick([name, name, () => pick(['~id', '~^s', '~', '~^$']), () => '$arg_c'])()
  return `proxy_cookie_flags "${from}" ${some(1, 3, () => `"${flag()}" `)};`
}

const locations = Array.from(
  { length: LOCATIONS },
  (_, index) =>
    `location /l${index} { proxy_pass http://%BACKEND%; ` +
    `${some(0, 2, domainRule)} ${some(0, 2, pathRule)} ${some(0, 2, flagsRule)} }`,
)

const CONF = `${LOGGING}${MODERN}
  server {
    listen 127.0.0.1:%PORT%;
    server_name c.test;
    proxy_cookie_flags ~ samesite=lax;
    ${locations.join('\n    ')}
  }
`

const blank = () => pick(['', '', '', ' ', '  '])
const attribute = () => {
  const equals = `${blank()}=${blank()}`
  return pick([
    () => `${pick(['Domain', 'domain', 'DOMAIN'])}${equals}${domain()}`,
    () => `${pick(['Path', 'path', 'PATH'])}${equals}${path()}`,
    () => pick(['Secure', 'secure', 'secure=1', 'SECURE']),
    () => pick(['HttpOnly', 'httponly', 'HTTPONLY=']),
    () => `${pick(['SameSite', 'samesite'])}${pick([equals, ''])}${pick(['Lax', 'strict', 'NONE', 'x', ''])}`,
    () => pick(['Max-Age=5', 'Expires=Thu, 01 Jan 1970 00:00:00 GMT', 'x', '', '=', '==', 'Partitioned']),
  ])()
}
const cookie = () =>
  `${blank()}${name()}${pick(['=', '=', '=', ' = ', ''])}${pick(['v', '"q;q"', '', 'a=b', ' '])}` +
  some(0, 5, () => `${blank()};${blank()}${attribute()}`) +
  pick(['', '', ';', ' ; '])

function makeCase(index: number): ParityCases[number] {
  const target = `/l${below(LOCATIONS)}?v=${pick(['old.test', '/a', 'x'])}&f=${pick(FLAGS)}&c=${pick(['id', 'sess'])}`
  const values = Array.from({ length: 1 + below(3) }, cookie)
  return {
    name: `${index}: ${target} ${JSON.stringify(values)}`,
    send: get(target),
    answer: replyWith('200 OK', 'x', 'X-A: 1', ...values.map((value) => `Set-Cookie: ${value}`), 'X-B: 1'),
  }
}

describeGenerated(
  'generated cookies',
  CONF,
  Array.from({ length: CASES }, (_, index) => makeCase(index)),
)
