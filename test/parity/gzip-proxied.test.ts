// `gzip_proxied` beside the fields that directives add: which of them say something of a response.

import { describeParity } from './compare.ts'
import { fixedFiles } from './fixed-files.ts'
import { get, MODERN, replyWith } from './requests.ts'

const { folder } = fixedFiles()

const PAST = '"Thu, 01 Jan 1970 00:00:01 GMT"'
const FUTURE = '"Thu, 31 Dec 2037 23:55:55 GMT"'

const ADDED: Record<string, string> = {
  nothing: '',
  past: `add_header Expires ${PAST};`,
  future: `add_header expires ${FUTURE};`,
  empty: 'add_header Expires $arg_none;',
  always: `add_header Expires ${PAST} always;`,
  epoch: 'expires epoch;',
  max: 'expires max;',
  before: 'expires -1;',
  both: `expires max; add_header Expires ${PAST};`,
  'other-way': `expires epoch; add_header Expires ${FUTURE};`,
  'no-cache': 'add_header Cache-Control no-cache;',
  'no-store': 'add_header Cache-Control no-store;',
  private: 'add_header cache-control private;',
  public: 'add_header Cache-Control public;',
  'two-controls': 'add_header Cache-Control public; add_header Cache-Control private;',
  modified: `add_header Last-Modified ${PAST};`,
  unmodified: 'add_header Last-Modified "";',
  etag: `add_header ETag '"own"';`,
  'no-etag': 'add_header ETag "";',
  'none-of-file': 'etag off; add_header Last-Modified "";',
}

const WORDS = [
  'expired',
  'no-cache',
  'no-store private',
  'no_last_modified',
  'no_etag',
  'no_last_modified no_etag',
]

const SERVERS = WORDS.map(
  (words, number) => `
  server {
    listen 127.0.0.1:%PORT%;
    server_name s${number};
    gzip_proxied ${words};
    ${Object.entries(ADDED)
      .map(
        ([name, conf]) => `
    location /file/${name}/ { alias ${folder}/; ${conf} }
    location /text/${name}/ { default_type text/html; return 200 "a text that is long enough to compress"; ${conf} }
    location /proxied/${name}/ { proxy_pass http://%BACKEND%; ${conf} }`,
      )
      .join('')}
  }`,
)

const HTTP = `
  log_format zipped '$host $request_uri $status';
  access_log logs/access.log zipped;${MODERN}
  types { text/html html; }
  gzip on;
  gzip_min_length 0;
  ${SERVERS.join('')}
`

const PAGE = '<p>a page</p>'.repeat(4)
const answers = {
  plain: replyWith('200 OK', PAGE, 'Content-Type: text/html'),
  expired: replyWith('200 OK', PAGE, 'Content-Type: text/html', `Expires: ${PAST.slice(1, -1)}`),
  fresh: replyWith('200 OK', PAGE, 'Content-Type: text/html', `Expires: ${FUTURE.slice(1, -1)}`),
}

const ask = (target: string, number: number) =>
  get(target, `Host: s${number}`, 'Accept-Encoding: gzip', 'Via: 1.1 proxy')

describeParity(
  'gzip_proxied and added fields',
  HTTP,
  WORDS.flatMap((words, number) =>
    Object.keys(ADDED).flatMap((name) => [
      { name: `${words}: a file, ${name}`, send: ask(`/file/${name}/page.html`, number) },
      { name: `${words}: a text, ${name}`, send: ask(`/text/${name}/`, number) },
      ...Object.entries(answers).map(([kind, answer]) => ({
        name: `${words}: ${kind} of a backend, ${name}`,
        send: ask(`/proxied/${name}/`, number),
        answer,
      })),
    ]),
  ),
)
