// `proxy_cookie_domain`, `proxy_cookie_path` and `proxy_cookie_flags`: which rule is in force where, and what becomes
// of Set-Cookie.

import { describeParity } from './compare.ts'
import { get, LOGGING, MODERN, type ParityCases, replyWith } from './requests.ts'

const CONF = `${LOGGING}${MODERN}
  proxy_cookie_path /http/ /;
  server {
    listen 127.0.0.1:%PORT%;
    proxy_pass_header Server;
    location / { proxy_pass http://%BACKEND%; }
    location /off { proxy_cookie_path off; proxy_cookie_domain off; proxy_cookie_flags off; proxy_pass http://%BACKEND%; }
    location /domain { proxy_cookie_domain old.test .new.test; proxy_cookie_domain .Two.test two.new; proxy_pass http://%BACKEND%; }
    location /domain_vars { proxy_cookie_domain $arg_d $host; proxy_pass http://%BACKEND%; }
    location /domain_regex { proxy_cookie_domain ~\\.?([a-z]+)\\.old$ $1.new; proxy_pass http://%BACKEND%; }
    location /path { proxy_cookie_path /one/ /; proxy_cookie_path / /two/; proxy_pass http://%BACKEND%; }
    location /path_empty { proxy_cookie_path "" /p; proxy_pass http://%BACKEND%; }
    location /path_regex { proxy_cookie_path ~*^/user/([^/]+) /u/$1; proxy_cookie_path ~^/A "/a; Secure"; proxy_pass http://%BACKEND%; }
    location /path_vars { proxy_cookie_path $arg_p $uri; proxy_pass http://%BACKEND%; }
    location /flags { proxy_cookie_flags one secure httponly samesite=strict; proxy_cookie_flags ~^two nosecure nohttponly nosamesite;
      proxy_cookie_flags $arg_c samesite=none; proxy_cookie_flags ~three $arg_f secure $arg_g; proxy_pass http://%BACKEND%; }
    location /lax { proxy_cookie_flags ~ samesite=lax; proxy_pass http://%BACKEND%; }
    location /both { proxy_cookie_flags ~ secure nosecure; proxy_pass http://%BACKEND%; }
    location /sites { proxy_cookie_flags ~ samesite=none samesite=strict nosamesite; proxy_pass http://%BACKEND%; }
    location /noflag { proxy_cookie_flags one ""; proxy_cookie_path off; proxy_pass http://%BACKEND%; }
    location /nothing { proxy_cookie_flags one unknown; proxy_cookie_path off; proxy_pass http://%BACKEND%; }
    location /all { proxy_cookie_domain old.test new.test; proxy_cookie_path / /all/; proxy_cookie_flags ~ httponly; proxy_pass http://%BACKEND%;
      location /all/in { proxy_pass http://%BACKEND%; }
      location /all/off { proxy_cookie_path off; proxy_pass http://%BACKEND%; } }
  }
`

const cookies = (target: string, ...values: string[]): ParityCases[number] => ({
  name: `${target}: ${values.join(' and ')}`,
  send: get(target),
  answer: replyWith('200 OK', 'x', 'X-A: 1', ...values.map((value) => `Set-Cookie: ${value}`), 'X-B: 1'),
})

