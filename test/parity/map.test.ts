// map: order of precedence, flags, escaped names, captures, maps of maps, redefinition, and what is refused.

import { describeParity } from './compare.ts'
import { describeRefusals } from './refusals.ts'
import { get, MODERN } from './requests.ts'

const HTTP = `${MODERN}
  log_format maps '$uri [$name][$ext][$never][$twice][$one-\${one}st] $status';
  access_log logs/access.log maps;

  map $http_x $precedence { hostnames; default d; *.example.com head; www.example.com exact;
    www.example.* tail; hostnames; .example.org both; '~www' regex; '~*WWW' never; *.www.example.com longer; }
  map $http_x $flags_last { www.example.com exact; hostnames; *.example.com head; default d; }
  map $http_x $special { \\default named; default d; \\hostnames h; \\volatile v; \\include i; '\\~x' tilde; '' empty; }
  map $http_x $no_default { a 1; }
  map $http_x $captures { '~^(?<name>[a-z]+)\\.(?<ext>[a-z]+)$' '$name/$ext/$1/$2'; '~^(\\d)(\\d)?' '<$1|$2>'; }
  map "$http_x-$request_method" $several { a-GET one; a-HEAD two; default $http_x; }
  map $http_x $cached { '~^(.)' $1; }
  map $http_x $fresh { volatile; '~^(.)' $1; }
  map $http_x $twice { default first; }
  map $http_x $twice { default second; a A; }
  map $twice $outer { second 2; A $cached; default none; }
  map $http_x $outer_chain { default "$outer+$captures+$1"; }
  map $http_x $http_invented { default invented; }
  map $http_x $arg_known { default known; }
  map $http_x $args { default 'a=mapped'; }
  map $arg_a $of_args { mapped no; default "$arg_a $args"; }
  map constant $always { constant yes; }
  map $http_x $Upper_Case { default upper; }
  map $http_x $case { ABC upper-key; abd lower-key; default other; '~^x' small; '~*^x' any; }
  map $http_x $never { default $nothing_captured; '~(?<nothing_captured>zzz)' seen; }
  map $http_x $one { default 1; }
  map $http_x $long { ${'k'.repeat(40)} long; default short; }
  map $http_x $same { a 1; b 1; c 1; }

  server {
    listen 127.0.0.1:%PORT%;
    location = /precedence { return 200 '$precedence|$flags_last'; }
    location = /special { return 200 '$special|$no_default|$always|$case|$same|$long'; }
    location = /captures { return 200 '$captures|$name|$ext|$1|$2|$captures'; }
    location = /several { return 200 '$several|\${several}s|$SEVERAL'; }
    location ~ ^/re/(?<name>.)(.) { return 200 '$cached|$1$2|$name|$cached'; }
    location ~ ^/fresh/(.) { add_header X-Before $1; add_header X-Other $captures; return 200 '$fresh|$1'; }
    location = /twice { return 200 '$twice|$outer|$outer_chain'; }
    location = /names { return 200 '$http_invented|$arg_known|$arg_other|$args|$is_args|$of_args|$upper_case|$UPPER_CASE'; }
    location = /proxy { proxy_set_header X-Map '$captures'; proxy_set_header X-None $no_default; proxy_pass http://%BACKEND%; }
    location = /header { add_header X-Map $captures; add_header X-None $no_default; return 200 '$special'; }
    location = /redirect { return 302 /to/$precedence; }
    location / { return 404; }
  }`

const asked = (path: string, values: string[]) =>
  values.map((value) => ({
    name: `${path} with "${value}"`,
    send: get(path, ...(value === '' ? [] : [`X: ${value}`])),
  }))

