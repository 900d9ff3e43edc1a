// The nginx.conf of the slow part, which weir and nginx both run.

import { knownLines } from '../../known.ts'
import type { ProxyName } from '../../proxy.ts'

/** Where the proxy keeps temporary files, in its folder. */
export const TEMPORARY = 'temp'

export function slowConf(name: ProxyName, port: number, backendPort: number, connections: number): string {
  return `worker_processes 1;
pid run.pid;
error_log logs/error.log error;

events {
    worker_connections ${2 * connections + 64};
}

http {
    access_log off;
${knownLines(
  name,
  `    client_max_body_size 0;
    client_body_temp_path ${TEMPORARY}/body;
    proxy_temp_path ${TEMPORARY}/proxy;
    fastcgi_temp_path ${TEMPORARY}/fastcgi;
    uwsgi_temp_path ${TEMPORARY}/uwsgi;
    scgi_temp_path ${TEMPORARY}/scgi;`,
)}

    server {
        listen 127.0.0.1:${port} backlog=4096;

        location / {
            proxy_pass http://127.0.0.1:${backendPort};
        }
    }
}
`
}
