// The request a backend gets: proxy_method, proxy_set_body, proxy_pass_request_*, proxy_set_header, proxy_http_version.

import { describeParity } from './compare.ts'
import { get, LOGGING, MODERN, type ParityCases, replyWith, request } from './requests.ts'

const CONF = `${LOGGING}${MODERN}
  proxy_set_header X-Http "outer";
  upstream back { server %BACKEND%; }
  server {
    listen 127.0.0.1:%PORT%;
    server_name r.test;
    location / { proxy_pass http://%BACKEND%; }

    location /method { proxy_pass http://%BACKEND%; proxy_method PUT; }
    location /lower { proxy_pass http://%BACKEND%; proxy_method put; }
    location /mvar { proxy_pass http://%BACKEND%; proxy_method $http_x_method; }
    location /mpart { proxy_pass http://%BACKEND%; proxy_method X-$request_method; }
    location /post { proxy_pass http://%BACKEND%; proxy_method POST;}

    location /body { proxy_pass http://%BACKEND%; proxy_set_body "fixed"; }
    location /bvar { proxy_pass http://%BACKEND%; proxy_set_body "[$request_method $arg_b]"; }
    location /bempty { proxy_pass http://%BACKEND%; proxy_set_body ""; }
    location /bnone { proxy_pass http://%BACKEND%; proxy_set_body $arg_b; }
    location /btype { proxy_pass http://%BACKEND%; proxy_set_body "a=1"; proxy_set_header Content-Type text/x; }
    location /b10 { proxy_pass http://%BACKEND%; proxy_set_body "fixed"; proxy_http_version 1.0; }

    location /nobody { proxy_pass http://%BACKEND%; proxy_pass_request_body off; proxy_set_header Content-Length ""; }
    location /noheaders { proxy_pass http://%BACKEND%; proxy_pass_request_headers off; }
    location /nothing {
      proxy_pass http://%BACKEND%;
      proxy_pass_request_headers off;
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      proxy_set_header X-Only $request_method;
    }
    location /nobodyset {
      proxy_pass http://%BACKEND%;
      proxy_pass_request_body off;
      proxy_set_body "set";
    }

    location /inherit { proxy_pass http://%BACKEND%;
      location /inherit/none { proxy_pass http://%BACKEND%; }
      location /inherit/own { proxy_pass http://%BACKEND%; proxy_set_header X-Own 1; }
    }
    location /headers {
      proxy_pass http://%BACKEND%;
      proxy_set_header X-A 1;
      proxy_set_header X-A 2;
      proxy_set_header x-case lower;
      proxy_set_header X-Empty "";
      proxy_set_header X-Gone $http_missing;
      proxy_set_header User-Agent "";
      proxy_set_header Accept $http_accept,more;
      proxy_set_header Cookie "a=$cookie_a";
    }
    location /host { proxy_pass http://back; proxy_set_header Host $host; }
    location /httphost { proxy_pass http://back; proxy_set_header Host $http_host; }
    location /hostport { proxy_pass http://back; proxy_set_header host $host:$proxy_port; }
    location /hosts { proxy_pass http://back; proxy_set_header Host a; proxy_set_header Host b; }
    location /proxyhost { proxy_pass http://back; proxy_set_header X-Proxy "$proxy_host|$proxy_port"; }
    location /connection {
      proxy_pass http://%BACKEND%;
      proxy_set_header Connection "upgrade";
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Keep-Alive "timeout=5";
      proxy_set_header TE trailers;
      proxy_set_header Expect $http_x_expect;
    }
    location /forwarded {
      proxy_pass http://%BACKEND%;
      proxy_set_header Host $host;
      proxy_set_header X-Real-IP $remote_addr;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Port $server_port;
    }
    location /old { proxy_pass http://%BACKEND%; proxy_http_version 1.0; }
    location /oldhost { proxy_pass http://%BACKEND%; proxy_http_version 1.0; proxy_set_header Host ""; }
    location /keep { proxy_pass http://%BACKEND%; proxy_socket_keepalive on; }
    location /bind { proxy_pass http://%BACKEND%; proxy_bind 127.0.0.1; }
    location /bindvar { proxy_pass http://%BACKEND%; proxy_bind $remote_addr; }
    location /bindempty { proxy_pass http://%BACKEND%; proxy_bind $http_x_bind; }
    location /bindoff { proxy_pass http://%BACKEND%; proxy_bind off; }
  }
`

const post = (target: string, body: string, ...headers: string[]) =>
  request('POST', target, `Content-Length: ${body.length}`, ...headers) + body
const chunked = (target: string, body: string) =>
  `${request('POST', target, 'Transfer-Encoding: chunked')}${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`