describeParity('map', HTTP, [
  ...asked('/precedence', [
    ...[
      'www.example.com',
      'WWW.EXAMPLE.COM',
      'www.example.com.',
      'a.example.com',
      'example.com',
      'www.example.de',
    ],
    ...[
      'a.www.example.com',
      'example.org',
      'x.example.org',
      '.example.org',
      'www',
      'WWW',
      'other',
      '',
      '.',
      '..',
    ],
  ]),
  ...asked('/special', [
    'default',
    'hostnames',
    'volatile',
    'include',
    '~x',
    '\\default',
    '',
    'a',
    'abc',
    'aBD',
    'xY',
    'XY',
  ]),
  ...asked('/special', ['k'.repeat(40), 'k'.repeat(41), 'c']),
  ...asked('/captures', ['ann.jpg', '12', '1', 'ann', '']),
  ...asked('/several', ['a', 'b', '']),
  ...asked('/re/xy', ['ann.jpg', '12', '']),
  ...asked('/fresh/q', ['ann.jpg', '12', '']),
  ...asked('/twice', ['a', 'b', 'x.y']),
  ...asked('/names?known=1&other=2&a=3', ['a']),
  ...asked('/names', ['a']),
  ...asked('/proxy', ['ann.jpg', 'x']),
  ...asked('/header', ['ann.jpg', 'x', 'volatile']),
  ...asked('/redirect', ['www.example.de']),
  ...asked('/missing', ['ann.jpg']),
])

describeRefusals('map refuses', [
  'map $uri;',
  'map $uri $x;',
  'map $uri x { }',
  'map $uri $ { }',
  'map $uri "" { }',
  'map $uri $uri { }',
  'map $uri $URI { }',
  'map $uri $http_host { }',
  'map $uri $sent_http_location { }',
  'map $uri $realip_remote_addr { }',
  'map $uri $request_body { }',
  'map $nothing $x { a 1; }\nserver { listen 127.0.0.1:18081; return 200 $x; }',
  'map $ $x { }',
  `map \${ $x { }`,
  `map \${a-b} $x { }`,
  `map \${uri $x { }`,
  `map \${} $x { }`,
  'map a$ $x { }',
  'map $uri $x { a; }',
  'map $uri $x { a 1 2; }',
  'map $uri $x { default; }',
  'map $uri $x { hostnames 1 2; }',
  'map $uri $x { default 1; default 2; }',
  'map $uri $x { default 1; default 1; }',
  'map $uri $x { a 1; a 2; }',
  'map $uri $x { a 1; A 1; }',
  'map $uri $x { a 1; \\a 2; }',
  'map $uri $x { "" 1; "" 2; }',
  'map $uri $x { hostnames; *.a.b 1; *.a.b 2; }',
  'map $uri $x { hostnames; .a.b 1; *.a.b 2; }',
  'map $uri $x { hostnames; .a.b 1; a.b 2; }',
  'map $uri $x { hostnames; a.b 1; .A.b 2; }',
  'map $uri $x { hostnames; a.* 1; A.* 2; }',
  'map $uri $x { hostnames; a..b 1; }',
  'map $uri $x { hostnames; *a.b 1; }',
  'map $uri $x { hostnames; a.*.b 1; }',
  'map $uri $x { hostnames; *.a.* 1; }',
  'map $uri $x { hostnames; * 1; }',
  'map $uri $x { hostnames; A*.b 1; }',
  'map $uri $x { a $; }',
  `map $uri $x { a \${uri; }`,
  'map $uri $x { a $none; }\nserver { listen 127.0.0.1:18081; return 200 $x; }',
  'map $uri $x { a 1 { } }',
  'map $uri $x { include /none/such.map; }',
  'map $uri $x { ~( 1; }',
  'map $uri $x { "~(?<uri>a)" 1; }',
  'server { listen 127.0.0.1:18081; map $uri $x { } }',
  'map $uri $x { a 1; ',
  `server { listen 127.0.0.1:18081; return 200 \${1}; }`,
  'server { listen 127.0.0.1:18081; return 200 $0; }',
  'server { listen 127.0.0.1:18081; return 200 "a$"; }',
  `server { listen 127.0.0.1:18081; return 200 "\${uri-}"; }`,
  'server { listen 127.0.0.1:18081; return 200 "$é"; }',
])

describeRefusals('realip refuses', [
  'set_real_ip_from;',
  'set_real_ip_from a b;',
  'set_real_ip_from 10.0.0.0/33;',
  'set_real_ip_from 10.0.0.0/x;',
  'set_real_ip_from ::/129;',
  'set_real_ip_from "";',
  'real_ip_header;',
  'real_ip_header a b;',
  'real_ip_header a; real_ip_header b;',
  'real_ip_recursive yes;',
  'real_ip_recursive on; real_ip_recursive on;',
])
