// Weighted round robin in a whole weir: the turn is shared by all workers, whichever of them gets a request.

import { afterEach, expect, it } from 'vitest'
import { type RunningProxy, startWeir } from '../../../support/proxy.ts'
import { RawBackend } from '../../../support/raw-backend.ts'
import { rawRequest } from '../../../support/raw-client.ts'

let weir: RunningProxy | null = null
const backends: RawBackend[] = []

afterEach(async () => {
  await weir?.stop()
  weir = null
  await Promise.all(backends.splice(0).map((backend) => backend.stop()))
})

it('spreads requests by weight over all workers together', async () => {
  const [heavy, light] = [await RawBackend.start(), await RawBackend.start()]
  backends.push(heavy, light)
  weir = await startWeir(
    `
worker_processes 3;
events {}
http {
  access_log off;
  upstream app { server %HEAVY% weight=3; server %LIGHT%; }
  server { listen 127.0.0.1:%PORT%; location / { proxy_pass http://app; } }
}
`,
    { vars: { HEAVY: heavy.address, LIGHT: light.address } },
  )
  // Each on a connection of its own, so that all three workers have their share.
  for (let count = 0; count < 40; count++) {
    const { bytes } = await rawRequest(weir.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', { until: 1 })
    expect(bytes.toString('latin1')).toMatch(/^HTTP\/1\.1 200 /)
  }
  expect([heavy.requests.length, light.requests.length]).toEqual([30, 10])
})
