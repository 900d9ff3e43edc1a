// Every answer of the corpus of malformed ones: 502 while nothing has been sent to the client, a truncated connection
// afterwards, an error-log line, and a backend connection that is not used again.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type MalformedResponse, malformedResponses } from '../../corpus/malformed-responses.ts'
import { type RunningProxy, startWeir } from '../../support/proxy.ts'
import { RawBackend } from '../../support/raw-backend.ts'
import { rawRequest } from '../../support/raw-client.ts'
import { eventually } from '../../support/wait.ts'

const CONF = `
worker_processes 1;
events { worker_connections 1024; }
http {
  access_log off;
  upstream back { server %BACKEND%; keepalive 8; }
  server { listen 127.0.0.1:%PORT%; location / { proxy_pass http://back; } }
}
`
const REQUEST = 'GET /x HTTP/1.1\r\nHost: a\r\n\r\n'

describe('a malformed response', () => {
  let backend: RawBackend
  let weir: RunningProxy

  beforeAll(async () => {
    backend = await RawBackend.start()
    weir = await startWeir(CONF, { vars: { BACKEND: backend.address } })
  })
  beforeEach(() => backend.reset())
  afterAll(async () => {
    await Promise.all([weir?.stop(), backend?.stop()])
  })

  async function exchange(response: MalformedResponse): Promise<string> {
    const errors = weir.errorLog.length
    backend.answer = {
      bytes: response.parts,
      // The first part has to be with the client before the second makes it worthless.
      ...(response.kind === 'body' ? { gap: 20 } : {}),
      ...(response.ends ? { after: 'end' as const } : {}),
    }
    const until = response.kind === 'body' ? 'close' : 1
    const answer = (
      await rawRequest(weir.port, REQUEST.replace('GET', response.method ?? 'GET'), { until })
    ).bytes.toString('latin1')
    if (response.log !== '') {
      await eventually(`"${response.log}" in the error log`, () =>
        weir.errorLog.slice(errors).includes(response.log),
      )
    }
    return answer
  }

  async function expectNewConnection(): Promise<void> {
    const used = backend.requests.at(-1)!.connection
    backend.answer = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext'
    const next = await rawRequest(weir.port, REQUEST)
    expect(next.bytes.toString('latin1')).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*next$/)
    expect(backend.requests.at(-1)!.connection).not.toBe(used)
  }

  const of = (kind: MalformedResponse['kind']): MalformedResponse[] =>
    malformedResponses.filter((response) => response.kind === kind)

  it.each(of('head'))('$name: 502', async (response) => {
    expect(await exchange(response)).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n/)
    await expectNewConnection()
  })

  it.each(of('body'))('$name: truncated', async (response) => {
    const answer = await exchange(response)
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    expect(answer).toContain('abc')
    expect(answer).not.toMatch(/\r\n0\r\n\r\n$/)
    expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1)
    await expectNewConnection()
  })

  it.each(of('surplus'))('$name: not used again', async (response) => {
    const answer = await exchange(response)
    expect(answer).toMatch(/^HTTP\/1\.1 (200|204|304) /)
    expect(answer).not.toMatch(/more|evil/)
    await expectNewConnection()
  })

  it.each(of('body'))('$name, all at once: never a whole response', async (response) => {
    backend.answer = { bytes: response.parts.join(''), ...(response.ends ? { after: 'end' as const } : {}) }
    const answer = (
      await rawRequest(weir.port, REQUEST, { until: 'close', methods: ['GET'] })
    ).bytes.toString('latin1')
    if (answer.startsWith('HTTP/1.1 502 ')) return
    expect(answer).not.toMatch(/\r\n0\r\n\r\n$/)
    expect(answer).not.toMatch(/\r\nContent-Length: 10\r\n[\s\S]*\r\n\r\n[\s\S]{10}/)
  })
})
