// Which location a request gets, and the URI it is chosen by.

import { describeParity } from './compare.ts'
import { get, LOGGING, type ParityCases } from './requests.ts'

const LOCATIONS = String.raw`${LOGGING}
  server {
    listen 127.0.0.1:%PORT%;
    location / { return 200 "root uri=$uri args=$args"; }
    location = / { return 200 "exact root"; }
    location = /exact { return 200 "exact uri=$uri"; }
    location /pre { return 200 "pre uri=$uri"; }
    location /prefix/ { return 200 "prefix/ uri=$uri"; }
    location /prefix/longer { return 200 "longer uri=$uri"; }
    location ^~ /static/ { return 200 "static uri=$uri"; }
    location ^~ /static/more/ { return 200 "more uri=$uri"; }
    location /stat { return 200 "stat"; }
    location ~ \.php$ { return 200 "php uri=$uri"; }
    location ~ ^/case/[a-z]+$ { return 200 "sensitive"; }
    location ~* ^/CASE/[a-z]+$ { return 200 "insensitive"; }
    location ~* \.(gif|jpe?g)$ { return 200 "image $1"; }
    location ~ ^/capture/(?<first>[^/]+)/(\d+)$ { return 200 "first=$first 1=$1 2=$2"; }
    location ~ "^/braces/\d{2,3}$" { return 200 "braces"; }
    location ~ ^/encoded/é$ { return 200 "utf8"; }
    location /outer/ {
      location /outer/inner/ { return 200 "inner"; }
      location ~ \.x$ { return 200 "nested regex"; }
      location = /outer/same { return 200 "nested exact"; }
      return 200 "outer";
    }
    location ~ ^/rx/ {
      location ~ \.in$ { return 200 "regex in regex"; }
      return 200 "regex outer";
    }
    location /a%20b { return 200 "percent in location"; }
    location "/with space" { return 200 "space"; }
    location /auto/ { proxy_pass http://%BACKEND%; }
    location = /exactauto { proxy_pass http://%BACKEND%; }
  }
`

