// The nginx.conf that weir and nginx both run in the bench: the proxied location of a usual production server, or many
// of them. Nothing in it depends on which of the two reads it but the port, and what nginx has to be told for streams.

import { knownLines } from './known.ts'
import { manyServers } from './many.ts'
import type { ProxyName } from './proxy.ts'
import { BACKEND_ADDRESSES, type Scenario } from './scenario.ts'

/** Text of the configuration for `name`; log files are relative to the prefix. */
export function proxyConf(name: ProxyName, scenario: Scenario, port: number, backendPort: number): string {
  if (scenario.kind === 'start') return startConf(scenario.servers, port, backendPort)
  const reuseport = scenario.kind === 'load' && scenario.reuseport ? ' reuseport' : ''
  const accessLog = scenario.kind === 'load' && !scenario.accessLog ? 'off' : 'logs/access.log'
  const secure = scenario.kind === 'load' && scenario.tls
  const http2 = scenario.kind === 'load' && scenario.streams !== null
  const listen = `127.0.0.1:${port}${reuseport}${secure ? ' ssl' : ''}${http2 ? ' http2' : ''}`
  // Client and upstream connections together, as worker_connections counts them.
  const connections = scenario.connections + (scenario.kind === 'idle' ? 2048 : scenario.connections) + 512
  const servers =
    scenario.kind === 'load' && scenario.servers !== null
      ? manyServers(scenario.servers, listen, serverLines(accessLog), LOCATION)
      : `    server {
        listen ${listen};
        server_name example.com;

${secure ? TLS : ''}${http2 ? KEPT_LONG : ''}${serverLines(accessLog)}
        location / {
${scenario.kind === 'load' && scenario.gzip ? GZIP : ''}${scenario.kind === 'streams' ? unbuffered(name) : ''}${scenario.kind === 'load' && scenario.files ? FILES : locationLines(scenario)}        }
    }
`
  const peers = scenario.kind === 'load' ? scenario.peers : 1
  return wholeConf(connections, upstreamLines(peers, backendPort), servers)
}

/** `servers` servers with four locations each. */
function startConf(servers: number, port: number, backendPort: number): string {
  const blocks = manyServers(servers, `127.0.0.1:${port}`, serverLines('logs/access.log'), LOCATION)
  return wholeConf(1024, upstreamLines(1, backendPort), blocks)
}

function wholeConf(connections: number, upstream: string, servers: string): string {
  return `worker_processes 1;
pid run.pid;
error_log logs/error.log error;

events {
    worker_connections ${connections};
}

http {
    server_names_hash_max_size 4096;
    server_names_hash_bucket_size 128;

    upstream app_backend {
${upstream}    }

${servers}}
`
}

function upstreamLines(peers: number, port: number): string {
  const addresses = BACKEND_ADDRESSES.slice(0, peers)
  const servers =
    peers === 1
      ? [`server ${addresses[0]}:${port}`]
      : [
          'least_conn',
          ...addresses.map((address) => `server ${address}:${port} max_fails=3 fail_timeout=10s`),
        ]
  return [...servers, 'keepalive 32'].map((line) => `        ${line};\n`).join('')
}

function serverLines(accessLog: string): string {
  return `        access_log ${accessLog};

        server_tokens off;
        add_header X-Frame-Options "SAMEORIGIN" always;
        add_header X-Content-Type-Options "nosniff" always;
        add_header X-XSS-Protection "1; mode=block" always;
`
}

/** A location that passes upgrades on says so in place of keeping connections to backends. */
function locationLines({ kind }: Scenario): string {
  return kind === 'messages' ? LOCATION.replace(KEPT, UPGRADES) : LOCATION
}

/** nginx has to be told not to hold back what backends send; weir is told the same, if it knows the word. */
function unbuffered(name: ProxyName): string {
  return knownLines(name, '            proxy_buffering off;\n\n')
}

/** What a production server says of files, descriptors and metadata kept as there. */
const FILES = `            root html;
            sendfile on;
            tcp_nopush on;
            open_file_cache max=1000 inactive=60s;
            open_file_cache_valid 30s;
`

/** The files are beside the configuration. */
const TLS = `        ssl_certificate cert.pem;
        ssl_certificate_key key.pem;
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_session_cache shared:tls:10m;

`

/** The load ends with a connection that is told to go away. */
const KEPT_LONG = `        keepalive_requests 100000000;

`

const GZIP = `            gzip on;
            gzip_types text/plain application/json;

`

const KEPT = `            proxy_set_header Connection "";
`
const UPGRADES = `            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection "upgrade";
`

const LOCATION = `            proxy_pass http://app_backend;

            proxy_http_version 1.1;
${KEPT}
            proxy_set_header Host $host;
            proxy_set_header X-Real-IP $remote_addr;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;

            proxy_connect_timeout 10s;
            proxy_send_timeout 60s;
            proxy_read_timeout 60s;
`
