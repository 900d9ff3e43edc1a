// The nginx.conf of the chaos: one upstream of all backends, small timeouts, another method at each reload.

/** Milliseconds a backend may be silent. */
export const READ_TIMEOUT = 1000
/** Most requests at a backend at a time; 0: any number. */
export interface ServerLine {
  address: string
  maxConns: number
  maxFails: number
  /** Seconds. */
  failTimeout: number
}

const METHODS = ['', 'least_conn;', 'random two least_conn;']

/** `generation` makes each reload's text another one. */
export function chaosConf(
  ports: readonly number[],
  servers: readonly ServerLine[],
  generation: number,
): string {
  const [handOff, reuseport] = ports
  const lines = servers.map(
    ({ address, maxConns, maxFails, failTimeout }) =>
      `        server ${address} max_conns=${maxConns} max_fails=${maxFails} fail_timeout=${failTimeout}s;\n`,
  )
  return `worker_processes 4;
pid run.pid;
error_log logs/error.log error;

events {
    worker_connections 4096;
}

http {
    log_format soak '$arg_n $status $body_bytes_sent $request_time "$upstream_addr" "$upstream_status"';
    access_log logs/access.log soak;

    keepalive_timeout 2s;
    client_header_timeout 3s;
    client_body_timeout 3s;
    send_timeout 10s;
    proxy_connect_timeout 1s;
    proxy_send_timeout 1s;
    proxy_read_timeout ${READ_TIMEOUT}ms;
    proxy_next_upstream error timeout invalid_header http_500 http_502 http_503 http_504;

    add_header X-Generation ${generation};

    upstream chaos {
        ${METHODS[generation % METHODS.length]}
${lines.join('')}        keepalive 16;
        keepalive_timeout 1s;
    }

    server {
        listen 127.0.0.1:${handOff};
        listen 127.0.0.1:${reuseport} reuseport;
        location / { proxy_pass http://chaos; }
    }
}
`
}
