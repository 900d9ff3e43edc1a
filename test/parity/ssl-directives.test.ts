// What nginx 1.22 and weir refuse of sessions, stapling and clients' certificates, and what they only doubt.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { Authority } from '../support/certificates.ts'
import { describeRefusals, describeWarnings } from './refusals.ts'

const authority = await Authority.create('Directives')
const plain = await authority.issue('plain')
const urls: Record<string, string> = {}
for (const ocsp of [
  'https://a.example/',
  'http://127.0.0.1:99999/',
  'http://127.0.0.1:0',
  'http:///',
  'ldap://x',
]) {
  const { certFile, keyFile } = await authority.issue('named', { ocsp })
  urls[ocsp] = `ssl_certificate ${certFile}; ssl_certificate_key ${keyFile};`
}
const broken = join(authority.folder, 'broken.der')
writeFileSync(broken, 'not DER')
afterAll(() => authority.remove())

const certificate = `ssl_certificate ${plain.certFile}; ssl_certificate_key ${plain.keyFile};`
const trusted = `ssl_trusted_certificate ${authority.certFile};`
const server = (text: string) => `server { listen 127.0.0.1:8443 ssl; ${text} }`

describeRefusals('directives of sessions, stapling and clients', [
  ...[
    'foo',
    'shared:a',
    'shared::1m',
    'shared:a:x',
    'shared:a:1k',
    'builtin:',
    'builtin:x',
    'builtin:1 foo',
    'shared:',
  ].map((value) => `ssl_session_cache ${value};`),
  'ssl_session_cache;',
  'ssl_session_cache none none none;',
  'ssl_session_cache none; ssl_session_cache shared:a;',
  'ssl_session_cache shared:a:1m; server { ssl_session_cache shared:a:2m; }',
  'ssl_session_cache shared:a:1m; upstream u { zone a 64k; server 127.0.0.1:1; }',
  'upstream u { zone a 64k; server 127.0.0.1:1; } ssl_session_cache shared:a:64k;',
  'ssl_verify_client yes;',
  'ssl_verify_client on off;',
  'ssl_verify_client on; ssl_verify_client on;',
  'ssl_verify_depth x;',
  'ssl_verify_depth -1;',
  'location / { ssl_verify_client on; }',
  'server { location / { ssl_session_cache none; } }',
  'ssl_stapling 1;',
  'ssl_stapling_verify maybe;',
  'ssl_stapling_responder;',
  'server { location / { ssl_stapling on; } }',
  `ssl_client_certificate a; ssl_client_certificate b;`,
  'server { location / { return 200 $ssl_nothing; } }',
])

describeWarnings('directives of stapling', [
  server(`${certificate} ssl_stapling on;`),
  server(`${certificate} ssl_stapling on; ${trusted}`),
  server(`${certificate} ssl_stapling on; ${trusted} ssl_stapling_responder https://a.example/;`),
  server(`${certificate} ssl_stapling on; ${trusted} ssl_stapling_responder a;`),
  server(`${certificate} ssl_stapling on; ${trusted} ssl_stapling_responder http://;`),
  server(`${certificate} ssl_stapling on; ${trusted} ssl_stapling_responder http://127.0.0.1:99999;`),
  server(`${certificate} ssl_stapling on; ${trusted} ssl_stapling_responder HTTP://[::1;`),
  ...Object.values(urls).map((pair) => server(`${pair} ssl_stapling on; ${trusted}`)),
])
