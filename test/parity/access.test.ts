// allow, deny and satisfy: who gets in, from where, and what the log says of who does not.

import { describeParity } from './compare.ts'
import { get, LOGGING, MODERN, type ParityCases } from './requests.ts'

const RULES = [
  'deny all;',
  'allow all;',
  'allow 127.0.0.1; deny all;',
  'deny 127.0.0.1;',
  'deny 127.0.0.2; allow all;',
  'allow 127.0.0.0/8; deny all;',
  'allow 10.0.0.0/8; deny all;',
  'deny 127.0.0.0/31; allow all;',
  'allow 10.0.0.0/8;',
  'deny unix:;',
  'allow unix:; deny all;',
  'allow ::1; deny all;',
  'deny ::/0; allow 127.0.0.0/8; deny all;',
  'allow all; deny all;',
  'deny 127.0.0.0/9; allow 127.128.0.0/9; deny all;',
  'satisfy any; deny all;',
  'satisfy any; allow 10.0.0.0/8; deny 127.0.0.1;',
  'satisfy any; allow 127.0.0.1; deny all;',
  'error_page 403 /page; deny all;',
  'error_page 403 =200 @in; deny all;',
]

const CLIENTS = ['10.1.2.3', '127.0.0.1', '127.200.0.1', '::1', '2001:db8::5', 'unix:', '1.2.3.4']

const HTTP = `${MODERN}${LOGGING}
  server {
    listen 127.0.0.1:%PORT%;
    set_real_ip_from 127.0.0.1;
    location / { proxy_pass http://%BACKEND%; }
    location = /page { return 200 "page"; }
    location @in { return 200 "in"; }
    ${RULES.map((rules, index) => `location = /r${index} { ${rules} proxy_pass http://%BACKEND%; }`).join('\n')}
    location /outer {
      deny all;
      location /outer/own { allow all; proxy_pass http://%BACKEND%; }
      location /outer/none { proxy_pass http://%BACKEND%; }
    }
    location /except { proxy_pass http://%BACKEND%; limit_except GET { deny all; } }
    location /returned { deny all; return 200 "rewriting comes first"; }
  }
`

const cases: ParityCases = [
  ...RULES.flatMap((rules, index) =>
    CLIENTS.map((client) => ({
      name: `${rules} for ${client}`,
      send: get(`/r${index}`, `X-Real-IP: ${client}`),
    })),
  ),
  { name: 'inner rules replace outer ones', send: get('/outer/own') },
  { name: 'outer rules hold where there are no inner ones', send: get('/outer/none') },
  { name: 'rules in limit_except, excepted', send: get('/except') },
  { name: 'rules in limit_except', send: 'DELETE /except HTTP/1.1\r\nHost: a\r\n\r\n' },
  { name: 'return is before access', send: get('/returned') },
]

describeParity('access', HTTP, cases)
