// `proxy_redirect`: which rule is in force where, and what becomes of Location and Refresh.

import { describeParity } from './compare.ts'
import { get, LOGGING, MODERN, type ParityCases, replyWith } from './requests.ts'

const CONF = `${LOGGING}${MODERN}
  server {
    listen 127.0.0.1:%PORT%;
    server_name r.test;
    location / { proxy_pass http://%BACKEND%; }
    location /off/ { proxy_redirect off; proxy_pass http://%BACKEND%/; }
    location /default/ { proxy_pass http://%BACKEND%/deep/; proxy_redirect default; }
    location /text/ { proxy_redirect http://old.test/ http://new.test/; proxy_redirect http://old.test/b/ /never/; proxy_pass http://%BACKEND%; }
    location /path/ { proxy_redirect http://old.test/ /new/; proxy_pass http://%BACKEND%; }
    location /empty/ { proxy_redirect http://old.test/ ""; proxy_pass http://%BACKEND%; }
    location /all/ { proxy_redirect / /all/; proxy_pass http://%BACKEND%; }
    location /bare/ { proxy_redirect "" http://front.test; proxy_pass http://%BACKEND%; }
    location /vars/ { proxy_redirect http://$arg_from/ $scheme://$host:$server_port$uri/; proxy_pass http://%BACKEND%; }
    location /regex/ { proxy_redirect ~^http://([^/]+)\\.test/(.*)$ /$1/to/$2; proxy_pass http://%BACKEND%; }
    location /icase/ { proxy_redirect ~*^HTTP://(?<host_part>[^/]+)/ http://$host_part.new/$1; proxy_pass http://%BACKEND%; }
    location /several/ {
      proxy_redirect ~^/a/ /from-a/;
      proxy_redirect http://old.test/ /from-old/;
      proxy_pass http://%BACKEND%;
      proxy_redirect default;
    }
    location /outer/ { proxy_pass http://%BACKEND%/one/;
      location /outer/inner/ { proxy_pass http://%BACKEND%/two/; }
      location /outer/own/ { proxy_pass http://%BACKEND%/two/; proxy_redirect default; }
      location /outer/off/ { proxy_pass http://%BACKEND%/two/; proxy_redirect off; } }
    location ~ ^/rx { proxy_pass http://%BACKEND%; }
    location = /exact { proxy_pass http://%BACKEND%/e; }
    location /named/ { proxy_pass http://back/up/; }
  }
  upstream back { server %BACKEND%; }
  server {
    listen 127.0.0.1:%PORT2%;
    server_name s.test;
    proxy_redirect http://level.test/ /server/;
    location / { proxy_pass http://%BACKEND%; }
    location /own/ { proxy_redirect http://own.test/ /location/; proxy_pass http://%BACKEND%; }
    location /off/ { proxy_redirect off; proxy_pass http://%BACKEND%;
      location /off/in/ { proxy_pass http://%BACKEND%; } }
  }
  server {
    listen 127.0.0.1:%PORT3%;
    proxy_redirect off;
    location / { proxy_pass http://%BACKEND%; }
    location /default/ { proxy_pass http://%BACKEND%; proxy_redirect default; }
  }
`

/** An answer with this field; BACKEND stands for the backend's address as the request names it. */
const field =
  (name: string, value: string, status = '302 Found') =>
  (request: Buffer): string => {
    const backend = /\r\nHost: ([^\r]*)/.exec(request.toString('latin1'))?.[1] ?? ''
    return replyWith(status, '', 'X-Before: 1', `${name}: ${value.replace('BACKEND', backend)}`, 'X-After: 1')
  }

const located = (target: string, value: string, port?: number): ParityCases[number] => ({
  name: `${target}${port === undefined ? '' : ` of server ${port}`}: Location ${value || 'empty'}`,
  send: get(target),
  answer: field('Location', value),
  ...(port === undefined ? {} : { port }),
})

const refreshed = (target: string, value: string): ParityCases[number] => ({
  name: `${target}: Refresh ${value}`,
  send: get(target),
  answer: field('Refresh', value, '200 OK'),
})