const cases: ParityCases = [
  { name: 'exact root', send: get('/') },
  { name: 'exact with arguments', send: get('/exact?a=1') },
  { name: 'exact does not match deeper', send: get('/exact/') },
  { name: 'prefix is of bytes, not of segments', send: get('/prefer') },
  { name: 'prefix with slash', send: get('/prefix/x') },
  { name: 'prefix without its slash falls to the shorter', send: get('/prefix') },
  { name: 'longest prefix', send: get('/prefix/longer/x') },
  { name: 'regex goes before prefix', send: get('/prefix/a.php') },
  { name: '^~ goes before regex', send: get('/static/a.php') },
  { name: 'the longest ^~', send: get('/static/more/a.php') },
  { name: '^~ only when it is the longest', send: get('/stati.php') },
  { name: 'exact goes before regex', send: get('/exact') },
  { name: 'sensitive regex', send: get('/case/abc') },
  { name: 'insensitive regex after the sensitive one failed', send: get('/case/ABC') },
  { name: 'insensitive regex with capture', send: get('/x/A.JPEG') },
  { name: 'named and numbered captures', send: get('/capture/one/22') },
  { name: 'regex with braces', send: get('/braces/123') },
  { name: 'regex over decoded bytes', send: get('/encoded/%C3%A9') },
  { name: 'nested prefix', send: get('/outer/inner/x') },
  { name: 'nested regex', send: get('/outer/y.x') },
  { name: 'nested exact', send: get('/outer/same') },
  { name: 'outer regex after no nested one matched', send: get('/outer/y.php') },
  { name: 'outer without nested match', send: get('/outer/zzz') },
  { name: 'regex in regex', send: get('/rx/a.in') },
  { name: 'regex outer', send: get('/rx/a.out') },
  { name: 'location text is compared with the decoded URI', send: get('/a%20b') },
  { name: 'location text with an encoded percent', send: get('/a%2520b') },
  { name: 'quoted location', send: get('/with%20space') },
  { name: 'prefix with proxy_pass redirects to its slash', send: get('/auto') },
  { name: 'that redirect keeps arguments', send: get('/auto?x=1', 'Host: h.test:99') },
  { name: 'that redirect without Host', send: 'GET /auto HTTP/1.0\r\n\r\n', until: 'close' },
  { name: 'arguments are not in the URI', send: get('/x?a=.php') },
  { name: 'empty arguments', send: get('/x?') },
  { name: 'two question marks', send: get('/x?a?b') },
  { name: 'an encoded question mark is path', send: get('/x%3Fa=1') },
  { name: 'a fragment is cut off', send: get('/x#frag') },
  { name: 'a fragment after arguments', send: get('/x?a=1#frag') },
  { name: 'an encoded slash is decoded', send: get('/prefix%2Flonger') },
  { name: 'slashes are merged', send: get('//prefix///longer//x') },
  { name: 'an encoded slash merges too', send: get('/prefix/%2Flonger') },
  { name: 'dot segment', send: get('/prefix/./longer') },
  { name: 'dot segment at the end', send: get('/prefix/.') },
  { name: 'double dot', send: get('/static/../prefix/x') },
  { name: 'double dot at the end', send: get('/prefix/x/..') },
  { name: 'encoded double dot', send: get('/static/%2e%2E/prefix/x') },
  { name: 'double dot over merged slashes', send: get('/a//../prefix/x') },
  { name: 'three dots are a name', send: get('/.../x') },
  { name: 'dots inside a name', send: get('/a..b/.c/d.') },
  { name: 'a dot before arguments', send: get('/prefix/..?x') },
  { name: 'double encoding is decoded once', send: get('/a%252Fb') },
  { name: 'a plus stays', send: get('/a+b') },
  { name: 'bytes above 127 pass', send: get('/\xc3\xa9') },
  { name: 'above the root', send: get('/../x'), until: 'close', info: true },
  { name: 'above the root later', send: get('/a/../../x'), until: 'close', info: true },
  { name: 'above the root at the end', send: get('/..'), until: 'close', info: true },
  { name: 'bad percent', send: get('/a%zz'), until: 'close', info: true },
  { name: 'percent at the end', send: get('/a%'), until: 'close', info: true },
  { name: 'half a percent at the end', send: get('/a%4'), until: 'close', info: true },
  { name: 'an encoded NUL', send: get('/a%00b'), until: 'close', info: true },
  { name: 'a target without slash', send: get('abc'), until: 'close', info: true },
]

describeParity('choice of the location', LOCATIONS, cases)

describeParity(
  'return in the server',
  `${LOGGING}
  server { listen 127.0.0.1:%PORT%; server_name returns.test; return 200 "server's own"; location / { return 200 "location"; } }`,
  [{ name: "server's return goes before locations", send: get('/', 'Host: returns.test') }],
)

describeParity(
  'the redirect of a proxied prefix without its slash',
  `${LOGGING}
  log_format own 'own log: $uri $status';
  server {
    listen 127.0.0.1:%PORT%;
    location /settings/ {
      access_log logs/access.log own;
      add_header X-Where here always;
      absolute_redirect off;
      keepalive_timeout 0;
      proxy_pass http://%BACKEND%;
    }
    location /outer/ {
      add_header X-Where outer always;
      location /outer/inner/ {
        add_header X-Where inner always;
        proxy_pass http://%BACKEND%;
      }
      proxy_pass http://%BACKEND%;
    }
    location ^~ /exact/ { add_header X-Where prefix always; proxy_pass http://%BACKEND%; }
    location = /exact/ { add_header X-Where exact always; proxy_pass http://%BACKEND%; }
    location = /same/ { add_header X-Where exact always; proxy_pass http://%BACKEND%; }
    location /same/ { add_header X-Where prefix always; return 200; }
  }`,
  [
    { name: 'has the settings of the location', send: get('/settings?a=b'), until: 'close' },
    { name: 'of the outer one', send: get('/outer') },
    { name: 'of the nested one', send: get('/outer/inner') },
    { name: 'of the exact one where both are there', send: get('/exact') },
    { name: 'of an exact one alone that proxies', send: get('/same') },
  ],
)
