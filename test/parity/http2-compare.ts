// Side by side over HTTP/2 on plain connections: the same frames to nginx and to weir; what comes back on the streams and
// the connection, what the backend sees and what the logs say must be equal.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { data, get, headers, post } from '../support/http2-bytes.ts'
import { Http2Raw, type RawOptions, type RawResponse } from '../support/http2-raw.ts'
import { nginxMissing, type RunningProxy, startNginx, startWeir } from '../support/proxy.ts'
import { RawBackend } from '../support/raw-backend.ts'
import { freePort } from '../support/temporary.ts'
import { eventually } from '../support/wait.ts'
import { accessLines, answerLines, errorLines, requestLines } from './normalise.ts'

export { data, get, headers, post }

export interface Http2Case {
  name: string
  /** Behind the preface. */
  send: Buffer | Buffer[]
  /** The streams that are looked at; default 1. */
  streams?: number[]
  answer?: RawBackend['answer']
  /** Lines of access log to wait for; default as many as streams. */
  logged?: number
  options?: RawOptions
  /** false: its info messages are others since nginx 1.29. */
  info?: false
  /** Which %PORTn% to connect to; default 1. */
  port?: number
}

/** nginx makes a Host of the authority at once, since 1.29 when the head is complete. */
const HOST = /, host: "[^"]*"(?=\n?$)/

interface View {
  streams: string[][]
  connection: string
  backend: string[]
  access: string[]
  error: string[]
}

/**
 * Declares a test for each case; `server`: what is in the server block behind its `listen`; `more`: what follows that
 * block.
 */
export function describeHttp2Parity(
  area: string,
  http: string,
  server: string,
  cases: readonly Http2Case[],
  more = '',
): void {
  describe.skipIf(nginxMissing !== null)(area, () => {
    let backend: RawBackend
    let nginx: RunningProxy
    let weir: RunningProxy

    beforeAll(async () => {
      backend = await RawBackend.start()
      const vars = { BACKEND: backend.address, REFUSED: `127.0.0.1:${await freePort()}` }
      const conf = `worker_processes 1;\nerror_log logs/error.log info;\nevents { worker_connections 256; }\nhttp {
        log_format parity '$request_method $request_uri $server_protocol "$request" $http2 -> $uri $host $server_name'
          ' $http_cookie: $status body=$body_bytes_sent length=$request_length $request_completion';
        access_log logs/access.log parity;
        proxy_http_version 1.1;
        ${http}
        server { listen 127.0.0.1:%PORT% http2; ${server} }\n${more}\n}\n`
      nginx = await startNginx(conf, { vars })
      weir = await startWeir(conf, { vars })
    })
    afterAll(async () => {
      await Promise.all([nginx?.stop(), weir?.stop(), backend?.stop()])
    })

    it.for(cases)('$name', async (one) => {
      const expected = await view(nginx, backend, one)
      expect(await view(weir, backend, one)).toEqual(expected)
    })
  })
}

async function view(proxy: RunningProxy, backend: RawBackend, one: Http2Case): Promise<View> {
  backend.reset(one.answer)
  const before = { access: proxy.accessLog.length, error: proxy.errorLog.length }
  const client = await Http2Raw.connect(proxy.ports[(one.port ?? 1) - 1]!, one.options)
  const { streams = [1], logged = streams.length } = one
  client.send(...[one.send].flat())
  const outcomes: string[] = []
  for (const stream of streams) outcomes.push(await client.outcome(stream))
  const access = (): string => proxy.accessLog.slice(before.access)
  await eventually('access log', () => access().split('\n').length > logged, 2000).catch(() => {})
  const goaway = client.lastGoaway()
  client.destroy()
  const texts = streams.map((stream) => responseText(client.responses.get(stream)))
  return {
    streams: texts.map((text, index) => [
      outcomes[index]!,
      ...answerLines(text, proxy),
      ...trailerLines(client.responses.get(streams[index]!)),
    ]),
    connection: goaway === null ? '' : `GOAWAY ${goaway.code} ${goaway.last}`,
    backend: backend.requests.flatMap(({ bytes }) => requestLines(bytes.toString('latin1'), proxy, true)),
    access: accessLines(access(), texts.find((text) => /<hr>/.test(text)) ?? '', proxy),
    error: errorLines(proxy.errorLog.slice(before.error), proxy, one.info ?? true)
      .map((line) => line.replace(HOST, ''))
      // The client's end.
      .filter((line) => !line.includes('recv() failed (104')),
  }
}

/** As HTTP/1 would have it. */
function responseText(response: RawResponse | undefined): string {
  if (response === undefined || response.status === 0) return ''
  const lines = response.fields.map(([name, value]) => `${titled(name)}: ${value}\r\n`)
  return `HTTP/1.1 ${response.status}\r\n${lines.join('')}\r\n${response.body}`
}

function trailerLines(response: RawResponse | undefined): string[] {
  return (response?.trailers ?? []).map(([name, value]) => `trailer ${name}: ${value}`)
}

function titled(name: string): string {
  return name.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase())
}
