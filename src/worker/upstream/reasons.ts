// THE list of reason codes: why an attempt at a server failed, in words that stay the same from release to release.
// `$weir_reason` and the error log have them; README lists them.

/** What a code means, and the directive worth a look; null: no directive helps. */
export interface ReasonText {
  readonly meaning: string
  readonly directive: string | null
}

const passed = (status: number): ReasonText => ({
  meaning: `the server answered ${status}, and another one was asked`,
  directive: 'proxy_next_upstream',
})

export const reasons = {
  connect_refused: { meaning: 'nobody listens at the address of the server', directive: 'server' },
  connect_timeout: {
    meaning: 'no connection to the server came about in time',
    directive: 'proxy_connect_timeout',
  },
  connect_unreachable: { meaning: 'there is no way to the address of the server', directive: 'proxy_pass' },
  connect_failed: {
    meaning: 'the system refused the connection for another reason, which the line before has',
    directive: 'proxy_pass',
  },
  tls_handshake: {
    meaning: 'the server and weir found no way to speak TLS, or the server does not speak it at all',
    directive: 'proxy_ssl_protocols',
  },
  tls_timeout: {
    meaning: 'the TLS handshake with the server was not over in time',
    directive: 'proxy_connect_timeout',
  },
  tls_verify: {
    meaning: 'the certificate of the server is not trusted, or is for another name',
    directive: 'proxy_ssl_verify',
  },
  bind_failed: { meaning: 'the local address of the connection cannot be had', directive: 'proxy_bind' },
  too_many_connections: {
    meaning: 'the worker may open no more connections',
    directive: 'worker_connections',
  },
  send_timeout: {
    meaning: 'the server took nothing of the request in time',
    directive: 'proxy_send_timeout',
  },
  read_timeout: { meaning: 'the server sent nothing in time', directive: 'proxy_read_timeout' },
  refused_stream: {
    meaning: 'the server said, by HTTP/2, that it has not looked at the request',
    directive: 'proxy_next_upstream',
  },
  premature_close: {
    meaning: 'the server closed the connection before its response was complete',
    directive: 'proxy_next_upstream',
  },
  reset: {
    meaning: 'the connection broke or was reset by the server before its response was complete',
    directive: 'proxy_next_upstream',
  },
  bad_header: {
    meaning: 'the server sent a header that is none',
    directive: 'proxy_next_upstream',
  },
  header_too_big: {
    meaning: 'the server sent a longer header than there is room for',
    directive: 'proxy_buffer_size',
  },
  bad_body: { meaning: 'the server sent content in broken chunks', directive: null },
  no_live_upstreams: {
    meaning:
      'every server is down, drains, is unhealthy, has its max_conns, or is out after max_fails failures',
    directive: 'server',
  },
  body_gone: {
    meaning: 'the content of the request went to another upstream, and is not there any more',
    directive: 'error_page',
  },
  resolve_failed: { meaning: 'no address was found for the name of the server', directive: 'resolver' },
  resolve_timeout: {
    meaning: 'no name server told the address of the server in time',
    directive: 'resolver_timeout',
  },
  http_403: passed(403),
  http_404: passed(404),
  http_429: passed(429),
  http_500: passed(500),
  http_502: passed(502),
  http_503: passed(503),
  http_504: passed(504),
} as const satisfies Record<string, ReasonText>

export type Reason = keyof typeof reasons
