// The nginx.conf that weir and nginx both run in the bench: the proxied location of a usual production server.
// Nothing in it depends on which of the two reads it but the port.

import type { Scenario } from './scenario.ts'

/** Text of the configuration; log files are relative to the prefix. */
export function proxyConf(scenario: Scenario, port: number, backendPort: number): string {
  const reuseport = scenario.kind === 'load' && scenario.reuseport ? ' reuseport' : ''
  const accessLog = scenario.kind === 'load' && !scenario.accessLog ? 'off' : 'logs/access.log'
  // Client and upstream connections together, as worker_connections counts them.
  const connections = scenario.connections + (scenario.kind === 'idle' ? 2048 : scenario.connections) + 512
  return `worker_processes 1;
pid run.pid;
error_log logs/error.log error;

events {
    worker_connections ${connections};
}

http {
    upstream app_backend {
        server 127.0.0.1:${backendPort};
        keepalive 32;
    }

    server {
        listen 127.0.0.1:${port}${reuseport};
        server_name example.com;

        access_log ${accessLog};

        server_tokens off;
        add_header X-Frame-Options "SAMEORIGIN" always;
        add_header X-Content-Type-Options "nosniff" always;
        add_header X-XSS-Protection "1; mode=block" always;

        location / {
            proxy_pass http://app_backend;

            proxy_http_version 1.1;
            proxy_set_header Connection "";

            proxy_set_header Host $host;
            proxy_set_header X-Real-IP $remote_addr;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;

            proxy_connect_timeout 10s;
            proxy_send_timeout 60s;
            proxy_read_timeout 60s;
        }
    }
}
`
}
