// What is wrong with gzip's directives, in nginx's words.

import { describeRefusals } from './refusals.ts'

const HTTP_REFUSED = [
  'gzip yes;',
  'gzip on off;',
  'gzip on; gzip off;',
  'gzip_comp_level 0;',
  'gzip_comp_level 10;',
  'gzip_comp_level x;',
  'gzip_window 3k;',
  'gzip_window 64k;',
  'gzip_window x;',
  'gzip_hash 1000;',
  'gzip_hash 256k;',
  'gzip_http_version 2.0;',
  'gzip_http_version 1;',
  'gzip_proxied some;',
  'gzip_proxied any of;',
  'gzip_types;',
  'gzip_min_length x;',
  'gzip_min_length 1 2;',
  'gzip_buffers 4;',
  'gzip_buffers 0 4k;',
  'gzip_buffers 4 x;',
  'gzip_disable;',
  'gzip_disable "(";',
  'gzip_vary 1;',
  'gzip_no_buffer 1;',
  'postpone_gzipping x;',
  'gunzip 1;',
  'gunzip_buffers 1;',
  'gunzip on; gunzip on;',
  'gzip_vary on; gzip_vary on;',
]
const IF_REFUSED = [
  'gzip_types a/b;',
  'gzip_vary on;',
  'gzip_comp_level 1;',
  'gzip_disable a;',
  'gunzip on;',
  'gzip_proxied any;',
]
describeRefusals('gzip refuses', [
  ...HTTP_REFUSED,
  ...IF_REFUSED.map((line) => `server { location / { if ($args) { ${line} } } }`),
  'server { if ($args) { gzip on; } }',
])
