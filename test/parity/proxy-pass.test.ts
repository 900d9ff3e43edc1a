// proxy_pass: what URI the backend is asked for, and which backend.

import { describeParity } from './compare.ts'
import { get, LOGGING, MODERN, type ParityCases, replyWith, request } from './requests.ts'

const PASSES = String.raw`${LOGGING}${MODERN}
  upstream back { server %BACKEND%; }
  upstream local { server %LOCAL%; }
  upstream weighted { server %BACKEND% weight=3; keepalive 4; }
  server {
    listen 127.0.0.1:%PORT%;
    server_name proxy.test;
    location / { proxy_pass http://%BACKEND%; }
    location /slash/ { proxy_pass http://%BACKEND%/; }
    location /noslash { proxy_pass http://%BACKEND%/; }
    location /replaced/ { proxy_pass http://%BACKEND%/other/; }
    location /joined/ { proxy_pass http://%BACKEND%/other; }
    location /longer { proxy_pass http://%BACKEND%/a/b/c/; }
    location = /exact { proxy_pass http://%BACKEND%/was-exact; }
    location = /exactargs { proxy_pass http://%BACKEND%/was-exact?fixed=1; }
    location ^~ /caret/ { proxy_pass http://%BACKEND%/caret2/; }
    location ~ ^/regex/(.*)$ { proxy_pass http://%BACKEND%; }
    location /encoded%20target/ { proxy_pass http://%BACKEND%/; }
    location /target/ { proxy_pass http://%BACKEND%/with%20percent/; }
    location "/sp ace/" { proxy_pass http://%BACKEND%/s/; }
    location /query/ { proxy_pass http://%BACKEND%/q?x=1; }
    location /up/ { proxy_pass http://back/from-upstream/; }
    location /upplain/ { proxy_pass http://back; }
    location /weighted/ { proxy_pass http://weighted; }
    location /local { proxy_pass http://%LOCAL%; }
    location /localuri/ { proxy_pass http://%LOCAL%:/base/; }
    location /localup/ { proxy_pass http://local/x/; }
    location /name/ { proxy_pass http://localhost:%BACKPORT%/; }
    location /outer/ {
      proxy_pass http://%BACKEND%/outer-target/;
      location /outer/inner/ { proxy_pass http://%BACKEND%/inner-target/; }
      location ~ \.own$ { proxy_pass http://%BACKEND%; }
    }
  }
`

const methods = [
  'POST',
  'PUT',
  'DELETE',
  'PATCH',
  'OPTIONS',
  'PROPFIND',
  'MKCOL',
  'COPY',
  'LOCK',
  'FOO',
  'X-Y_Z',
]

