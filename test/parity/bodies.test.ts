// Request bodies side by side with nginx: how large they may be, where they are kept while they are read, what variables
// and logs say of them, and what the backend gets of them, read first or passed on as they come.

import { describeParity, type ParityCase } from './compare.ts'
import { get, MODERN, replyWith, request } from './requests.ts'

const LOG = `
  log_format limit '$request_method $uri $status length=$request_length content=$content_length upstream=$upstream_status';
  log_format body '$request_method $uri $status length=$request_length content=$content_length '
    'body="$request_body" file="$request_body_file" upstream=$upstream_status';${MODERN}`

const post = (target: string, length: number, ...headers: string[]): string =>
  request('POST', target, `Content-Length: ${length}`, ...headers)
const chunks = (target: string, ...headers: string[]): string =>
  request('POST', target, 'Transfer-Encoding: chunked', ...headers)
const chunk = (size: number): string => `${size.toString(16)}\r\n${'c'.repeat(size)}\r\n`
const END = '0\r\n\r\n'
const CLOSE = 'Connection: close'

/** The same locations with bodies read first and passed on as they come. */
const MODES = ['read', 'pass'] as const
const modes = (directives: string): string =>
  MODES.map(
    (mode) => `
  location /${mode}/ {
    proxy_request_buffering ${mode === 'read' ? 'on' : 'off'};
    ${directives.replaceAll('MODE', mode)}
  }`,
  ).join('')

