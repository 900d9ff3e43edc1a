// HTTP/2 as browsers speak it, and without TLS for what framing costs by itself.

import { baseline, type LoadScenario } from '../scenario.ts'

export const http2: LoadScenario = {
  ...baseline,
  name: 'http2',
  title: '1 KiB GET over HTTP/2 and TLS, 8 streams a connection',
  connections: 16,
  tls: true,
  streams: 8,
  target: 1,
}

export const http2Plain: LoadScenario = {
  ...http2,
  name: 'http2-plain',
  title: '1 KiB GET over HTTP/2 without TLS, 8 streams a connection',
  tls: false,
}
