// Which peers are chosen while others are busy: requests that backends keep until they are told to answer. Steps of a
// case: `+` is one more request, a number lets that backend answer the oldest request it keeps.

import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { nginxMissing, type RunningProxy, startNginx, startWeir } from '../support/proxy.ts'
import { type RawAnswer, rawRequest } from '../support/raw-client.ts'
import { eventually } from '../support/wait.ts'

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

/** Keeps requests without a body. */
class HoldingBackend {
  readonly held: Socket[] = []
  readonly #server: Server

  constructor() {
    this.#server = createServer((socket) => {
      socket.on('error', () => socket.destroy())
      socket.on('data', (bytes) => {
        if (bytes.toString('latin1').endsWith('\r\n\r\n')) this.held.push(socket)
      })
    })
  }

  async start(): Promise<string> {
    await new Promise<void>((done) => this.#server.listen(0, '127.0.0.1', done))
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  answer(): void {
    this.held.shift()!.write(OK)
  }

  stop(): void {
    this.#server.close()
  }
}

interface HeldCase {
  upstream: string
  steps: string
}

const LONG = '++++++++1122++33++1+2+3+++++++11223++++'

const CASES: HeldCase[] = [
  ...['', 'least_conn;'].flatMap((method) =>
    [
      'server %A1%; server %A2%; server %A3%;',
      'server %A1% weight=3; server %A2% weight=2; server %A3%;',
      'server %A1% max_conns=2; server %A2%; server %A3% max_conns=1;',
      'server %A1%; server %A2% max_conns=1; server %A3% weight=4;',
    ].map((servers) => ({ upstream: `${method} ${servers}`, steps: LONG })),
  ),
  ...['', 'least_conn;', 'ip_hash;', 'hash $uri;', 'hash $uri consistent;', 'random;', 'random two;'].map(
    (method) => ({
      upstream: `${method} server %A1% max_conns=1; server %A2% max_conns=1;`,
      // Which of them is first is left to chance with some; then both are busy, then both are free.
      steps: method.startsWith('random') ? '+++++' : '++++1++2++12+++',
    }),
  ),
  ...['ip_hash;', 'hash $uri;', 'hash $uri consistent;'].map((method) => ({
    upstream: `${method} server %A1% max_conns=2; server %A2% max_conns=2 weight=2; server %A3% max_conns=3;`,
    steps: '++++++++',
  })),
  { upstream: 'server %A1% max_conns=1; server %A2% backup max_conns=1;', steps: '+++1+2+' },
  {
    upstream: 'least_conn; server %A1% max_conns=2; server %A2% backup; server %A3% backup;',
    steps: '++++++1+2+3',
  },
  { upstream: 'server %A1% max_conns=2;', steps: '++++1++' },
]

describe.skipIf(nginxMissing !== null)('balancing of requests that last', () => {
  const backends = [new HoldingBackend(), new HoldingBackend(), new HoldingBackend()]
  const proxies: RunningProxy[] = []

  beforeAll(async () => {
    const addresses = await Promise.all(backends.map((backend) => backend.start()))
    const vars = Object.fromEntries(addresses.map((address, index) => [`A${index + 1}`, address]))
    const conf = `worker_processes 1;
      events { worker_connections 256; }
      http {
        access_log off;
        proxy_http_version 1.1;
        ${CASES.map(({ upstream }, index) => `upstream case${index} { ${upstream} }`).join('\n')}
        server {
          listen 127.0.0.1:%PORT%;
          ${CASES.map((_, index) => `location = /${index} { proxy_pass http://case${index}; }`).join('\n')}
        }
      }`
    proxies.push(await startNginx(conf, { vars }), await startWeir(conf, { vars }))
  })
  afterAll(async () => {
    await Promise.all(proxies.map((proxy) => proxy.stop()))
    for (const backend of backends) backend.stop()
  })

  it.for(CASES.map((held, index) => ({ ...held, index })))(
    '$upstream $steps',
    async ({ index, steps, upstream }) => {
      const [expected, actual] = [
        await play(proxies[0]!, index, steps),
        await play(proxies[1]!, index, steps),
      ]
      if (upstream.startsWith('random')) {
        expect([...expected].sort()).toEqual(['1', '2', '502', '502', '502'])
        actual.sort()
        expected.sort()
      }
      expect(actual).toEqual(expected)
    },
  )

  /** For each request the number of the backend that has it, or the status it was answered with. */
  async function play(proxy: RunningProxy, index: number, steps: string): Promise<string[]> {
    const outcomes: string[] = []
    const kept: Promise<RawAnswer>[][] = backends.map(() => [])
    const release = (number: number) => {
      backends[number]!.answer()
      return kept[number]!.shift()
    }
    for (const step of steps) {
      const number = Number(step) - 1
      if (step !== '+') {
        if (kept[number]!.length > 0) await release(number)
        continue
      }
      let answered = ''
      const request = rawRequest(proxy.port, `GET /${index} HTTP/1.1\r\nHost: a\r\n\r\n`)
      void request.then(({ bytes }) => (answered = bytes.toString('latin1', 9, 12)))
      const at = await eventually('request at a backend, or an answer', () => {
        const found = backends.findIndex(({ held }, backend) => held.length > kept[backend]!.length)
        return found >= 0 ? String(found + 1) : answered !== '' && answered
      })
      outcomes.push(at)
      kept[Number(at) - 1]?.push(request)
    }
    for (const [backend, requests] of kept.entries()) while (requests.length > 0) await release(backend)
    return outcomes
  }
})