const cases: ParityCases = [
  { name: 'proxy_method replaces the method', send: get('/method?x') },
  { name: 'proxy_method keeps the body', send: post('/method', 'body') },
  { name: 'proxy_method is not made upper case', send: get('/lower') },
  { name: 'proxy_method with a variable', send: get('/mvar', 'X-Method: PATCH') },
  { name: 'proxy_method with text and a variable', send: get('/mpart') },
  {
    name: 'proxy_method for a HEAD request',
    send: request('HEAD', '/post'),
    answer: replyWith('200 OK', 'x'),
  },
  {
    name: 'proxy_method HEAD for a HEAD request',
    send: request('HEAD', '/mvar', 'X-Method: HEAD'),
    answer: 'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n',
  },
  {
    name: 'proxy_method head for a HEAD request',
    send: request('HEAD', '/mvar', 'X-Method: head'),
    answer: 'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n',
  },
  { name: 'proxy_set_body without a body', send: get('/body') },
  { name: 'proxy_set_body instead of a body', send: post('/body', 'the client has sent this') },
  { name: 'proxy_set_body instead of a chunked body', send: chunked('/body', 'the client has sent this') },
  { name: 'proxy_set_body with variables', send: post('/bvar?b=%20x', '') },
  { name: 'proxy_set_body empty', send: post('/bempty', 'gone') },
  { name: 'proxy_set_body with an empty variable', send: get('/bnone') },
  { name: 'proxy_set_body and a type', send: post('/btype', 'gone', 'Content-Type: text/plain') },
  { name: 'proxy_set_body with HTTP/1.0', send: chunked('/b10', 'gone') },
  { name: 'proxy_pass_request_body off', send: post('/nobody', 'gone') },
  { name: 'proxy_pass_request_body off with chunks', send: chunked('/nobody', 'gone') },
  { name: 'proxy_pass_request_body off without a body', send: get('/nobody') },
  { name: 'proxy_pass_request_body off with a body set', send: post('/nobodyset', 'gone') },
  {
    name: 'the next request after a body that was not passed',
    send: post('/nobody', 'gone') + get('/next'),
    until: 2,
    logged: 2,
  },
  {
    name: 'the next request after a body that was replaced',
    send: post('/body', 'gone') + get('/next'),
    until: 2,
    logged: 2,
  },
  { name: 'proxy_pass_request_headers off', send: get('/noheaders', 'X-A: 1', 'Cookie: c=1') },
  { name: 'proxy_pass_request_headers off with a body', send: post('/noheaders', 'kept', 'X-A: 1') },
  { name: 'neither headers nor body', send: post('/nothing', 'gone', 'X-A: 1') },
  { name: 'inherited headers', send: get('/inherit/none') },
  { name: 'own headers replace inherited ones', send: get('/inherit/own') },
  {
    name: 'headers set, repeated and removed',
    send: get('/headers', 'User-Agent: u', 'Accept: a', 'Cookie: b=2; a=1', 'X-Empty: full', 'X-Case: UPPER'),
  },
  { name: 'headers set where the client has none', send: get('/headers') },
  { name: 'Host from $host', send: get('/host', 'Host: A.Test:99') },
  { name: 'Host from $http_host', send: get('/httphost', 'Host: A.Test:99') },
  { name: 'Host with a port', send: get('/hostport') },
  { name: 'Host twice', send: get('/hosts') },
  { name: '$proxy_host and $proxy_port', send: get('/proxyhost') },
  {
    name: 'connection fields when configured',
    send: get('/connection', 'Upgrade: x', 'X-Expect: 100-continue'),
  },
  { name: 'connection fields when absent', send: get('/connection', 'Expect: x') },
  {
    name: 'what guides ask for',
    send: get('/forwarded', 'X-Forwarded-For: 1.2.3.4', 'X-Forwarded-Proto: https'),
  },
  {
    name: 'what guides ask for, chained',
    send: get('/forwarded', 'X-Forwarded-For: a', 'X-Forwarded-For: b'),
  },
  { name: 'HTTP/1.0', send: get('/old'), answer: replyWith('200 OK', 'x') },
  { name: 'HTTP/1.0 with a body', send: post('/old', 'body') },
  { name: 'HTTP/1.0 with an empty Host', send: get('/oldhost') },
  { name: 'proxy_socket_keepalive', send: get('/keep') },
  { name: 'proxy_bind', send: get('/bind') },
  { name: 'proxy_bind with a variable', send: get('/bindvar') },
  { name: 'proxy_bind with an empty variable', send: get('/bindempty') },
  { name: 'proxy_bind with an invalid address at run time', send: get('/bindempty', 'X-Bind: nonsense') },
  { name: 'proxy_bind off', send: get('/bindoff') },
]

describeParity('request to the backend', CONF, cases)
