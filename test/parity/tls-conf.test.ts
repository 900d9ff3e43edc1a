// What is wrong with the directives about TLS towards clients, in nginx's words.

import { afterAll } from 'vitest'
import { Authority } from '../support/certificates.ts'
import { describeRefusals, describeWarnings } from './refusals.ts'

const authority = await Authority.create()
const [a, b] = await Promise.all([authority.issue('a.test'), authority.issue('b.test')])
afterAll(() => authority.remove())

const PAIR = `ssl_certificate ${a.certFile}; ssl_certificate_key ${a.keyFile};`
const server = (text: string): string => `server { listen 127.0.0.1:9 ssl; ${text} }`

describeRefusals('TLS towards clients that cannot be', [
  server(''),
  server('ssl_reject_handshake off;'),
  server(`ssl_certificate ${a.certFile};`),
  server(`ssl_certificate ${a.certFile}; ssl_certificate ${b.certFile}; ssl_certificate_key ${a.keyFile};`),
  server('ssl_certificate none.crt; ssl_certificate_key none.key;'),
  server('ssl_certificate /none/none.crt; ssl_certificate_key none.key;'),
  server(`ssl_certificate ${a.certFile}; ssl_certificate_key none.key;`),
  server(`ssl_certificate ${a.keyFile}; ssl_certificate_key ${a.keyFile};`),
  server(`ssl_certificate ${a.certFile}; ssl_certificate_key ${a.certFile};`),
  server(`ssl_certificate ${a.certFile}; ssl_certificate_key ${b.keyFile};`),
  server(`${PAIR} ssl_password_file none;`),
  server(`${PAIR} ssl_ciphers nonsense;`),
  server(`${PAIR} ssl_ciphers "";`),
  server(`${PAIR} ssl_protocols TLSv2;`),
  server(`${PAIR} ssl_protocols;`),
  server(`${PAIR} ssl_ecdh_curve nonsense;`),
  server(`${PAIR} ssl_dhparam none;`),
  server(`${PAIR} ssl_dhparam ${a.certFile};`),
  server(`${PAIR} ssl_session_timeout x;`),
  server(`${PAIR} ssl_session_timeout 1ms;`),
  server(`${PAIR} ssl_session_tickets maybe;`),
  server(`${PAIR} ssl_buffer_size 1g;`),
  server(`${PAIR} ssl_prefer_server_ciphers;`),
  server(`${PAIR} ssl_reject_handshake 1;`),
  server(`${PAIR} ssl_reject_handshake on; ssl_reject_handshake on;`),
  server(`${PAIR} ssl_conf_command Nonsense x;`),
  server(`${PAIR} ssl_conf_command Options Nonsense;`),
  server(`${PAIR} ssl_conf_command Options;`),
  server(`${PAIR} ssl_early_data 1;`),
  server(`${PAIR} location / { ssl_protocols TLSv1.2; }`),
  `upstream u { server 127.0.0.1:1; ssl_protocols TLSv1.2; }`,
  `${server(PAIR)} ${server('server_name a; ssl_certificate none;')}`,
  `${server('ssl_reject_handshake on;')} ${server('server_name a;')}`,
  `${server('')} server { listen 127.0.0.1:9 ssl; server_name a; ${PAIR} }`,
  `server { listen 127.0.0.1:9; } server { listen 127.0.0.1:9 ssl; server_name a; ${PAIR} }`,
  'server { listen 127.0.0.1:9 ssl=on; }',
  'ssl_certificate a b;',
])

describeWarnings('TLS towards clients', [server(`${PAIR} ssl_protocols TLSv1.2 TLSv1.2;`)])
