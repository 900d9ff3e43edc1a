// Every request of the corpus of malformed ones is refused with its status, ends its connection, and reaches no backend.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { malformedRequests } from '../../corpus/malformed-requests.ts'
import { type RunningProxy, startWeir } from '../../support/proxy.ts'
import { RawBackend } from '../../support/raw-backend.ts'
import { rawRequest } from '../../support/raw-client.ts'
import { eventually } from '../../support/wait.ts'

const CONF = `
worker_processes 1;
events { worker_connections 1024; }
http {
  log_format status '$status';
  access_log logs/access.log status;
  server { listen 127.0.0.1:%PORT%; location / { proxy_pass http://%BACKEND%; } }
}
`

describe('a malformed request', () => {
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

  it.each(malformedRequests)('$name', async ({ bytes, status }) => {
    const errors = weir.errorLog.length
    const answer = await rawRequest(weir.port, bytes, { until: 'close' })
    const text = answer.bytes.toString('latin1')
    expect(text.split('\r\n')[0]).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    expect(text.match(/HTTP\/1\.1 \d{3} /g)).toHaveLength(1)
    expect(text).toContain('\r\nConnection: close\r\n')
    expect(backend.requests).toEqual([])
    const line = await eventually('line in the error log', () =>
      /\[(?:info|error)\].*client sent.*\n/.exec(weir.errorLog.slice(errors)),
    )
    expect(line[0]).toContain('client: 127.0.0.1')
  })

  it('leaves a line in the access log each', async () => {
    const lines = weir.accessLog.trim().split('\n')
    expect(lines.length).toBe(malformedRequests.length)
  })

  it.each(['', '\r\n', 'GE', 'GET / HTTP/1.1\r\n', 'GET / HTTP/1.1\r\nHost: a\r\n'])(
    'half a request (%j) gets no answer when the client ends',
    async (bytes) => {
      const answer = await rawRequest(weir.port, bytes === '' ? [] : bytes, {
        until: 'close',
        halfClose: true,
      })
      expect(answer.bytes.toString('latin1')).toBe('')
      expect(backend.requests).toEqual([])
    },
  )
})
