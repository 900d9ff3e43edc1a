// Where a challenge and a redirect stand in one response: `error_page 401` that leads to a URL.

import { describeParity } from './compare.ts'
import { get, LOGGING } from './requests.ts'

const PASSWORDS = 'auth_basic realm; auth_basic_user_file /dev/null;'

/** What answers in place of the 401. */
const PAGES: Record<string, string> = {
  url: 'error_page 401 http://elsewhere/;',
  'url-302': 'error_page 401 =302 http://elsewhere/;',
  'url-308': 'error_page 401 =308 http://elsewhere/$uri;',
  'url-200': 'error_page 401 =200 http://elsewhere/;',
  uri: 'error_page 401 /login;',
  'uri-302': 'error_page 401 =302 /login;',
  'uri-any': 'error_page 401 = /login;',
  relative: 'error_page 401 =302 login;',
  path: 'error_page 401 = @path;',
  elsewhere: 'error_page 401 = @elsewhere;',
  'elsewhere-303': 'error_page 401 =303 @elsewhere;',
  added: 'error_page 401 =301 http://elsewhere/; add_header X-Added yes always; expires 1d;',
  'added-location': 'error_page 401 =301 http://elsewhere/; add_header Location /other always;',
}

const LOCATIONS = Object.entries(PAGES).map(
  ([name, page]) => `
    location /basic/${name} { ${PASSWORDS} ${page} }
    location /request/${name} { auth_request /auth; ${page} }`,
)

const HTTP = `${LOGGING}
  server {
    listen 127.0.0.1:%PORT%;
    ${LOCATIONS.join('')}
    location = /auth { internal; ${PASSWORDS} }
    location /login { return 200 "login\\n"; }
    location @path { return 302 /there; }
    location @elsewhere { return 302 http://elsewhere/$sent_http_www_authenticate; }
  }
`

describeParity(
  'challenges beside redirects',
  HTTP,
  Object.keys(PAGES).flatMap((name) =>
    ['basic', 'request'].map((how) => ({ name: `${how}: ${name}`, send: get(`/${how}/${name}`) })),
  ),
)