const LIMITS = `${LOG}
  access_log logs/access.log limit;
  client_max_body_size 10;
  server {
    listen 127.0.0.1:%PORT%;
    root %FOLDER%;
    ${modes(`
      proxy_pass http://%BACKEND%;
      location /MODE/nested { proxy_pass http://%BACKEND%; }
      location /MODE/larger { client_max_body_size 20; proxy_pass http://%BACKEND%; }
      location /MODE/any { client_max_body_size 0; proxy_pass http://%BACKEND%; }
      location /MODE/page { error_page 413 /page; proxy_pass http://%BACKEND%; }
      location /MODE/named { error_page 413 = @named; proxy_pass http://%BACKEND%; }
      location /MODE/rewritten { client_max_body_size 5; rewrite ^ /MODE/larger last; }
      location /MODE/narrowed { client_max_body_size 20; rewrite ^ /MODE/nested last; }
      location /MODE/fails { client_max_body_size 20; error_page 502 /MODE/narrow;
        proxy_pass http://%REFUSED%; }
      location /MODE/narrow { client_max_body_size 4; proxy_pass http://%BACKEND%; }
      location /MODE/10 { proxy_http_version 1.0; proxy_pass http://%BACKEND%; }
      location /MODE/slash/ { proxy_pass http://%BACKEND%; }`)}
    location /text { return 200 "text"; }
    location /page { return 200 "page"; }
    location @named { return 200 "named"; }
    location /checked { auth_request /check; client_max_body_size 20; proxy_pass http://%BACKEND%; }
    location /check { client_max_body_size 5; return 204; }
  }
  server { listen 127.0.0.1:%PORT2%; client_max_body_size 1m; location / { proxy_pass http://%BACKEND%; } }
`

/** Cases of one mode. Chunks leave in one piece with the head: what nginx says of bad ones depends on what came apart. */
const named = (mode: string, cases: ParityCase[]): ParityCase[] =>
  cases.map((parityCase) => {
    const { name, send } = parityCase
    const whole = [send].flat().join('')
    return { ...parityCase, name: `${mode}: ${name}`, send: whole.includes('chunked') ? whole : send }
  })

const limits = MODES.flatMap((mode) =>
  named(mode, [
    ...[9, 10, 11].flatMap((size): ParityCase[] => [
      { name: `${size} bytes of 10`, send: `${post(`/${mode}/`, size)}${'x'.repeat(size)}` },
      { name: `${size} bytes of 10 behind the head`, send: [post(`/${mode}/`, size), 'x'.repeat(size)] },
      {
        name: `${size} bytes of 10, Expect`,
        send: [post(`/${mode}/`, size, 'Expect: 100-continue', CLOSE), 'x'.repeat(size)],
        until: 'close',
      },
      {
        name: `a chunk of ${size} bytes of 10`,
        send: [chunks(`/${mode}/`), `${chunk(size)}${END}`],
        anyFraming: true,
      },
      {
        name: `chunks of ${size} bytes of 10`,
        send: [chunks(`/${mode}/`), chunk(5), `${chunk(size - 5)}${END}`],
        anyFraming: true,
      },
      {
        name: `chunks of ${size} bytes of 10 to the end`,
        send: [chunks(`/${mode}/`), chunk(5), chunk(size - 5), END],
        ...(size > 10 ? { until: 'close' as const } : {}),
        anyFraming: true,
      },
    ]),
    {
      name: 'another request behind one that is too large',
      send: `${post(`/${mode}/`, 11)}${'x'.repeat(11)}${get('/text')}`,
      until: 'close',
    },
    { name: 'too large, and never sent', send: post(`/${mode}/`, 5000, CLOSE), until: 1 },
    { name: 'nested location', send: `${post(`/${mode}/nested`, 11)}${'x'.repeat(11)}` },
    { name: 'larger limit inside', send: `${post(`/${mode}/larger`, 11)}${'x'.repeat(11)}` },
    {
      name: 'larger limit inside, chunks',
      send: [chunks(`/${mode}/larger`), chunk(11) + END],
      anyFraming: true,
    },
    { name: 'no limit inside', send: `${post(`/${mode}/any`, 3000)}${'x'.repeat(3000)}` },
    { name: 'no limit inside, chunks', send: [chunks(`/${mode}/any`), chunk(3000) + END], anyFraming: true },
    { name: 'error_page 413', send: `${post(`/${mode}/page`, 11)}${'x'.repeat(11)}`, until: 'close' },
    {
      name: 'error_page 413, chunks',
      send: [chunks(`/${mode}/page`), chunk(11) + END],
      until: 'close',
      anyFraming: true,
    },
    {
      name: 'error_page 413 to a named location',
      send: `${post(`/${mode}/named`, 11)}${'x'.repeat(11)}`,
      until: 'close',
    },
    {
      name: 'limit of the location before a rewrite',
      send: `${post(`/${mode}/rewritten`, 8)}${'x'.repeat(8)}`,
      until: 'close',
    },
    {
      name: 'limit of the location behind a rewrite',
      send: `${post(`/${mode}/narrowed`, 12)}${'x'.repeat(12)}`,
      until: 'close',
    },
    {
      name: 'limit of the page of a failure',
      send: `${post(`/${mode}/fails`, 8)}${'x'.repeat(8)}`,
      until: 'close',
    },
    { name: 'HTTP/1.0 to the backend, chunks', send: [chunks(`/${mode}/10`), chunk(3), chunk(4) + END] },
    {
      name: 'HTTP/1.0 to the backend, too large in chunks',
      send: [chunks(`/${mode}/10`), chunk(11)],
      until: 'close',
    },
    {
      name: 'before a slash is appended',
      send: `${post(`/${mode}/slash`, 11)}${'x'.repeat(11)}`,
      until: 'close',
    },
    {
      name: 'an extension and trailers',
      send: [chunks(`/${mode}/`), `5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n`],
      anyFraming: true,
    },
    { name: 'a bad chunk behind good ones', send: [chunks(`/${mode}/`), chunk(3), 'zz\r\n'], until: 'close' },
    {
      name: 'a chunk whose size alone is too large',
      send: [chunks(`/${mode}/`), 'fffff\r\n', 'x'],
      until: 'close',
    },
  ]),
)
limits.push(
  {
    name: 'limit of the page of a failure, chunks',
    send: [chunks('/read/fails'), chunk(8) + END],
    until: 'close',
  },
  { name: 'a location without a backend', send: `${post('/text', 11)}${'x'.repeat(11)}`, until: 'close' },
  { name: 'a location without a backend, chunks', send: `${chunks('/text')}${chunk(11)}${END}` },
  {
    name: 'a file',
    send: `${request('GET', '/nginx.conf', 'Content-Length: 11')}${'x'.repeat(11)}`,
    until: 'close',
  },
  { name: 'the limit of a subrequest', send: `${post('/checked', 8)}${'x'.repeat(8)}`, until: 'close' },
  { name: 'the limit of a subrequest, fitting', send: `${post('/checked', 4)}${'x'.repeat(4)}` },
  { name: '1 MiB', port: 2, send: `${post('/', 1_048_576)}${'x'.repeat(1_048_576)}` },
  { name: '1 MiB and a byte', port: 2, send: post('/', 1_048_577), until: 1 },
)

const BUFFERS = `${LOG}
  access_log logs/access.log body;
  client_body_buffer_size 1000;
  client_body_timeout 200ms;
  lingering_timeout 200ms;
  server {
    listen 127.0.0.1:%PORT%;
    ${modes(`
      proxy_pass http://%BACKEND%;
      location /MODE/late { access_log logs/access.log limit; proxy_pass http://%BACKEND%; }
      location /MODE/single { client_body_in_single_buffer on; proxy_pass http://%BACKEND%; }
      location /MODE/file { client_body_in_file_only on; proxy_pass http://%BACKEND%; }
      location /MODE/clean { client_body_in_file_only clean; proxy_pass http://%BACKEND%; }
      location /MODE/set { proxy_set_body "<$request_body>"; proxy_pass http://%BACKEND%; }
      location /MODE/none { proxy_pass_request_body off; proxy_set_header Content-Length ""; proxy_pass http://%BACKEND%; }
      location /MODE/header { add_header X-Body "$request_body" always; proxy_pass http://%BACKEND%; }
      location /MODE/again { error_page 502 = @again; proxy_pass http://%REFUSED%; }
      location /MODE/variable { set $to %BACKEND%; proxy_pass http://$to; }`)}
    location @again { proxy_pass http://%BACKEND%; }
    location /return { return 200 "[$request_body]"; }
  }`

const whole = (target: string, size: number): string => `${post(target, size)}${'x'.repeat(size)}`
const buffers: ParityCase[] = [
  ...[-1, 0, 1].map((more): ParityCase => {
    // What fits into the buffer of the head has its place there; the buffer of the body stretches by a quarter.
    const size = 1250 + 1024 - post('/read/', 2000).length + more
    return { name: `the most that memory takes, and ${more}`, send: whole('/read/', size) }
  }),
  ...[1000, 3000].map(
    (size): ParityCase => ({
      name: `${size} bytes behind the head`,
      send: [post('/read/', size), 'x'.repeat(size)],
    }),
  ),
  { name: '3000 bytes in pieces', send: [post('/read/', 3000), ...Array(6).fill('y'.repeat(500))] },
  { name: '900 bytes in chunks', send: [chunks('/read/'), chunk(400), chunk(500) + END] },
  { name: '3000 bytes in chunks', send: [chunks('/read/'), ...Array(6).fill(chunk(500)), END] },
  { name: '300 kB', send: [post('/read/', 300_000), 'x'.repeat(300_000)] },
  { name: 'single buffer', send: [post('/read/single', 500), 'x'.repeat(500)] },
  { name: 'single buffer, chunks', send: [chunks('/read/single'), chunk(5), chunk(6) + END] },
  { name: 'file only', send: whole('/read/file', 5) },
  { name: 'file only, behind the head', send: [post('/read/file', 5), 'hello'] },
  { name: 'file only, no content', send: post('/read/file', 0) },
  { name: 'file only, no body', send: get('/read/file') },
  { name: 'file only, chunks', send: [chunks('/read/file'), chunk(5) + END] },
  { name: 'file only, no chunks', send: [chunks('/read/file'), END] },
  { name: 'file only, passed on', send: whole('/pass/file', 5) },
  { name: 'file for a while', send: whole('/read/clean', 5) },
  ...MODES.flatMap((mode): ParityCase[] => [
    { name: `${mode}: small`, send: whole(`/${mode}/`, 5) },
    { name: `${mode}: chunks with the head`, send: `${chunks(`/${mode}/`)}${chunk(5)}${chunk(6)}${END}` },
    { name: `${mode}: no chunks with the head`, send: `${chunks(`/${mode}/`)}${END}` },
    { name: `${mode}: no content`, send: post(`/${mode}/`, 0) },
    { name: `${mode}: GET with a body`, send: `${request('GET', `/${mode}/`, 'Content-Length: 3')}abc` },
    {
      name: `${mode}: two requests at once`,
      send: whole(`/${mode}/`, 5) + whole(`/${mode}/second`, 7),
      until: 2,
      logged: 2,
    },
    { name: `${mode}: proxy_set_body of it`, send: [post(`/${mode}/set`, 5), 'hello'] },
    { name: `${mode}: proxy_set_body of it, chunks`, send: [chunks(`/${mode}/set`), chunk(5) + END] },
    { name: `${mode}: not for the backend`, send: [post(`/${mode}/none`, 5), 'hello'] },
    {
      name: `${mode}: not for the backend, bad chunk`,
      send: `${chunks(`/${mode}/none`)}zz\r\n`,
      until: 'close',
    },
    { name: `${mode}: in a field`, send: whole(`/${mode}/header`, 5) },
    { name: `${mode}: to the next location`, send: whole(`/${mode}/again`, 5) },
    {
      name: `${mode}: to the next location from a file`,
      send: whole('/read/again', 5000),
    },
    { name: `${mode}: proxy_pass with variables`, send: whole(`/${mode}/variable`, 5) },
    { name: `${mode}: quotes and bytes`, send: `${post(`/${mode}/`, 4)}"\\\x01\xff` },
    {
      name: `${mode}: asked for`,
      send: [post(`/${mode}/late`, 5, 'Expect: 100-continue', CLOSE), 'hello'],
      until: 'close',
    },
    { name: `${mode}: does not come`, send: [post(`/${mode}/late`, 5), 'he'], until: 'close' },
    {
      name: `${mode}: chunks do not come`,
      send: [chunks(`/${mode}/late`), chunk(5)],
      until: 'close',
    },
    {
      name: `${mode}: the client ends`,
      send: [post(`/${mode}/late`, 5), 'he'],
      halfClose: true,
      until: 'close',
      info: true,
    },
    {
      name: `${mode}: the client ends in a chunk`,
      send: [chunks(`/${mode}/late`), '5\r\nhe'],
      halfClose: true,
      until: 'close',
      info: true,
    },
  ]),
  {
    name: 'answered before it is whole',
    send: [post('/read/late', 10, CLOSE), 'hello', 'world'],
    answer: { bytes: replyWith('403 Forbidden', 'no'), when: 'head' },
    until: 'close',
  },
  { name: 'not read', send: whole('/return', 5) },
]

describeParity('limits of request bodies', LIMITS, limits)
describeParity('buffers of request bodies', BUFFERS, buffers)
