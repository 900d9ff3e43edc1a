// Broken configurations: `nginx -t` and weir's own check must say the same, place included. weir may add a hint.

import { spawnSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildCycle } from '../../src/shared/conf/build.ts'
import { loadConfig, parseText } from '../../src/shared/conf/parser.ts'
import { modules } from '../../src/worker/modules.ts'
import { NGINX, nginxMissing } from '../support/proxy.ts'
import { removeFolder, temporaryFolder } from '../support/temporary.ts'

/** By area, whole configurations; `%CONF%` in one is the folder, in which `files` exist. */
const broken: Record<string, string[]> = {
  'the text': [
    ';',
    '{',
    '}',
    'events {}\n;',
    'events {} }',
    'events {',
    'events {\n  worker_connections 10;\n',
    'worker_processes',
    'worker_processes 1',
    'worker_processes 1\nevents {}',
    'worker_processes 1 }',
    'error_log "a',
    "error_log 'a\n\n",
    'error_log "a"b;',
    'error_log "a"};',
    'error_log "a"#;\n;',
    'error_log "a"',
    'error_log a\\',
    '"" a;',
    '$a b;',
    '# only a comment',
    `error_log ${'x'.repeat(4096)};\n`,
    `\n\nerror_log "${'x'.repeat(5000)};\n`,
    `\nerror_log '${'x\n'.repeat(3000)};\n`,
    `error_log "${'x'.repeat(4095)}";\nevents {}`,
    `#${'x'.repeat(5000)}\nevents {}`,
    `\xef\xbb\xbfevents {}`,
    '\xe9v\xe9nements {}',
  ],
  'the place and form of directives': [
    '',
    'http {}',
    'evens {}',
    'events {} http { prox_pass a; }',
    'events { daemon on; }',
    'events {} http { worker_processes 1; }',
    'worker_connections 1;',
    'sendfile on;',
    'events {} events {}',
    'events {}\nhttp {}\nhttp {}',
    'events;',
    'http on;',
    'events a {}',
    'events {} http a b {}',
    'daemon {}',
    'daemon on { a; }',
    'daemon;',
    'daemon on off;',
    'daemon on; daemon off;',
    'worker_processes 1; worker_processes 1;',
    'error_log;',
    'user a b c;',
    'worker_cpu_affinity;',
    'events { worker_connections 1; worker_connections 2; }',
    'events {} http { sendfile on; sendfile on; }',
    'events {} http { include a b; }',
    'events {} http { include; }',
    'include a {}',
    'events {} http { server_names_hash_max_size 1; server_names_hash_max_size 1; }',
  ],
  values: [
    'daemon maybe;',
    'daemon "";',
    'master_process 1;',
    'worker_processes x;',
    'worker_processes -1;',
    'worker_processes 1k;',
    'worker_processes 9223372036854775808;',
    'worker_rlimit_nofile many;',
    'worker_rlimit_core 1x;',
    'worker_priority x;',
    'worker_cpu_affinity 0102;',
    'worker_cpu_affinity auto 01 10;',
    'timer_resolution 1y;',
    'timer_resolution 1m1h;',
    'debug_points abbort;',
    'error_log logs/a loud;',
    'error_log logs/a info warn;',
    'error_log logs/a info debug_http;',
    'error_log logs/a debug_http info debug_core loud;',
    'thread_pool a;',
    'thread_pool a threads=0;',
    'thread_pool a thread=1;',
    'thread_pool a max_queue=1;',
    'thread_pool a threads=1 max_queue=x;',
    'thread_pool a threads=1; thread_pool a threads=1;',
    'events { worker_connections x; }',
    'events { use nothing; }',
    'events { multi_accept yes; }',
    'events { accept_mutex_delay 1x; }',
    'events {} http { sendfile_max_chunk 1g; }',
    'events {} http { directio_alignment -1; }',
    'events {} http { directio yes; }',
    'events {} http { aio maybe; }',
    'events {} http { output_buffers 0 1k; }',
    'events {} http { output_buffers 1 x; }',
    'events {} http { types_hash_max_size x; }',
    'events {} http { request_pool_size 100; }',
    'events {} http { request_pool_size 1025; }',
    'events {} http { connection_pool_size x; }',
    'events {} http { error_log logs/a x; }',
  ],
  include: [
    'include gone.conf;',
    'events {}\ninclude sub/*.none;\nhttp {\n  include gone.conf; }',
    'include sub/closing.conf;',
    'events { include sub/open.conf; }',
    'include sub/unknown.conf;',
    'include sub/outer.conf;',
    'include sub/[uv]*.conf;',
    'include %CONF%/gone/gone.conf;',
  ],
}

