// Which server a request gets: addresses, default_server, server_name in all its forms, and Host in all of its.

import { describeParity } from './compare.ts'
import { get, LOGGING, type ParityCases, request } from './requests.ts'

const SERVERS = String.raw`${LOGGING}
  server { listen 127.0.0.1:%PORT%; server_name first.test; return 200 "first.test"; }
  server { listen 127.0.0.1:%PORT% default_server; server_name dflt.test; return 200 "default"; }
  server { listen 127.0.0.1:%PORT%; server_name exact.test www.exact.test; return 200 "exact $server_name"; }
  server { listen 127.0.0.1:%PORT%; server_name *.wild.test; return 200 "*.wild"; }
  server { listen 127.0.0.1:%PORT%; server_name *.deep.wild.test; return 200 "*.deep.wild"; }
  server { listen 127.0.0.1:%PORT%; server_name .dot.test; return 200 ".dot"; }
  server { listen 127.0.0.1:%PORT%; server_name mail.*; return 200 "mail.*"; }
  server { listen 127.0.0.1:%PORT%; server_name mail.sub.*; return 200 "mail.sub.*"; }
  server { listen 127.0.0.1:%PORT%; server_name ~^(?<user>\w+)\.users\.test$; return 200 "user $user 1=$1"; }
  server { listen 127.0.0.1:%PORT%; server_name ~^num(\d+)-(\d+)\.; return 200 "num $1 $2"; }
  server { listen 127.0.0.1:%PORT%; server_name ~users\.test$; return 200 "second regex"; }
  server { listen 127.0.0.1:%PORT%; server_name ""; return 200 "no host"; }
  server { listen 127.0.0.1:%PORT%; server_name [::1]; return 200 "v6 literal"; }
  server { listen 127.0.0.1:%PORT2%; server_name exact.test; return 200 "other port exact"; }
  server { listen 127.0.0.1:%PORT2%; server_name second.test; return 200 "other port second"; }
  server { listen 127.0.0.2:%PORT%; server_name exact.test; return 200 "other address"; }
  server { listen *:%PORT3%; server_name star.test; return 200 "star $server_addr"; }
  server { listen 127.0.0.1:%PORT3%; server_name one.test; return 200 "one $server_addr $server_port"; }
  server { listen [::1]:%PORT4%; server_name six.test; return 200 "six $server_addr $remote_addr"; }
`

const cases: ParityCases = [
  { name: 'exact name', send: get('/', 'Host: exact.test') },
  { name: 'second name of a server keeps the first in $server_name', send: get('/', 'Host: www.exact.test') },
  { name: 'unknown name goes to default_server', send: get('/', 'Host: unknown.test') },
  { name: 'the first server is no default when another says so', send: get('/', 'Host: first.test') },
  { name: 'names ignore case', send: get('/', 'Host: EXACT.Test') },
  { name: 'port in Host is ignored', send: get('/', 'Host: exact.test:81') },
  { name: 'a dot at the end of Host is ignored', send: get('/', 'Host: exact.test.') },
  { name: 'a dot and a port at the end of Host', send: get('/', 'Host: exact.test.:80') },
  { name: 'leading wildcard', send: get('/', 'Host: a.wild.test') },
  { name: 'leading wildcard with two labels', send: get('/', 'Host: a.b.wild.test') },
  { name: 'leading wildcard does not match the bare name', send: get('/', 'Host: wild.test') },
  { name: 'the longer leading wildcard wins', send: get('/', 'Host: a.deep.wild.test') },
  { name: 'the shorter wildcard takes the bare longer one', send: get('/', 'Host: deep.wild.test') },
  { name: 'dot name matches the bare name', send: get('/', 'Host: dot.test') },
  { name: 'dot name matches below', send: get('/', 'Host: a.b.dot.test') },
  { name: 'trailing wildcard', send: get('/', 'Host: mail.example') },
  { name: 'trailing wildcard with two labels', send: get('/', 'Host: mail.example.org') },
  { name: 'the longer trailing wildcard wins', send: get('/', 'Host: mail.sub.org') },
  { name: 'leading wildcard goes before trailing', send: get('/', 'Host: mail.wild.test') },
  { name: 'regex with a named capture', send: get('/', 'Host: bob.users.test') },
  { name: 'regexes in order of the file', send: get('/', 'Host: a-b.users.test') },
  { name: 'regex with numbered captures', send: get('/', 'Host: num12-34.example') },
  { name: 'regex sees the lowered name', send: get('/', 'Host: BOB.Users.TEST') },
  { name: 'the empty name takes a request without Host', send: 'GET / HTTP/1.0\r\n\r\n', until: 'close' },
  { name: 'empty Host', send: get('/', 'Host:') },
  { name: 'absolute target overrides Host', send: get('http://exact.test/', 'Host: other.test') },
  {
    name: 'absolute target with port and upper case',
    send: get('HTTP://EXACT.test:8080/', 'Host: other.test'),
  },
  { name: 'absolute target without path', send: get('http://exact.test', 'Host: exact.test') },
  { name: 'absolute target with arguments only', send: get('http://exact.test?a=1', 'Host: exact.test') },
  { name: 'IPv6 literal', send: get('/', 'Host: [::1]:80') },
  { name: 'another port has its own names', send: get('/', 'Host: exact.test'), port: 2 },
  { name: 'another port has its own default', send: get('/', 'Host: dflt.test'), port: 2 },
  { name: 'same port, other address', send: get('/', 'Host: whatever'), host: '127.0.0.2' },
  { name: 'an exact address goes before the wildcard address', send: get('/', 'Host: star.test'), port: 3 },
  {
    name: 'the wildcard address takes the rest',
    send: get('/', 'Host: one.test'),
    port: 3,
    host: '127.0.0.3',
  },
  { name: 'IPv6 address', send: get('/', 'Host: x'), port: 4, host: '::1' },
  { name: 'no Host in HTTP/1.1', send: 'GET / HTTP/1.1\r\n\r\n', until: 'close', info: true },
  { name: 'two Hosts', send: get('/', 'Host: exact.test', 'Host: exact.test'), until: 'close', info: true },
  { name: 'invalid Host', send: get('/', 'Host: a/b'), until: 'close', info: true },
  { name: 'Host with two dots in a row', send: get('/', 'Host: a..b'), until: 'close', info: true },
  { name: 'Host that is a path up', send: get('/', 'Host: ..'), until: 'close', info: true },
  { name: 'a lower-case method', send: request('get', '/'), until: 'close', info: true },
]

describeParity('choice of the server', SERVERS, cases)

describeParity(
  'the first server is the default where none says so',
  `${LOGGING}
  server { listen 127.0.0.1:%PORT%; server_name one.test; return 200 "one $host"; }
  server { listen 127.0.0.1:%PORT%; server_name two.test; return 200 "two $host"; }
  server { listen 127.0.0.1:%PORT%; server_name $hostname; return 200 "machine"; }`,
  [
    { name: 'unknown name', send: get('/', 'Host: three.test') },
    { name: 'known name', send: get('/', 'Host: two.test') },
    {
      name: 'requests of one connection choose one by one',
      send: [get('/', 'Host: two.test'), get('/', 'Host: one.test')],
      until: 2,
      logged: 2,
    },
    { name: '$host is lowered and without port', send: get('/', 'Host: Other.TEST:99') },
  ],
)