const cases: ParityCases = [
  cookies('/', 'a=b; Path=/http/x'),
  cookies('/', 'a=b;  Path=/other;Secure'),
  cookies('/', 'a=b', 'c=d; path=/http/', 'e=f;PATH=/http/y ; Max-Age=5'),
  cookies('/', 'a; Path=/http/x'),
  cookies('/', '=b; Path=/http/x'),
  cookies('/', 'a = b ; Path = /http/x ; Secure'),
  cookies('/', 'a=b; Path=/http/x;'),
  cookies('/', 'a=b;; Path=/http/x;; x'),
  cookies('/', 'a=b; Path=/http/1; Path=/http/2'),
  cookies('/', 'a=Path=/http/x; b=Path=/http/x'),
  cookies('/', 'a="x; Path=/http/x"'),
  cookies('/', ''),
  cookies('/', 'a=b; Path'),
  cookies('/', 'a=b; Path='),
  cookies('/off', 'a=b;Path=/http/x;Domain=old.test'),
  cookies('/domain', 'a=b; Domain=old.test'),
  cookies('/domain', 'a=b; Domain=.old.test; Path=/http/'),
  cookies('/domain', 'a=b; domain=OLD.TEST'),
  cookies('/domain', 'a=b; domain=..old.test'),
  cookies('/domain', 'a=b; domain=x.old.test'),
  cookies('/domain', 'a=b; domain=two.test; secure'),
  cookies('/domain', 'a=b; domain='),
  cookies('/domain', 'a=b; domain=.'),
  cookies('/domain', 'a=b; Domain'),
  cookies('/domain_vars?d=x.test', 'a=b; Domain=.X.test'),
  cookies('/domain_vars', 'a=b; Domain=x.test'),
  cookies('/domain_vars', 'a=b; Domain='),
  cookies('/domain_regex', 'a=b; Domain=.Shop.OLD'),
  cookies('/domain_regex', 'a=b; Domain=x.shop.old'),
  cookies('/domain_regex', 'a=b; Domain=shop.old.x'),
  cookies('/path', 'a=b; Path=/one/x'),
  cookies('/path', 'a=b; Path=/one'),
  cookies('/path', 'a=b; Path=one'),
  cookies('/path_empty', 'a=b; Path=/x'),
  cookies('/path_empty', 'a=b; Path='),
  cookies('/path_regex', 'a=b; Path=/USER/me/x'),
  cookies('/path_regex', 'a=b; Path=/A/b'),
  cookies('/path_regex', 'a=b; Path=/a/b'),
  cookies('/path_vars?p=/x', 'a=b; Path=/x/y'),
  cookies('/path_vars', 'a=b; Path=/x/y'),
  cookies('/flags', 'one=1'),
  cookies('/flags', 'ONE=1; secure; HTTPOnly; samesite=STRICT'),
  cookies('/flags', 'one=1; SameSite=Lax; Secure; Secure'),
  cookies('/flags', 'one=1; samesite'),
  cookies('/flags', 'one'),
  cookies('/flags', 'one =1;x'),
  cookies('/flags', 'two=2; Secure; HttpOnly; SameSite=None; Path=/x'),
  cookies('/flags', 'Twofold=2; secure=1; secure'),
  cookies('/flags', 'two=2'),
  cookies('/flags?c=four', 'four=4; SameSite=lax', 'five=5'),
  cookies('/flags', 'three=3'),
  cookies('/flags?f=samesite=Lax&g=HTTPONLY', 'three=3'),
  cookies('/flags?f=bad', 'three=3; Secure'),
  cookies('/lax', 'a=b; SameSite=Strict; SameSite=None'),
  cookies('/both', 'a=b; Secure; Secure', 'c=d'),
  cookies('/sites', 'a=b; SameSite=Lax; SameSite=Lax; SameSite=Lax', 'c=d'),
  cookies('/noflag', 'one=1;  x'),
  cookies('/nothing', 'one=1;  x'),
  cookies('/all', 'a=b; Domain=old.test; Path=/x; Expires=Thu, 01 Jan 1970 00:00:00 GMT'),
  cookies('/all/in', 'a=b; Domain=old.test; Path=/x'),
  cookies('/all/off', 'a=b; Domain=old.test; Path=/x'),
  {
    name: 'a field name in odd case',
    send: get('/all'),
    answer: replyWith('200 OK', 'x', 'SET-cookie: a=b; path=/x'),
  },
  {
    name: 'a tab is part of a value',
    send: get('/all'),
    answer: replyWith('200 OK', 'x', 'Set-Cookie: a=b;\tPath=/x'),
  },
]

describeParity('proxy_cookie', CONF, cases)