/** What stands in http{}, and in a server{} of it. */
const inHttp = [
  'server { listen 80',
  'upstream a {}',
  'upstream a { server; }',
  'upstream { server 127.0.0.1; }',
  'upstream a { server 127.0.0.1:x; }',
  'upstream a { server 127.0.0.1 weight=0; }',
  'upstream a { server 127.0.0.1 weight=x; }',
  'upstream a { server 127.0.0.1 foo; }',
  'upstream a { server 127.0.0.1; keepalive x; }',
  'upstream a { server 127.0.0.1; } upstream a { server 127.0.0.1; }',
  'upstream a { listen 80; }',
  'upstream a { server 127.0.0.1/x; }',
  'upstream a { server unix:; }',
  'upstream a { server 127.0.0.1; } upstream A { server 127.0.0.1; }',
  'upstream a { server 127.0.0.1; } server { location / { proxy_pass http://a:81; } }',
  'server { location / { proxy_pass http://a:81; } } upstream a { server 127.0.0.1; }',
  'log_format;',
  'log_format a;',
  'log_format a b; log_format a c;',
  'log_format a escape=x b;',
  'log_format a escape= b;',
  'log_format combined b;',
  "log_format a 'x $';",
  `log_format a 'x \${';`,
  `log_format a 'x \${b';`,
  `log_format a '\${b-c}';`,
  "log_format a '$-b $c';",
  `log_format a '\${}';`,
  `log_format a '\${-b}';`,
  'access_log logs/a b; log_format b c;',
  'access_log off x;',
  'access_log logs/a combined x;',
  'access_log logs/a combined buffer=0;',
  'access_log logs/a combined buffer=x;',
  'access_log logs/a combined buffer=1g;',
  'access_log logs/a combined buffer=;',
  'access_log logs/a combined flush=1m;',
  'access_log logs/a combined buffer=1k flush=0;',
  'access_log logs/a combined flush=x buffer=1k;',
  'access_log logs/a combined gzip=0;',
  'access_log logs/a combined gzip=10;',
  'access_log logs/a combined gzip=;',
  'access_log logs/a combined gzipped;',
  'access_log logs/$host.a combined buffer=1k;',
  'access_log logs/$host.a combined gzip;',
  'access_log logs/$host.a combined flush=1s;',
  'access_log logs/$ combined;',
  'access_log logs/a combined if=$;',
  'access_log logs/a buffer=1k;',
  'access_log logs/a combined buffer=1k; server { access_log logs/a combined buffer=2k; }',
  'access_log logs/a combined buffer=1k; access_log logs/a combined buffer=1k flush=1s;',
  'access_log logs/a combined gzip; access_log %CONF%/logs/a combined gzip=2;',
  'access_log syslog:;',
  'access_log syslog:tag=a;',
  'access_log syslog:server=;',
  'access_log syslog:server=127.0.0.1:x;',
  'access_log syslog:server=127.0.0.1:0;',
  'access_log syslog:server=127.0.0.1:65536;',
  'access_log syslog:server=[::1;',
  'access_log syslog:server=[::1]x;',
  'access_log syslog:server=[::1]:x;',
  'access_log syslog:server=[x];',
  'access_log syslog:server=127.0.0.1/x;',
  'access_log syslog:server=127.0.0.1,server=127.0.0.1;',
  'access_log syslog:server=127.0.0.1,facility=x;',
  'access_log syslog:server=127.0.0.1,facility=kern,facility=user;',
  'access_log syslog:server=127.0.0.1,severity=warning;',
  'access_log syslog:server=127.0.0.1,severity=warn,severity=warn;',
  'access_log syslog:server=127.0.0.1,tag=a-b;',
  `access_log syslog:server=127.0.0.1,tag=${'x'.repeat(33)};`,
  'access_log syslog:server=127.0.0.1,tag=a,tag=b;',
  'access_log syslog:server=127.0.0.1,hostname;',
  'access_log syslog:server=127.0.0.1 nope;',
  'access_log syslog:server=127.0.0.1 combined buffer=1k;',
  'error_log syslog:server=127.0.0.1 loud;',
  'error_log syslog:tag=a;',
  'open_log_file_cache;',
  'open_log_file_cache x;',
  'open_log_file_cache inactive=1s;',
  'open_log_file_cache max=0;',
  'open_log_file_cache max=x;',
  'open_log_file_cache max=1 inactive=1ms;',
  'open_log_file_cache max=1 valid=x;',
  'open_log_file_cache max=1 min_uses=-1;',
  'open_log_file_cache max=1; open_log_file_cache off;',
  'log_not_found x;',
  'log_not_found on; log_not_found off;',
  'types { a b { } }',
  'types { text/html html }',
  'default_type;',
  'keepalive_requests x;',
  'tcp_nodelay x;',
  'server { error_log logs/a; error_log logs/b x; }',
]