const cases: ParityCases = [
  { name: 'without URI the request passes as it came', send: get('/a/b?c=d&e') },
  { name: 'without URI encodings stay', send: get('/a%20b/%41%2F%c3%a9?x=%20+') },
  { name: 'without URI slashes and dots stay', send: get('//a/./b/../c//d') },
  { name: 'without URI an empty query stays', send: get('/a?') },
  { name: 'without URI a fragment', send: get('/a?x#frag') },
  { name: 'without URI high bytes stay', send: get('/\xc3\xa9?\xff') },
  { name: 'without URI an absolute target', send: get('http://proxy.test/a/b?x=1') },
  { name: 'without URI an absolute target without path', send: get('http://proxy.test') },
  { name: 'without URI an absolute target with arguments only', send: get('http://proxy.test?a') },
  { name: 'without URI the asterisk of OPTIONS', send: request('OPTIONS', '*'), until: 'close' },
  { name: 'slash for slash', send: get('/slash/a/b?c=d') },
  { name: 'slash for slash, nothing behind', send: get('/slash/') },
  { name: 'slash for no slash', send: get('/noslash/a') },
  { name: 'slash for no slash, joined', send: get('/noslashed') },
  { name: 'prefix replaced', send: get('/replaced/a?x') },
  { name: 'prefix replaced and joined', send: get('/joined/a') },
  { name: 'longer than the prefix', send: get('/longerx/y') },
  { name: 'exact location', send: get('/exact') },
  { name: 'exact location with arguments', send: get('/exact?x=1') },
  { name: 'arguments of both sides', send: get('/exactargs?x=1') },
  { name: 'arguments of the target only', send: get('/exactargs') },
  { name: 'arguments in the target of a prefix', send: get('/query/more?y=2') },
  { name: '^~ location', send: get('/caret/x') },
  { name: 'with URI the path is normalised', send: get('/slash/a/./b/../c//d') },
  { name: 'with URI a space is encoded again', send: get('/slash/a%20b') },
  { name: 'with URI a percent is encoded again', send: get('/slash/a%25b') },
  { name: 'with URI an encoded slash is decoded', send: get('/slash/a%2Fb') },
  { name: 'with URI a question mark and hash are encoded again', send: get('/slash/a%3Fb%23c') },
  { name: 'with URI high bytes are not encoded', send: get('/slash/%C3%A9') },
  { name: 'with URI control characters are encoded', send: get('/slash/%01%0a%7f') },
  { name: 'with URI quotes, brackets and the like', send: get('/slash/%22%3c%3e%5b%5d%5c%5e%60%7b%7c%7d') },
  { name: 'with URI semicolons, commas and colons', send: get("/slash/a;b,c:d@e!f$g&h'i(j)k*l+m=n~o") },
  { name: 'with URI unchanged encodings of letters', send: get('/slash/%41%5A') },
  { name: 'with URI arguments are untouched', send: get('/slash/?a=%20%41//../&b=%2f') },
  { name: 'with URI an empty query', send: get('/slash/a?') },
  { name: 'with URI the prefix may come encoded', send: get('/sl%61sh/a') },
  { name: 'with URI the prefix may come with dots', send: get('/x/../slash/a') },
  { name: 'with URI a fragment', send: get('/slash/a#frag') },
  { name: 'with URI an absolute target', send: get('http://proxy.test/slash/a?b') },
  { name: 'regex location', send: get('/regex/a%20b?x') },
  { name: 'a target with an encoded space', send: get('/target/x') },
  { name: 'a location with a space', send: get('/sp%20ace/x%20y') },
  { name: 'upstream with URI', send: get('/up/a') },
  { name: 'upstream without URI', send: get('/upplain/a') },
  { name: 'upstream with weight and keepalive', send: get('/weighted/a') },
  { name: 'unix socket', send: get('/local/a'), local: true },
  { name: 'unix socket with URI', send: get('/localuri/a'), local: true },
  { name: 'unix socket in an upstream', send: get('/localup/a'), local: true },
  { name: 'a name and a port', send: get('/name/a') },
  { name: 'nested location has its own target', send: get('/outer/inner/x') },
  { name: 'outer target', send: get('/outer/x') },
  { name: 'nested regex without URI', send: get('/outer/x.own') },
  ...methods.map((method) => ({
    name: `method ${method}`,
    send: request(method, '/m', 'Content-Length: 0'),
  })),
  {
    name: 'method HEAD',
    send: request('HEAD', '/m'),
    answer: 'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n',
  },
]

describeParity('proxy_pass', PASSES, cases)

