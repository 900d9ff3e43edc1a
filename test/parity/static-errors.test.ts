// What nginx refuses of `root`, `alias` and `open_file_cache`.

import { describeRefusals } from './refusals.ts'

const inServer = (text: string): string => `server { ${text} }`
const inLocation = (text: string): string => inServer(`location /a { ${text} }`)

describeRefusals('root and alias', [
  'root;',
  'root a b;',
  'root a; root b;',
  'root $nothing;',
  'alias /a;',
  inServer('alias /a;'),
  inServer('root /a; root /b;'),
  inServer('root $document_root/a;'),
  inServer(`root a\${document_root};`),
  inServer('root $realpath_root;'),
  inServer('if ($uri) { root /a; }'),
  inServer('location @a { alias /a; }'),
  inServer('location ~ a { alias $realpath_root; }'),
  inLocation('alias;'),
  inLocation('alias /a; alias /b;'),
  inLocation('root /a; alias /b;'),
  inLocation('alias /a; root /b;'),
  inLocation('alias $document_root;'),
  inLocation(`alias \${realpath_root}/x;`),
  inLocation('if ($uri) { alias /a; }'),
  inLocation('if ($uri) { root /a; root /b; }'),
  inLocation('limit_except GET { root /a; }'),
])

describeRefusals('open_file_cache', [
  'open_file_cache;',
  'open_file_cache on;',
  'open_file_cache max;',
  'open_file_cache max=0;',
  'open_file_cache max=a;',
  'open_file_cache max=-1;',
  'open_file_cache inactive=10s;',
  'open_file_cache max=1 inactive=a;',
  'open_file_cache max=1 inactive=;',
  'open_file_cache max=1 valid=1s;',
  'open_file_cache max=1 inactive=1s off off;',
  'open_file_cache off; open_file_cache off;',
  'open_file_cache max=1; open_file_cache max=1;',
  'open_file_cache_valid;',
  'open_file_cache_valid a;',
  'open_file_cache_valid 1s; open_file_cache_valid 1s;',
  'open_file_cache_min_uses;',
  'open_file_cache_min_uses a;',
  'open_file_cache_errors;',
  'open_file_cache_errors maybe;',
  inLocation('if ($uri) { open_file_cache off; }'),
  inLocation('if ($uri) { open_file_cache_valid 1s; }'),
])