const inServer = [
  ...[
    'proxy_redirect default; proxy_pass http://127.0.0.1;',
    'proxy_pass http://127.0.0.1$arg_x; proxy_redirect default;',
    'proxy_redirect on;',
    'proxy_redirect a b c;',
    'proxy_redirect off; proxy_redirect off;',
    'proxy_redirect a b; proxy_redirect off;',
    'proxy_redirect off; proxy_redirect a b;',
    'proxy_redirect ~( b;',
    'proxy_cookie_domain on;',
    'proxy_cookie_domain off; proxy_cookie_domain a b;',
    'proxy_cookie_domain a b; proxy_cookie_domain off;',
    'proxy_cookie_path;',
    'proxy_cookie_path default;',
    'proxy_cookie_path a b c;',
    'proxy_cookie_path off; proxy_cookie_path off;',
    'proxy_cookie_flags secure;',
    'proxy_cookie_flags a b c d e;',
    'proxy_cookie_flags off; proxy_cookie_flags a secure;',
    'proxy_pass_header a b;',
    'proxy_ignore_headers;',
    'add_header A;',
    'add_header A b c;',
    'add_trailer A b c;',
    'add_trailer A b always d;',
  ].map((text) => `location /x { ${text} }`),
  'proxy_redirect default;',
  'server {}',
  'location / { server {} }',
  'location /a { location /b {} }',
  'location = /a { location /a/b {} }',
  'location @a { location /x {} }',
  'location /a { location @b {} }',
  'location / {} location / {}',
  'location = / {} location = / {}',
  'location ! /a {}',
  'location ^ /a {}',
  'location a b c {}',
  'location {}',
  'listen x:y;',
  'listen 99999;',
  'listen 127.0.0.1:0;',
  'listen 127.0.0.1:18081;',
  'listen 127.0.0.1:18082 wrong;',
  'listen 127.0.0.1:18082 so_keepalive=x;',
  'server_name;',
  'server_name ~;',
  'keepalive_timeout x;',
  'keepalive_timeout 1 2 3;',
  'send_timeout 1x;',
  'return;',
  'return 1000;',
  'return x;',
  'return 200 a b;',
  'location / { proxy_pass; }',
  'location / { proxy_pass a; }',
  'location / { proxy_pass ftp://a; }',
  'location ~ a { proxy_pass http://127.0.0.1/x; }',
  'location / { proxy_pass http://127.0.0.1:99999; }',
  'location / { proxy_pass http://127.0.0.1:1; proxy_pass http://127.0.0.1:2; }',
  'proxy_pass http://127.0.0.1;',
  'location / { proxy_set_header a; }',
  'location / { proxy_http_version 3; }',
  'location / { proxy_connect_timeout x; }',
  'location @a { proxy_pass http://127.0.0.1/; }',
  'location / { proxy_pass http://; }',
  'location / { proxy_pass http://:80/; }',
  'location / { proxy_pass http://127.0.0.1:/; }',
  'location / { proxy_pass http://127.0.0.1:0; }',
  'location / { proxy_pass http://[::1; }',
  'location / { proxy_pass http://[::1]x; }',
  'location / { proxy_pass http://[]:80; }',
  'location / { proxy_pass http://[1.2.3]:80; }',
  'location / { proxy_pass http://unix:; }',
  `location / { proxy_pass http://unix:/${'p'.repeat(200)}; }`,
  'location / { proxy_pass http://$; }',
  'location / { proxy_pass http://${host; }',
  'location / { proxy_pass http://$host; proxy_pass http://127.0.0.1; }',
  'proxy_method GET; proxy_method PUT;',
  'proxy_set_body; ',
  'proxy_set_body a; proxy_set_body b;',
  'proxy_pass_request_body x;',
  'proxy_pass_request_headers x;',
  'proxy_socket_keepalive 1;',
  'proxy_bind nonsense;',
  'proxy_bind 127.0.0.1:99999;',
  'proxy_bind 127.0.0.1 opaque;',
  'proxy_bind 127.0.0.1 transparent x;',
  'proxy_bind off; proxy_bind off;',
  'proxy_headers_hash_max_size x;',
  'add_header a;',
  'access_log;',
  'access_log logs/a nope;',
  'location / { access_log off x; }',
  'log_format a b;',
]