describeParity(
  'proxy_pass with variables',
  `${LOGGING}${MODERN}
  upstream back { server %BACKEND%; }
  server {
    listen 127.0.0.1:%PORT%;
    location ~ ^/rxvar/(.*)$ { proxy_pass http://%BACKEND%/var/$1; }
    location ~ ^/rxargs/(.*)$ { proxy_pass http://%BACKEND%/var/$1$is_args$args; }
    location /var/ { proxy_pass http://%BACKEND%$request_uri; }
    location /varuri/ { proxy_pass http://%BACKEND%$uri; }
    location /vararg/ { proxy_pass http://%BACKEND%/x?u=$arg_u&h=$http_x_a; }
    location /whole/ { proxy_pass $http_x_url; }
    location /host/ { proxy_pass http://$http_x_host/end; }
    location /plain/ { proxy_pass http://$http_x_host; }
    location ~ ^/named/(?<kept>[^/]+)/ { proxy_pass http://%BACKEND%/$kept/$1; }
    location = /exact { proxy_pass http://$http_x_host$uri; }
    location /refused/ { proxy_pass http://%REFUSED%$request_uri; }
    location /unixvar/ { proxy_pass http://%LOCAL%:/base$uri$is_args$args; }
    location /unixpath/ { proxy_pass http://%LOCAL%$http_missing; }
    location /unixnone/ { proxy_pass http://unix:/nowhere$http_missing:/x$uri; }
    location /unixfile/ { proxy_pass http://unix:%FOLDER%/nginx.conf; }
    location /unixplain/ { proxy_pass http://$http_x_unix; }
  }`,
  [
    { name: 'capture in the target', send: get('/rxvar/a/b?lost=1') },
    { name: 'capture in the target, decoded', send: get('/rxvar/a%2Fb%3Fc') },
    { name: 'capture with arguments', send: get('/rxargs/a?kept=1') },
    { name: '$request_uri in the target', send: get('/var/a%20b//c?x=1') },
    { name: '$uri in the target', send: get('/varuri/a//b?x=1') },
    { name: 'arguments and headers in the target', send: get('/vararg/?u=5', 'X-A: b') },
    { name: 'the whole URL', send: get('/whole/', 'X-Url: http://back/a?b') },
    { name: 'the whole URL, prefix in capitals', send: get('/whole/x', 'X-Url: HTTP://back') },
    { name: 'the whole URL with a query only', send: get('/whole/x', 'X-Url: http://back?q=1') },
    { name: 'the whole URL, none', send: get('/whole/') },
    { name: 'the whole URL, another scheme', send: get('/whole/', 'X-Url: ftp://back/') },
    { name: 'the whole URL, a path', send: get('/whole/', 'X-Url: /back') },
    { name: 'no host', send: get('/host/') },
    { name: 'no host before a port', send: get('/host/', 'X-Host: :80') },
    { name: 'no port behind a colon', send: get('/host/', 'X-Host: back:') },
    { name: 'port zero', send: get('/host/', 'X-Host: 127.0.0.1:0') },
    { name: 'port too high', send: get('/host/', 'X-Host: 127.0.0.1:65536') },
    { name: 'port that is no number', send: get('/host/', 'X-Host: 127.0.0.1:8o') },
    { name: 'an address without end', send: get('/host/', 'X-Host: [::1') },
    { name: 'an IPv6 address that is none', send: get('/host/', 'X-Host: [x]:80') },
    { name: 'an IPv6 address, empty', send: get('/host/', 'X-Host: []:80') },
    { name: 'an IPv6 address with rubbish behind', send: get('/host/', 'X-Host: [::1]x') },
    { name: 'an upstream', send: get('/host/x', 'X-Host: back') },
    { name: 'an upstream in capitals', send: get('/host/x', 'X-Host: BACK') },
    { name: 'an upstream without URI', send: get('/plain/a%20b?c', 'X-Host: back') },
    { name: 'a named capture', send: get('/named/one/x') },
    { name: 'an exact location', send: get('/exact?x', 'X-Host: back') },
    { name: 'a backend that refuses', send: get('/refused/x?y') },
    { name: 'a unix socket', send: get('/unixvar/x?y'), local: true },
    { name: 'a unix socket without URI', send: get('/unixpath/a%20b?y'), local: true },
    { name: 'a unix socket that is not there', send: get('/unixnone/x') },
    { name: 'a unix socket that is a file', send: get('/unixfile/x') },
    { name: 'no path of a unix socket', send: get('/unixplain/', 'X-Unix: unix:') },
    {
      name: 'redirects are not rewritten by default',
      send: get('/plain/', 'X-Host: back'),
      answer: replyWith('302 Found', '', 'Location: http://back/x'),
    },
  ],
)
