// Side by side: which peers two proxies with the same upstreams choose for the same requests, one after another.

import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { nginxMissing, type RunningProxy, startNginx, startWeir } from '../support/proxy.ts'
import { RawBackend } from '../support/raw-backend.ts'
import { freePort } from '../support/temporary.ts'

/** An upstream and the requests that go there. */
export interface BalancingCase {
  name: string
  /**
   * The content of upstream{}: %A1% to %A8% are addresses of backends, %P1% to %P8% their ports, %R1% to %R3%
   * addresses where nothing listens.
   */
  upstream: string
  requests: readonly BalancedRequest[]
  /** Directives of its location. */
  location?: string
}

export interface BalancedRequest {
  /** Of the target. */
  query?: string
  /** Header lines. */
  headers?: string[]
}

const BACKENDS = 8
const REFUSED = 3

/** Declares a test for each case: `$upstream_addr` of every request must be nginx's. */
export function describeBalancing(area: string, cases: readonly BalancingCase[], http = ''): void {
  describe.skipIf(nginxMissing !== null)(area, () => {
    const backends: RawBackend[] = []
    const proxies: RunningProxy[] = []

    beforeAll(async () => {
      const vars: Record<string, string | number> = {}
      for (let number = 1; number <= BACKENDS; number++) {
        const backend = await RawBackend.start()
        backends.push(backend)
        vars[`A${number}`] = backend.address
        vars[`P${number}`] = backend.port
      }
      for (let number = 1; number <= REFUSED; number++) vars[`R${number}`] = `127.0.0.1:${await freePort()}`
      const conf = configuration(cases, http)
      proxies.push(await startNginx(conf, { vars }), await startWeir(conf, { vars }))
    })
    afterAll(() => Promise.all([...proxies, ...backends].map((running) => running.stop())))

    it.for(cases.map((balancing, index) => ({ ...balancing, index })))(
      '$name',
      async ({ index, requests }) => {
        const [expected, actual] = [
          await peersChosen(proxies[0]!, index, requests),
          await peersChosen(proxies[1]!, index, requests),
        ]
        expect(expected).toHaveLength(requests.length)
        expect(actual).toEqual(expected)
      },
    )
  })
}

/** Every case has an upstream that keeps connections, and a location; logs would only take time. */
function configuration(cases: readonly BalancingCase[], http: string): string {
  const upstreams = cases.map(({ upstream }, index) => `upstream case${index} { ${upstream} keepalive 8; }`)
  const locations = cases.map(
    ({ location = '' }, index) => `location = /${index} { ${location} proxy_pass http://case${index}; }`,
  )
  return `worker_processes 1;
    events { worker_connections 256; }
    http {
      access_log off;
      keepalive_requests 100000;
      proxy_http_version 1.1;
      proxy_set_header Connection '';
      add_header X-Chosen $upstream_addr always;
      ${http}
      ${upstreams.join('\n')}
      server { listen 127.0.0.1:%PORT%; ${locations.join('\n')} }
    }`
}

/** `$upstream_addr` of the requests, all of which go over one connection. */
function peersChosen(
  { port }: RunningProxy,
  index: number,
  requests: readonly BalancedRequest[],
): Promise<string[]> {
  const texts = requests.map(({ query = '', headers = [] }, at) => {
    const last = at === requests.length - 1 ? ['Connection: close'] : []
    const lines = ['Host: a', ...headers, ...last].map((line) => `${line}\r\n`)
    return `GET /${index}${query === '' ? '' : `?${query}`} HTTP/1.1\r\n${lines.join('')}\r\n`
  })
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const socket = connect(port, '127.0.0.1')
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.on('error', reject)
    socket.on('close', () => {
      const text = Buffer.concat(chunks).toString('latin1')
      resolve([...text.matchAll(/\r\nX-Chosen: ([^\r]*)/g)].map((match) => match[1]!))
    })
    socket.write(texts.join(''), 'latin1')
  })
}

/** `count` requests that are all the same. */
export function same(count: number, request: BalancedRequest = {}): BalancedRequest[] {
  return Array.from({ length: count }, () => request)
}

/** `server` lines of the first backends, with these weights. */
export function weights(...all: number[]): string {
  return all.map((weight, index) => `server %A${index + 1}% weight=${weight};`).join(' ')
}
