// The nginx.conf that weir soaks under: what a production server has, with short timeouts so that each of them
// passes many times within minutes.

export interface Ports {
  /** Accepted by the master and handed over. */
  handOff: number
  /** Accepted by each worker for itself. */
  reuseport: number
  steady: readonly number[]
  flaky: number
  /** Nobody listens there. */
  dead: number
}

/** `generation` makes each reload's text another one. */
export function soakConf(ports: Ports, generation: number): string {
  const steady = ports.steady.map((port) => `server 127.0.0.1:${port};`).join(' ')
  return `worker_processes 2;
pid run.pid;
error_log logs/error.log error;

events {
    worker_connections 4096;
}

http {
    log_format soak '$arg_n $status $body_bytes_sent $request_time';
    access_log logs/access.log soak;

    keepalive_timeout 4s;
    keepalive_requests 400;
    client_header_timeout 3s;
    client_body_timeout 3s;
    send_timeout 10s;
    proxy_connect_timeout 2s;
    proxy_read_timeout 10s;

    add_header X-Generation ${generation};
    proxy_set_header Host $host;
    proxy_set_header X-Real-IP $remote_addr;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;

    upstream steady { ${steady} keepalive 16; keepalive_timeout 3s; }
    upstream mixed { server 127.0.0.1:${ports.steady[0]}; server 127.0.0.1:${ports.flaky}; keepalive 8; keepalive_timeout 3s; }
    upstream flaky { server 127.0.0.1:${ports.flaky}; keepalive 4; keepalive_timeout 3s; }
    # Of several servers each would be out for a while after an answer that does not come.
    upstream alone { server 127.0.0.1:${ports.steady[0]}; keepalive 4; keepalive_timeout 3s; }
    upstream dead { server 127.0.0.1:${ports.dead}; }

    server {
        listen 127.0.0.1:${ports.handOff};
        listen 127.0.0.1:${ports.reuseport} reuseport;
        server_name soak.test;

        location / { proxy_pass http://steady; }
        location /logged/ {
            access_log logs/access.log soak;
            access_log logs/second.log soak buffer=16k flush=1s;
            access_log logs/by-$request_method.log soak;
            proxy_pass http://steady/;
        }
        location /mixed/ { proxy_pass http://mixed/; }
        location /flaky/ { proxy_pass http://flaky/; }
        location /dead/ { proxy_pass http://dead/; }
        location /hang { proxy_read_timeout 1s; proxy_pass http://alone; }
        location /cut/ { proxy_pass http://alone; }
        location /tunnel {
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection upgrade;
            proxy_pass http://steady;
        }
        location = /returned { return 200 "returned\\n"; }
    }
}
`
}
