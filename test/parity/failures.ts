// Side by side with backends that fail: each case has an upstream of its own, so that nothing is remembered of the one
// before, whose servers do what the case says, and requests that go there one after another. Compared are the answers,
// who was asked in which order, what the log says of every attempt, and the error log.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DeafListener } from '../support/deaf-listener.ts'
import { nginxMissing, type RunningProxy, startNginx, startWeir } from '../support/proxy.ts'
import { type Answer, RawBackend } from '../support/raw-backend.ts'
import { rawRequest } from '../support/raw-client.ts'
import { freePort } from '../support/temporary.ts'
import { eventually } from '../support/wait.ts'
import { accessLines, answerLines, errorLines, requestLines } from './normalise.ts'

/** What a server does: an answer, or an address where nobody listens, or where nobody accepts. */
export type Behaviour = Answer | 'refuses' | 'is deaf'

export interface FailureCase {
  name: string
  /** What each server of the upstream does, for every request or for each of them. */
  servers: readonly Behaviour[]
  /** Parameters of the `server` lines. */
  parameters?: readonly string[]
  /** Directives of the location; `@other` is one that passes requests to the third server. */
  directives?: string
  /** Directives of the upstream. */
  upstream?: string
  /** Requests, each on a connection of its own; `%URI%` is where they go. */
  send: readonly string[]
  /** Answers end with the connection. */
  cut?: true
  /** The request may be framed by length or in chunks, as nginx has it in memory first. */
  anyFraming?: true
}

const SERVERS = 3
const FORMAT = `
  log_format attempts '$request_method $status body=$body_bytes_sent addr="$upstream_addr" status="$upstream_status" '
    'connect="$upstream_connect_time" header="$upstream_header_time" response="$upstream_response_time" '
    'length="$upstream_response_length" sent="$upstream_bytes_sent" received="$upstream_bytes_received"';
  access_log logs/access.log attempts;
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  proxy_connect_timeout 150ms;
  proxy_read_timeout 150ms;
  proxy_send_timeout 150ms;`

/** A request without content to the case's location. */
export const get = (method = 'GET') => `${method} %URI% HTTP/1.1\r\nHost: localhost\r\n\r\n`
/** One with a little content. */
export const put = (method: string, content = 'hello') =>
  `${method} %URI% HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${content.length}\r\n\r\n${content}`

/** Declares a test for each case. */
export function describeFailures(area: string, cases: readonly FailureCase[]): void {
  describe.skipIf(nginxMissing !== null)(area, () => {
    const pair = new FailurePair(cases)
    beforeAll(() => pair.start())
    afterAll(() => pair.stop())
    it.for(cases.map((failureCase, index) => [failureCase.name, index] as const))(
      '%s',
      async ([name, index]) => {
        const { expected, actual } = await pair.run(index)
        if (process.env.PARITY_SHOW === '1')
          console.log(`PARITY ${JSON.stringify({ name, expected, actual })}`)
        expect(actual).toEqual(expected)
      },
    )
  })
}

/** What happened, ready to be compared. */
interface View {
  answers: string[]
  asked: string[]
  access: string[]
  error: string[]
}

class FailurePair {
  readonly #cases: readonly FailureCase[]
  readonly #backends: RawBackend[] = []
  readonly #refused: number[] = []
  #deaf: DeafListener | null = null
  #nginx: RunningProxy | null = null
  #weir: RunningProxy | null = null
  /** What servers were asked, in that order, by server and number of the request there. */
  readonly #asked = new Map<string, string>()

  constructor(cases: readonly FailureCase[]) {
    this.#cases = cases
  }

