// auth_basic: users, passwords in every form, files that are odd or missing, and what satisfy and error_page make of it.

import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { removeFolder, temporaryFolder } from '../support/temporary.ts'
import { describeParity } from './compare.ts'
import { get, MODERN, type ParityCases } from './requests.ts'

const FORMS: Record<string, string> = {
  plain: '{PLAIN}secret',
  sha: '{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=',
  ssha: `{SSHA}${Buffer.concat([Buffer.from('8152bc582f58c854f580cb101d3182813dec4afe', 'hex'), Buffer.from('salt')]).toString('base64')}`,
  apr1: openssl('-apr1', '-salt', 'saltsalt'),
  des: 'abNANd1rDfiNc',
  md5: openssl('-1', '-salt', 'saltsalt'),
  sha256: openssl('-5', '-salt', 'saltsalt'),
  sha512: openssl('-6', '-salt', 'saltsaltsaltsalt'),
  bcrypt: '$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW',
  cleartext: 'secret',
  empty: '',
  scheme: '{MD5}secret',
  broken: '$apr1$',
  noend: '$5$salt',
  rounds: '$5$rounds=10$salt$abc',
  shortssha: '{SSHA}YWJj',
}

const folder = await temporaryFolder()
afterAll(() => removeFolder(folder))
writeFileSync(
  join(folder, 'users'),
  [
    '# comment',
    '',
    '#hash:{PLAIN}secret',
    ...Object.entries(FORMS).map(([name, stored]) => `${name}:${stored}`),
    'comment:{PLAIN}secret:a comment',
    'twice:{PLAIN}first',
    'twice:{PLAIN}secret',
    'pre',
    'prefix:{PLAIN}secret',
    'prefix:{PLAIN}other',
    'crlf:{PLAIN}secret\r',
    ' space:{PLAIN}secret',
    `${'long'.repeat(200)}:{PLAIN}secret`,
    `utf8\u00e9:{PLAIN}secret`,
    'last:{PLAIN}secret',
  ].join('\n'),
)
writeFileSync(join(folder, 'nothing'), '')
mkdirSync(join(folder, 'directory'))

function openssl(...args: string[]): string {
  return execFileSync('openssl', ['passwd', ...args, 'secret'], { encoding: 'latin1' }).trim()
}

const HTTP = `${MODERN}
  log_format parity '$request_method $request_uri -> $uri by $remote_user: $status body=$body_bytes_sent';
  access_log logs/access.log parity;
  server {
    listen 127.0.0.1:%PORT%;
    auth_basic "the realm";
    auth_basic_user_file ${folder}/users;
    location / { proxy_pass http://%BACKEND%; }
    location /off { auth_basic off; proxy_pass http://%BACKEND%; }
    location /quotes { auth_basic 'a "quoted" \\\\realm'; proxy_pass http://%BACKEND%; }
    location /blank { auth_basic ""; proxy_pass http://%BACKEND%; }
    location /variable { auth_basic $arg_realm; proxy_pass http://%BACKEND%; }
    location /none { auth_basic_user_file ${folder}/missing; proxy_pass http://%BACKEND%; }
    location /relative { auth_basic_user_file missing; proxy_pass http://%BACKEND%; }
    location /directory { auth_basic_user_file ${folder}/directory; proxy_pass http://%BACKEND%; }
    location /under { auth_basic_user_file ${folder}/users/below; proxy_pass http://%BACKEND%; }
    location /nothing { auth_basic_user_file ${folder}/nothing; proxy_pass http://%BACKEND%; }
    location /file { auth_basic_user_file ${folder}/$arg_file; proxy_pass http://%BACKEND%; }
    location /begins { auth_basic_user_file $arg_file; proxy_pass http://%BACKEND%; }
    location /any { satisfy any; deny all; proxy_pass http://%BACKEND%; }
    location /any-allowed { satisfy any; allow all; proxy_pass http://%BACKEND%; }
    location /any-asked { satisfy any; auth_request /yes; proxy_pass http://%BACKEND%; }
    location /all { deny all; proxy_pass http://%BACKEND%; }
    location = /yes { internal; return 204; }
    location /page { error_page 401 /login; proxy_pass http://%BACKEND%; }
    location /page-200 { error_page 401 =200 /login; proxy_pass http://%BACKEND%; }
    location /page-302 { error_page 401 =302 /login; proxy_pass http://%BACKEND%; }
    location = /login { auth_basic off; return 200 "log in"; }
    location /except { auth_basic off; limit_except GET { auth_basic except; } proxy_pass http://%BACKEND%; }
    location /return { return 200 "first"; }
    location /late { auth_delay 100ms; proxy_pass http://%BACKEND%; }
  }
  server {
    listen 127.0.0.1:%PORT2%;
    auth_basic "no file";
    location / { proxy_pass http://%BACKEND%; }
  }
`

