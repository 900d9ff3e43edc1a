// What nginx refuses of the directives about request bodies, in the same words.

import { describeRefusals } from './refusals.ts'

describeRefusals('directives about request bodies', [
  'client_max_body_size;',
  'client_max_body_size much;',
  'client_max_body_size -1;',
  'client_max_body_size 1m; client_max_body_size 2m;',
  'client_max_body_size 1m 2m;',
  'client_body_buffer_size 1g;',
  'client_body_buffer_size x;',
  'client_body_in_file_only maybe;',
  'client_body_in_file_only;',
  'client_body_in_single_buffer clean;',
  'client_body_temp_path;',
  'client_body_temp_path t 0;',
  'client_body_temp_path t x;',
  'client_body_temp_path t 4 4 4;',
  'client_body_temp_path t 1 1 1 1;',
  'client_body_temp_path t; client_body_temp_path u;',
  'proxy_request_buffering maybe;',
  'server { if ($args) { client_max_body_size 1m; } }',
  'server { location / { if ($args) { client_max_body_size 1m; } } }',
  'server { location / { limit_except GET { proxy_request_buffering off; } } }',
  'upstream u { server 127.0.0.1:1; client_max_body_size 1m; }',
])
