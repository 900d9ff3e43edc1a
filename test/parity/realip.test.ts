// realip: chains of proxies, trusted or not, in every field and form the address may come in.

import { describeParity, type ParityCase } from './compare.ts'
import { get, MODERN } from './requests.ts'

const SHOWN = '$remote_addr|$port|$realip_remote_addr|$real_port|$proxy_add_x_forwarded_for'

/** Ports of connections differ. */
const PORTS = `
  map $remote_port $port { default $remote_port; ~^[3-6]....$ own; }
  map $realip_remote_port $real_port { default $realip_remote_port; ~^[3-6]....$ own; }`

const location = (name: string, settings: string): string =>
  `location /${name} { ${settings} proxy_set_header X-Seen '${SHOWN}'; proxy_pass http://%BACKEND%; }`

const HTTP = `${MODERN}${PORTS}
  log_format realip '${SHOWN} $uri $status';
  access_log logs/access.log realip;
  set_real_ip_from 10.0.0.0/8;
  set_real_ip_from 127.0.0.1;
  set_real_ip_from 2001:db8::/32;
  server {
    listen 127.0.0.1:%PORT1%;
    ${location('real', '')}
    ${location('refused', 'return 404;')}
    location = /text { return 200 '${SHOWN}'; }
    ${location('off', 'set_real_ip_from 192.0.2.0/24;')}
    location /error { proxy_pass http://%REFUSED%; }
  }
  server {
    listen 127.0.0.1:%PORT2%;
    real_ip_header X-Forwarded-For;
    ${location('one', '')}
    ${location('all', 'real_ip_recursive on;')}
    location /nested { real_ip_recursive on; set_real_ip_from 127.0.0.0/8; set_real_ip_from 192.0.2.0/24;
      ${location('nested/x', 'real_ip_header X-Other;')} }
  }
  server {
    listen 127.0.0.1:%PORT3%;
    set_real_ip_from 127.0.0.0/8;
    set_real_ip_from 192.0.2.0/25;
    set_real_ip_from 192.0.2.200/32;
    set_real_ip_from ::/0;
    real_ip_header X-Forwarded-For;
    real_ip_recursive on;
    ${location('', '')}
  }
  server {
    listen 127.0.0.1:%PORT4%;
    set_real_ip_from 192.0.2.1;
    ${location('', '')}
    ${location('trusted', 'set_real_ip_from 0.0.0.0/0; real_ip_header x-forwarded-for;')}
  }`

interface Told {
  name: string
  path?: string
  port?: number
  fields: string[]
  more?: Partial<ParityCase>
}

const named = (name: string, port: number, path: string, ...fields: string[]): Told => ({
  name,
  port,
  path,
  fields,
})

/** One address in X-Real-IP, in the forms nginx takes and in those it does not. */
const FORMS = [
  ...[
    '192.0.2.7',
    '192.0.2.7:8080',
    '192.0.2.7:0',
    '192.0.2.7:65536',
    '192.0.2.7:',
    '192.0.2.7:x',
    '192.0.2',
  ],
  ...[
    '192.0.2.7.1',
    '192.0.2.256',
    '192.000.002.007',
    '1..2.3',
    '1.2.3.',
    '255.255.255.255',
    '0.0.0.0',
    'unix:',
  ],
  ...[
    '::1',
    '[::1]:80',
    '[::1]',
    '::ffff:192.0.2.9',
    '::ffff:c000:209',
    '2001:DB8:0:0:1:0:0:1',
    '1:2:3:4:5:6:7:8',
  ],
  ...[
    ':1:2:3:4:5:6:7:8',
    '1::2::3',
    '1:2:3:4:5:6:7:8:9',
    '::1.2.3.4',
    '::1.2.3',
    '1::',
    '1::2:',
    '12345::',
    '::',
  ],
  ...[
    '::102:304',
    '::100',
    '0:0:1::',
    '[192.0.2.7]:80',
    'fe80::1%eth0',
    'localhost',
    '"192.0.2.7"',
    '192.0.2.7 ',
  ],
  ...[
    '192.0.2.7, 192.0.2.8',
    '192.0.2.7,192.0.2.8',
    '192.0.2.7,',
    ',192.0.2.7',
    ', 192.0.2.7',
    ',',
    '10.1.1.1',
  ],
]