function as(credentials: string): string {
  return `Authorization: Basic ${Buffer.from(credentials, 'latin1').toString('base64')}`
}

const USERS = [...Object.keys(FORMS), 'comment', 'twice', 'pre', 'prefix', 'crlf', 'space', ' space', 'last']
const ODD = ['nobody', '#hash', 'long'.repeat(200), 'utf8\u00c3\u00a9', 'PLAIN']
const PATHS = ['/', '/off', '/quotes', '/blank', '/none', '/relative', '/directory', '/under', '/nothing']
const MORE = [
  '/any',
  '/any-allowed',
  '/any-asked',
  '/all',
  '/page',
  '/page-200',
  '/page-302',
  '/return',
  '/late',
]
const AUTHORIZATIONS = [
  'Basic',
  'Basic ',
  'Basic !!!',
  'Basic cGxhaW4=',
  'Basic OnNlY3JldA==',
  'Basic cGxhaW46',
  'basic cGxhaW46c2VjcmV0',
  'BASIC    cGxhaW46c2VjcmV0',
  'Basic cGxhaW46c2VjcmV0=garbage',
  'Basic cGxhaW46c2VjcmV0 ',
  'Basic cGxhaW46c2VjcmV0AA',
  'Basiccz cGxhaW46c2VjcmV0',
  'Digest cGxhaW46c2VjcmV0',
  'Bearer token',
]

const cases: ParityCases = [
  ...[...USERS, ...ODD].flatMap((user) => [
    {
      name: `${user.slice(0, 20)} with the right password`,
      send: get('/', as(`${user}:secret`)),
      info: true,
    },
    { name: `${user.slice(0, 20)} with a wrong one`, send: get('/', as(`${user}:wrong`)), info: true },
  ]),
  ...AUTHORIZATIONS.map((value) => ({ name: value, send: get('/', `Authorization: ${value}`), info: true })),
  ...[...PATHS, ...MORE].flatMap((path) => [
    { name: `${path} without a user`, send: get(path), info: true },
    { name: `${path} as a user`, send: get(path, as('plain:secret')), info: true },
    { name: `${path} with a wrong password`, send: get(path, as('plain:wrong')), info: true },
  ]),
  { name: 'a realm of the request', send: get('/variable?realm=yours') },
  { name: 'a realm of the request that is off', send: get('/variable?realm=off') },
  { name: 'a file of the request', send: get('/file?file=users', as('plain:secret')) },
  { name: 'another file of the request', send: get('/file?file=nothing', as('plain:secret')) },
  { name: 'an absolute file of the request', send: get(`/begins?file=${folder}/users`, as('plain:secret')) },
  { name: 'a relative file of the request', send: get('/begins?file=users', as('plain:secret')) },
  { name: 'no file of the request', send: get('/begins', as('plain:secret')) },
  { name: 'a password ends at the byte 0', send: get('/', as('plain:secret\0more')) },
  { name: 'a password with colons', send: get('/', as('plain:secret:more')) },
  { name: 'in limit_except, excepted', send: get('/except') },
  { name: 'in limit_except', send: 'PUT /except HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n' },
  { name: 'a realm without a file asks nobody', send: get('/'), port: 2 },
  {
    name: 'kept connections go on',
    send: get('/') + get('/', as('md5:secret')) + get('/off'),
    until: 3,
    logged: 3,
  },
]

describeParity('auth_basic', HTTP, cases)