const files: Record<string, string> = {
  'sub/closing.conf': 'events {}\n}\n',
  'sub/open.conf': 'worker_connections 10;\nuse {\n',
  'sub/unknown.conf': '# a comment\nxyzzy on;\n',
  'sub/outer.conf': '\n\ninclude sub/unknown.conf;\n',
}

/** Directives given with -g, before a configuration that is right. */
const commandLine = ['daemon', 'daemon on', 'http {', 'daemon x;', 'xyzzy on;', '}', 'daemon on; daemon on;']

if (nginxMissing !== null) console.log(`conf-errors: nothing compared, ${nginxMissing}`)

describe.skipIf(nginxMissing !== null)('what nginx -t refuses, weir refuses in the same words', () => {
  let folder: string

  beforeAll(async () => {
    folder = await temporaryFolder()
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, name)), { recursive: true })
      await writeFile(join(folder, name), text)
    }
  })
  afterAll(() => removeFolder(folder))

  for (const [area, texts] of Object.entries(broken)) {
    it.each(texts.map((text) => [label(text), text]))(`${area}: %s`, async (_, text) => {
      await compare(folder, text.replaceAll('%CONF%', folder))
    })
  }

  it.each(inHttp)('http: %s', async (text) => {
    await compare(folder, `events {}\nhttp {\n${text.replaceAll('%CONF%', folder)}\n}\n`)
  })

  it.each(inServer)('server: %s', async (text) => {
    await compare(folder, `events {}\nhttp {\nserver {\nlisten 127.0.0.1:18081;\n${text}\n}\n}\n`)
  })

  it.each(commandLine)('-g: %s', async (directives) => {
    await compare(folder, 'events {}', directives)
  })
})

function label(text: string): string {
  const shown = JSON.stringify(text)
  return shown.length > 70 ? `${shown.slice(0, 67)}...` : shown
}

async function compare(folder: string, text: string, directives = ''): Promise<void> {
  const path = join(folder, 'nginx.conf')
  await writeFile(path, text, 'latin1')
  const expected = nginxMessage(folder, path, directives)
  const actual = weirMessage(folder, path, directives)
  expect(actual.replace(/, (did you mean|the file begins with) .*$/, '')).toBe(expected)
}

/** The message of the first line that says why. */
function nginxMessage(folder: string, path: string, directives: string): string {
  const { stderr } = spawnSync(
    NGINX,
    ['-t', '-e', 'stderr', '-p', `${folder}/`, '-c', path, ...(directives === '' ? [] : ['-g', directives])],
    { encoding: 'latin1' },
  )
  const message = /\[(?:emerg|crit)\] (?:\d+#\d+: )?(.*)/.exec(stderr)?.[1]
  if (message === undefined) throw new Error(`nginx has nothing against it: ${stderr}`)
  return message
}

function weirMessage(folder: string, path: string, directives: string): string {
  const options = { prefix: `${folder}/`, confPrefix: `${folder}/` }
  try {
    const { tree } = loadConfig(path, options)
    buildCycle([...parseText(directives), ...tree], modules, options)
  } catch (error) {
    return (error as Error).message
  }
  return 'nothing against it'
}
