// msie_padding and msie_refresh: which browsers get longer pages of errors, and which get pages in place of redirects.

import { describeParity } from './compare.ts'
import { describeRefusals } from './refusals.ts'
import { get, LOGGING, MODERN, type ParityCases, reply } from './requests.ts'

const codes = [301, 302, 303, 304, 307, 308, 400, 404, 405, 418, 494, 497, 500, 503]

const HTTP = `${MODERN}${LOGGING}
  server {
    listen 127.0.0.1:%PORT%;
    add_header X-A b always;
    charset utf-8;
    ${codes.map((code) => `location = /${code} { return ${code}; }`).join('\n    ')}
    location = /text { return 404 text; }
    location = /unpadded { msie_padding off; return 404; }
    location = /paged { error_page 404 =410 /404; return 404; }
    location /refreshed {
      msie_refresh on;
      location = /refreshed/path { return 301 "/a b?c=d'e\\"%f"; }
      location = /refreshed/url { return 302 http://other.test/; }
      location = /refreshed/see { return 303 http://other.test/; }
      location = /refreshed/error { error_page 404 http://other.test/; return 404; }
      location = /refreshed/permanent { error_page 404 =301 http://other.test/; return 404; }
      location = /refreshed/error-see { error_page 404 =303 http://other.test/; return 404; }
      location /refreshed/backend { proxy_pass http://%BACKEND%; }
      location /refreshed/off { msie_refresh off; return 302 http://other.test/; }
    }
  }
`

const AGENTS = {
  Chrome:
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36',
  Firefox: 'Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0',
  Safari:
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Safari/605.1.15',
  'MSIE 6': 'Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1)',
  'MSIE 10': 'Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.2)',
  'MSIE at the end': 'MSIE 10',
  Opera: 'Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1) Opera 8.0',
  'Opera with Chrome': 'Chrome/1 Opera',
  'Gecko with Chrome': 'Gecko/1 Chrome/1',
  nothing: '',
}

const agents = Object.entries(AGENTS).map(([name, agent]) => ({ name, line: `User-Agent: ${agent}` }))
const paths = [...HTTP.matchAll(/location (?:= )?(\/[\w/-]+) /g)].map((match) => match[1]!)

const cases: ParityCases = [
  ...agents.map(({ name, line }) => ({ name: `404 for ${name}`, send: get('/404', line) })),
  ...agents.map(({ name, line }) => ({ name: `302 for ${name}`, send: get('/refreshed/url', line) })),
  ...paths.flatMap((path) =>
    ['Chrome', 'MSIE 10'].map((name) => ({
      name: `${path} for ${name}`,
      send: get(path, agents.find((agent) => agent.name === name)!.line, 'Connection: close'),
      until: 'close' as const,
      answer: reply('302 Found', ['Location: http://a.test/', 'Content-Length: 0']),
    })),
  ),
]

describeParity('msie_padding and msie_refresh', HTTP, cases)
describeRefusals('what is refused', [
  'msie_padding;',
  'msie_padding yes;',
  'msie_refresh on off;',
  'msie_refresh on; msie_refresh off;',
  'server { location / { if ($host) { msie_padding off; } } }',
])