  async start(): Promise<void> {
    for (let index = 0; index < SERVERS; index++) {
      this.#backends.push(await RawBackend.start())
      this.#refused.push(await freePort())
    }
    if (this.#cases.some(({ servers }) => servers.includes('is deaf')))
      this.#deaf = await DeafListener.start()
    const conf = `worker_processes 1;\nevents { worker_connections 256; }\nhttp {${FORMAT}\n${this.#conf()}}\n`
    this.#nginx = await startNginx(conf)
    this.#weir = await (process.env.PARITY_AGAINST === 'nginx' ? startNginx : startWeir)(conf)
  }

  async stop(): Promise<void> {
    const parts = [this.#nginx, this.#weir, this.#deaf, ...this.#backends]
    await Promise.all(parts.map((part) => part?.stop()))
  }

  async run(index: number): Promise<{ expected: View; actual: View }> {
    const failureCase = this.#cases[index]!
    return {
      expected: await this.#view(this.#nginx!, failureCase, index),
      actual: await this.#view(this.#weir!, failureCase, index),
    }
  }

  #conf(): string {
    const upstreams = this.#cases.map(({ servers, parameters, upstream }, index) => {
      const lines = servers.map((behaviour, server) => {
        const port = this.#portOf(behaviour, server)
        return `server 127.0.0.1:${port} ${parameters?.[server] ?? ''};`
      })
      return `upstream case${index} { ${upstream ?? ''} ${lines.join(' ')} }`
    })
    const locations = this.#cases.map(
      ({ directives }, index) =>
        `location /case${index}/ { ${directives ?? ''} proxy_pass http://case${index}; }`,
    )
    const other = `location @other { proxy_pass http://127.0.0.1:${this.#backends[SERVERS - 1]!.port}; }`
    const server = `server { listen 127.0.0.1:%PORT%; server_name f.test;\n${other}\n${locations.join('\n')}\n}`
    return `${upstreams.join('\n')}\n${server}\n`
  }

  #portOf(behaviour: Behaviour, server: number): number {
    if (behaviour === 'refuses') return this.#refused[server]!
    return behaviour === 'is deaf' ? this.#deaf!.port : this.#backends[server]!.port
  }

  async #view(
    proxy: RunningProxy,
    { servers, send, cut, anyFraming }: FailureCase,
    index: number,
  ): Promise<View> {
    this.#asked.clear()
    for (const [server, backend] of this.#backends.entries()) {
      const behaviour = servers[server]
      const answer = behaviour === undefined || isAddress(behaviour) ? '' : behaviour
      backend.reset((bytes, count) => {
        // It is asked about a request more than once: the last time for that which is whole.
        if (bytes.length > 0) {
          const lines = requestLines(bytes.toString('latin1'), proxy, true)
          this.#asked.set(`${server} ${count}`, `server ${server}: ${lines.join('')}`)
        }
        return answer
      })
    }
    const before = { access: wholeLines(proxy.accessLog), error: wholeLines(proxy.errorLog) }
    const answers: string[] = []
    let bytes = ''
    for (const [count, request] of send.entries()) {
      const answer = await rawRequest(proxy.port, request.replace('%URI%', `/case${index}/x`), {
        until: cut ? 'close' : 1,
      })
      const text = answer.bytes.toString('latin1')
      bytes += text
      answers.push(...answerLines(text, proxy))
      const logged = () => proxy.accessLog.slice(before.access).split('\n').length - 1 > count
      await eventually('line in the access log', logged, 3000)
    }
    const { errorLog } = proxy
    const access = accessLines(proxy.accessLog.slice(before.access), bytes, proxy)
    return {
      answers,
      asked: [...this.#asked.values()],
      access: anyFraming ? access.map((line) => line.replace(/ sent="[^"]*"/, '')) : access,
      error: errorLines(errorLog.slice(before.error, wholeLines(errorLog)), proxy, false),
    }
  }
}

function isAddress(behaviour: Behaviour): behaviour is 'refuses' | 'is deaf' {
  return behaviour === 'refuses' || behaviour === 'is deaf'
}

function wholeLines(log: string): number {
  return log.lastIndexOf('\n') + 1
}