const cases: ParityCases = [
  located('/', 'http://BACKEND/a?b#c'),
  located('/', 'http://BACKEND'),
  located('/', 'HTTP://BACKEND/a'),
  located('/', 'https://BACKEND/a'),
  located('/', '/a'),
  located('/', ''),
  located('/off/', 'http://BACKEND/a'),
  located('/off/', '/a'),
  located('/off/', 'a'),
  located('/default/x', 'http://BACKEND/deep/y'),
  located('/default/x', 'http://BACKEND/deep'),
  located('/default/x', 'http://BACKEND/'),
  located('/text/', 'http://old.test/a'),
  located('/text/', 'http://old.test/b/c'),
  located('/text/', 'http://old.test'),
  located('/text/', 'http://BACKEND/a'),
  located('/path/', 'http://old.test/a'),
  located('/empty/', 'http://old.test/a'),
  located('/empty/', 'http://old.test/'),
  located('/empty/', 'http://old.test//a'),
  located('/all/', '/a'),
  located('/all/', '//other/a'),
  located('/bare/', '/a'),
  located('/bare/', 'x'),
  located('/vars/b?from=old.test', 'http://old.test/a'),
  located('/vars/b?from=other.test', 'http://old.test/a'),
  located('/vars/b%20c?from=old.test', 'http://old.test/a'),
  located('/regex/', 'http://one.two.test/a/b'),
  located('/regex/', 'http://one.two.test'),
  located('/icase/', 'http://Name/rest'),
  located('/icase/', 'ftp://name/rest'),
  located('/several/', '/a/b'),
  located('/several/', 'http://old.test/b'),
  located('/several/', 'http://BACKEND/b'),
  located('/several/', '/b'),
  located('/outer/x', 'http://BACKEND/one/y'),
  located('/outer/inner/x', 'http://BACKEND/two/y'),
  located('/outer/inner/x', 'http://BACKEND/one/y'),
  located('/outer/own/x', 'http://BACKEND/two/y'),
  located('/outer/own/x', 'http://BACKEND/one/y'),
  located('/outer/off/x', 'http://BACKEND/two/y'),
  located('/rx', 'http://BACKEND/y'),
  located('/exact', 'http://BACKEND/e/y'),
  located('/named/x', 'http://BACKEND/up/y'),
  located('/', 'http://level.test/a', 2),
  located('/', 'http://BACKEND/a', 2),
  located('/own/', 'http://own.test/a', 2),
  located('/own/', 'http://level.test/a', 2),
  located('/off/', 'http://level.test/a', 2),
  located('/off/in/', 'http://level.test/a', 2),
  located('/', 'http://BACKEND/a', 3),
  located('/default/', 'http://BACKEND/a', 3),
  refreshed('/', '5; url=http://BACKEND/a'),
  refreshed('/', '5; URL=http://BACKEND/a'),
  refreshed('/', '5; url="http://BACKEND/a"'),
  refreshed('/', '5'),
  refreshed('/', 'url=http://BACKEND/a'),
  refreshed('/off/', '5; url=http://BACKEND/a'),
  refreshed('/path/', '0;url=http://old.test/a'),
  refreshed('/regex/', '0;url=http://a.test/b url=http://c.test/d'),
  {
    name: 'Location with other statuses',
    send: get('/default/x'),
    answer: field('Location', 'http://BACKEND/deep/y', '201 Created'),
  },
  {
    name: 'a Location in odd case',
    send: get('/text/'),
    answer: field('LOCATION', 'http://old.test/a'),
  },
  {
    name: 'a Location in odd case that becomes a path',
    send: get('/path/'),
    answer: field('LOCATION', 'http://old.test/a'),
  },
  {
    name: 'a Location that becomes a path, without a Host',
    send: 'GET /path/ HTTP/1.0\r\n\r\n',
    answer: field('Location', 'http://old.test/a'),
    until: 'close',
  },
]

describeParity('proxy_redirect', CONF, cases)