const told: Told[] = [
  ...FORMS.map((form) => named(`X-Real-IP: ${form}`, 1, '/real', `X-Real-IP: ${form}`)),
  named('no field', 1, '/real'),
  named('an empty field', 1, '/real', 'X-Real-IP:'),
  named('two fields', 1, '/real', 'X-Real-IP: 192.0.2.1', 'X-Real-IP: 192.0.2.2'),
  named('X-Forwarded-For beside it', 1, '/real', 'X-Real-IP: 192.0.2.1', 'X-Forwarded-For: 198.51.100.1'),
  named('a name in lower case', 1, '/real', 'x-real-ip: 192.0.2.1'),
  named('a return in the location', 1, '/text', 'X-Real-IP: 192.0.2.1:99'),
  named('a location that refuses', 1, '/refused', 'X-Real-IP: 192.0.2.1'),
  named('a location with peers of its own', 1, '/off', 'X-Real-IP: 192.0.2.1'),
  named('an error of the backend', 1, '/error', 'X-Real-IP: 192.0.2.1'),
  named('a list without real_ip_recursive', 2, '/one', 'X-Forwarded-For: 192.0.2.1, 10.0.0.1'),
  named('a list of one', 2, '/one', 'X-Forwarded-For: 192.0.2.1'),
  named(
    'a server without real_ip_recursive before one with',
    2,
    '/all',
    'X-Forwarded-For: 192.0.2.1, 10.0.0.1',
  ),
  named('nested settings', 2, '/nested/x', 'X-Other: 198.51.100.1, 192.0.2.1', 'X-Forwarded-For: 10.0.0.1'),
  named(
    'a recursive chain to an unknown peer',
    3,
    '/',
    'X-Forwarded-For: 1.1.1.1, 2.2.2.2, 192.0.2.1, 127.0.0.9',
  ),
  named('a recursive chain of known peers only', 3, '/', 'X-Forwarded-For: 192.0.2.5, 192.0.2.1'),
  named(
    'a recursive chain with a network between',
    3,
    '/',
    'X-Forwarded-For: 192.0.2.5, 192.0.2.129, 192.0.2.1',
  ),
  named('a recursive chain with the one address', 3, '/', 'X-Forwarded-For: 9.9.9.9, 192.0.2.200, 192.0.2.1'),
  named('a recursive chain with a word in it', 3, '/', 'X-Forwarded-For: 192.0.2.5, unknown, 192.0.2.1'),
  named('a recursive chain that ends in a word', 3, '/', 'X-Forwarded-For: 192.0.2.5, unknown'),
  named('a recursive chain with ports', 3, '/', 'X-Forwarded-For: 9.9.9.9:99, 192.0.2.1:8080'),
  named('a recursive chain of IPv6', 3, '/', 'X-Forwarded-For: 9.9.9.9, [2001:db8::1]:80, ::1'),
  named('a recursive chain with a mapped address', 3, '/', 'X-Forwarded-For: 9.9.9.9, ::ffff:192.0.2.1'),
  named('an unknown mapped address', 3, '/', 'X-Forwarded-For: 9.9.9.9, ::ffff:192.0.2.222'),
  named('commas without blanks', 3, '/', 'X-Forwarded-For: 9.9.9.9,192.0.2.1,127.0.0.2'),
  named('commas and blanks in rows', 3, '/', 'X-Forwarded-For: 9.9.9.9 , ,,  192.0.2.1 ,, '),
  named('an empty place in front', 3, '/', 'X-Forwarded-For: , 192.0.2.1'),
  named('only commas', 3, '/', 'X-Forwarded-For: ,,,,'),
  named('hundreds of commas', 3, '/', `X-Forwarded-For: ${','.repeat(900)}`),
  named('hundreds of peers', 3, '/', `X-Forwarded-For: 9.9.9.9${', 192.0.2.1'.repeat(70)}`),
  named('two fields, the last unknown', 3, '/', 'X-Forwarded-For: 9.9.9.9', 'X-Forwarded-For: 8.8.8.8'),
  named('two fields, the last known', 3, '/', 'X-Forwarded-For: 9.9.9.9', 'X-Forwarded-For: 192.0.2.1'),
  named('two fields, the first a word', 3, '/', 'X-Forwarded-For: me', 'X-Forwarded-For: 192.0.2.1'),
  named('a peer that is not trusted', 4, '/', 'X-Real-IP: 192.0.2.7', 'X-Forwarded-For: 192.0.2.1'),
  named('a peer trusted in the location only', 4, '/trusted', 'X-Forwarded-For: 192.0.2.7'),
  named(
    'another spelling of X-Forwarded-For: the first field',
    4,
    '/trusted',
    'X-Forwarded-For: 1.1.1.1',
    'X-Forwarded-For: 2.2.2.2',
  ),
]

describeParity(
  'realip',
  HTTP,
  told.map(({ name, port = 1, path = '/real', fields, more }) => ({
    name,
    port,
    send: get(path, ...fields),
    ...more,
  })),
)

describeParity(
  'realip of names',
  `${PORTS}
  log_format realip '${SHOWN}';
  access_log logs/access.log realip;
  set_real_ip_from localhost;
  server { listen 127.0.0.1:%PORT%; location / { return 200 '${SHOWN}'; } }`,
  [{ name: 'a host name trusts its addresses', send: get('/', 'X-Real-IP: 192.0.2.1') }],
)

describeParity(
  'realip of unix sockets',
  `${MODERN}${PORTS}
  log_format realip '${SHOWN} $server_addr|$server_port|$binary_remote_addr';
  access_log logs/access.log realip;
  real_ip_header X-From;
  server { listen 127.0.0.1:%PORT%;
    proxy_set_header X-From $http_x_real_ip;
    access_log off;
    location / { proxy_pass http://unix:%FOLDER%/inner.sock; } }
  server { listen unix:%FOLDER%/inner.sock;
    location / { return 200 '${SHOWN} $server_addr|$server_port|$binary_remote_addr'; }
    location /trusted { set_real_ip_from unix:; proxy_set_header X-Seen '${SHOWN}'; proxy_pass http://%BACKEND%; } }`,
  [
    { name: 'a client that is not trusted', send: get('/', 'X-Real-IP: 192.0.2.1') },
    { name: 'a client that is trusted', send: get('/trusted', 'X-Real-IP: 192.0.2.1:80') },
    { name: 'a trusted client without an address', send: get('/trusted') },
  ],
)
