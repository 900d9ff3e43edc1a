// `resolver` and names that variables bring into proxy_pass, with a name server that answers well and badly.

import { afterAll } from 'vitest'
import { DnsServer } from '../support/dns-server.ts'
import { describeParity } from './compare.ts'
import { describeRefusals } from './refusals.ts'
import { get, MODERN, type ParityCases } from './requests.ts'

const dns = await DnsServer.start()
const silent = await DnsServer.start()
afterAll(async () => {
  await dns.stop()
  await silent.stop()
})

for (const name of ['one.test', 'server.test', 'location.test', 'long.test', 'valid.test'])
  dns.set(name, ['127.0.0.1'])
dns.set('six.test', ['::1'])
dns.names.set('alias.test', {
  records: [
    { type: 'CNAME', value: 'real.test' },
    { type: 'A', value: '127.0.0.1', name: 'real.test' },
  ],
})
dns.names.set('empty.test', { records: [] })
dns.names.set('half.test A', { records: [{ type: 'A', value: '127.0.0.1' }] })
dns.names.set('half.test AAAA', { records: [] })
for (const code of [2, 3, 4, 5]) dns.names.set(`code${code}.test`, { code })
dns.names.set('long.test', { mischief: 'truncated', records: [{ type: 'A', value: '127.0.0.1' }] })
silent.names.set('silent.test', { mischief: 'silent' })

const CONF = `${MODERN}
  log_format up '$status [$upstream_addr] [$upstream_status] $proxy_host:$proxy_port';
  access_log logs/access.log up;
  resolver ${dns.address} ipv6=off;
  resolver_timeout 5s;
  upstream named { server %BACKEND%; }
  server {
    listen 127.0.0.1:%PORT%;
    location / { proxy_pass http://$arg_up:%BACKPORT%; }
    location /both/ { resolver ${dns.address}; proxy_pass http://$arg_up:%BACKPORT%; }
    location /silent/ { resolver ${silent.address}; resolver_timeout 300ms; proxy_pass http://$arg_up:%BACKPORT%; }
    location /valid/ { resolver ${dns.address} valid=1h; proxy_pass http://$arg_up:%BACKPORT%; }
    location /name/ { resolver localhost:${dns.port} ipv6=off; proxy_pass http://$arg_up:%BACKPORT%; }
    location /named/ { proxy_pass http://$arg_up; }
    location /uri/ { proxy_pass http://$arg_up:%BACKPORT%/x?y; }
  }
`

const to = (name: string, path = '/') => get(`${path}?up=${name}`)
const reached = ['one.test', 'alias.test', 'long.test']
const missed = ['none.test', 'empty.test', ...[2, 3, 4, 5].map((code) => `code${code}.test`)]

const cases: ParityCases = [
  ...reached.map((name) => ({ name: `${name} is reached`, send: to(name) })),
  ...missed.map((name) => ({ name: `${name} is not`, send: to(`${name}`) })),
  {
    name: 'the first use and the second',
    send: [to('one.test'), to('one.test')],
    until: 2,
    logged: 2,
  },
  { name: 'one kind of address only', send: to('half.test', '/both/') },
  { name: 'IPv6 where it is off', send: to('six.test') },
  { name: 'no kind of address', send: to('empty.test', '/both/') },
  { name: 'a failure for both kinds', send: to('code2.test', '/both/') },
  { name: 'no answer within resolver_timeout', send: to('silent.test', '/silent/') },
  { name: 'valid=', send: to('valid.test', '/valid/') },
  { name: 'a resolver with a name', send: to('one.test', '/name/') },
  { name: 'a URI behind the name', send: to('one.test', '/uri/') },
  { name: 'an upstream of that name', send: to('named', '/named/') },
  { name: 'an address', send: to('127.0.0.1') },
]

describeParity('resolver', CONF, cases)

describeRefusals('refused resolver', [
  'resolver;',
  'resolver valid=10s;',
  'resolver 127.0.0.1 valid=;',
  'resolver 127.0.0.1 valid=abc;',
  'resolver 127.0.0.1 valid=100ms;',
  'resolver 127.0.0.1 ipv6=maybe;',
  'resolver 127.0.0.1 ipv6=ON;',
  'resolver 127.0.0.1:0;',
  'resolver 127.0.0.1:99999;',
  'resolver [::1;',
  'resolver [::1]:x;',
  'resolver no.such.invalid;',
  'resolver no.such.invalid:54;',
  'resolver 127.0.0.1 foo=1;',
  'resolver 127.0.0.1/x;',
  'resolver "";',
  'resolver ::1;',
  'resolver 127.0.0.1; resolver 127.0.0.1;',
  'resolver_timeout 5x;',
  'resolver_timeout 5s; resolver_timeout 5s;',
  'resolver_timeout 1 2;',
])

describeRefusals('refused zone', [
  'zone a 32k;',
  'upstream a { server 127.0.0.1; zone; }',
  'upstream a { server 127.0.0.1; zone ""; }',
  'upstream a { server 127.0.0.1; zone a; }',
  'upstream a { server 127.0.0.1; zone a 1k; }',
  'upstream a { server 127.0.0.1; zone a 32767; }',
  'upstream a { server 127.0.0.1; zone a 0; }',
  'upstream a { server 127.0.0.1; zone a x; }',
  'upstream a { server 127.0.0.1; zone a 1g; }',
  'upstream a { server 127.0.0.1; zone a 32k 3; }',
  'upstream a { server 127.0.0.1; zone a 32k; zone a 64k; }',
  'upstream a { server 127.0.0.1; zone a 64k; } upstream b { server 127.0.0.1; zone a 32k; }',
  'upstream a { zone a 64k; }',
])
