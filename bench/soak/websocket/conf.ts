// The configuration of the WebSocket soak: what guides show for one, and how long a worker that ends waits.

/** Milliseconds. */
export const SHUTDOWN = 5000

/** `connections`: WebSockets at a time, over both workers. */
export function websocketConf(
  port: number,
  backendPort: number,
  connections: number,
  generation: number,
): string {
  return `worker_processes 2;
worker_shutdown_timeout ${SHUTDOWN}ms;
pid run.pid;
error_log logs/error.log notice;

events {
    worker_connections ${2 * connections + 512};
}

http {
    log_format tunnels '$status $request_time $bytes_sent $upstream_bytes_sent $upstream_bytes_received';
    access_log logs/access.log tunnels;

    map $http_upgrade $connection_upgrade {
        default upgrade;
        ''      close;
    }

    server {
        listen 127.0.0.1:${port} backlog=4096;

        location / {
            proxy_pass http://127.0.0.1:${backendPort};
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
            proxy_read_timeout 60s;
        }
        location = /generation {
            access_log off;
            return 200 "${generation}";
        }
    }
}
`
}
