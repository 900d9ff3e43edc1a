// The corpus of malformed requests, each with another behind it, where weir answers by itself, at once or after it has
// asked somebody: nothing behind a malformed request is taken for one.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { malformedRequests } from '../../corpus/malformed-requests.ts'
import { type RunningProxy, startWeir } from '../../support/proxy.ts'
import { RawBackend } from '../../support/raw-backend.ts'
import { rawRequest } from '../../support/raw-client.ts'

const BEHIND = 'GET /smuggled HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'

const VARIANTS = {
  'a file': 'try_files /file =404;',
  'a redirect by rewrite': 'rewrite ^ /file last;',
  'a refusal': 'auth_basic r; auth_basic_user_file %FOLDER%/users;',
  'a subrequest': 'auth_request /ask; try_files /file =404;',
  'an error page of a backend': 'deny all; error_page 403 = @page;',
}

const CONF = `
worker_processes 1;
events { worker_connections 1024; }
http {
  log_format uri '$status $uri';
  access_log logs/access.log uri;
  root %FOLDER%/files;
  ${Object.values(VARIANTS)
    .map(
      (conf, index) => `server {
        listen 127.0.0.1:%PORT${index + 1}%;
        location / { ${conf} }
        location = /file { }
        location = /ask { proxy_pass http://%BACKEND%; }
        location @page { proxy_pass http://%BACKEND%; }
      }`,
    )
    .join('\n')}
}
`

let backend: RawBackend
let weir: RunningProxy

beforeAll(async () => {
  backend = await RawBackend.start()
  const files = { 'files/file': 'content', users: '' }
  weir = await startWeir(CONF, { vars: { BACKEND: backend.address }, files })
})
afterAll(async () => {
  const errors = weir?.errorLog ?? ''
  await weir?.stop()
  await backend?.stop()
  expect(errors).not.toMatch(/\[(alert|crit|emerg)\]/)
})

describe.each(Object.keys(VARIANTS).map((name, index) => ({ name, index })))('$name', ({ index }) => {
  const check = async (name: string, parts: string[]): Promise<void> => {
    const { bytes, closed } = await rawRequest(weir.ports[index]!, parts, { until: 'close' })
    expect(closed, name).toBe(true)
    expect(bytes.toString('latin1').match(/HTTP\/1\.1 \d{3} /g), name).toHaveLength(1)
  }

  it('is answered once, in one piece with its head or not', { timeout: 60_000 }, async () => {
    for (const { name, bytes } of malformedRequests) {
      await check(name, [bytes + BEHIND])
      const end = bytes.indexOf('\r\n\r\n') + 4
      if (end >= 4 && end < bytes.length) await check(name, [bytes.slice(0, end), bytes.slice(end) + BEHIND])
    }
    expect(weir.accessLog).not.toMatch(/\/smuggled/)
  })
})
