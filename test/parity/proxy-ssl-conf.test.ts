// What is wrong with `proxy_ssl_*`, in nginx's words.

import { describeRefusals, describeWarnings } from './refusals.ts'

const TLS = 'proxy_pass https://127.0.0.1:1;'
const location = (text: string) => `server { location / { ${text} } }`

describeRefusals('proxy_ssl_* that cannot be', [
  location(`proxy_ssl_certificate none.crt; ${TLS}`),
  location(`proxy_ssl_certificate $host.crt; ${TLS}`),
  location(`proxy_ssl_certificate none.crt; proxy_ssl_certificate_key none.key; ${TLS}`),
  location(`proxy_ssl_certificate /none/none.crt; proxy_ssl_certificate_key none.key; ${TLS}`),
  location(`proxy_ssl_certificate nginx.conf; proxy_ssl_certificate_key none.key; ${TLS}`),
  location(`proxy_ssl_verify on; ${TLS}`),
  location(`proxy_ssl_verify on; proxy_ssl_trusted_certificate ""; ${TLS}`),
  location('proxy_ssl_verify on; proxy_pass http://$host;'),
  location(`proxy_ssl_password_file none; ${TLS}`),
  location(`proxy_ssl_ciphers nonsense; ${TLS}`),
  location(`proxy_ssl_ciphers ""; ${TLS}`),
  location(`proxy_ssl_protocols TLSv2; ${TLS}`),
  location(`proxy_ssl_protocols; ${TLS}`),
  location(`proxy_ssl_verify maybe; ${TLS}`),
  location(`proxy_ssl_verify_depth -1; ${TLS}`),
  location(`proxy_ssl_verify_depth 1 2; ${TLS}`),
  location(`proxy_ssl_server_name; ${TLS}`),
  location(`proxy_ssl_name a; proxy_ssl_name b; ${TLS}`),
  location(`proxy_ssl_name $; ${TLS}`),
  location(`proxy_ssl_session_reuse on; proxy_ssl_session_reuse on; ${TLS}`),
  location(`proxy_ssl_conf_command Nonsense x; ${TLS}`),
  location(`proxy_ssl_conf_command MinProtocol nonsense; ${TLS}`),
  location(`proxy_ssl_conf_command Options Nonsense; ${TLS}`),
  location(`proxy_ssl_conf_command Options; ${TLS}`),
  location(`proxy_ssl_conf_command CipherString nonsense; ${TLS}`),
  location(`proxy_ssl_conf_command Ciphersuites nonsense; ${TLS}`),
  location(`proxy_ssl_conf_command SignatureAlgorithms nonsense; ${TLS}`),
  'proxy_ssl_certificate a b;',
  'upstream u { server 127.0.0.1:1; proxy_ssl_verify on; }',
  'upstream u { server 127.0.0.1:1; } server { location / { proxy_pass https://u:443; } }',
  location('if ($host) { proxy_ssl_verify on; }'),
  location('proxy_pass https://;'),
  location('proxy_pass https://127.0.0.1:0;'),
  location('proxy_pass https:/a;'),
  location('proxy_pass https://unix:;'),
])

describeWarnings('proxy_ssl_protocols', [location(`proxy_ssl_protocols TLSv1.2 TLSv1.2; ${TLS}`)])
