// What `grpc_pass` makes of backends that break the rules of HTTP/2: status, and words in the error log.

import { afterAll, beforeAll } from 'vitest'
import { Http2Backend } from '../support/http2-backend.ts'
import { HEAD_LIES, ODDITIES } from '../support/http2-lies.ts'
import { describeParity } from './compare.ts'

let backend: Http2Backend

beforeAll(async () => {
  backend = await Http2Backend.start({ ...HEAD_LIES, ...ODDITIES })
})
afterAll(() => backend.stop())

describeParity(
  'grpc_pass to a backend that',
  "log_format parity '$status $upstream_status $upstream_response_length'; access_log logs/access.log parity; error_log logs/error.log; server { listen %PORT%; location / { grpc_pass grpc://127.0.0.1:%GRPC%; } }",
  // The interim response is one that nginx passes over since 1.29.
  [...Object.keys(HEAD_LIES), ...Object.keys(ODDITIES).filter((path) => path !== '/interim')].map((path) => ({
    name: path,
    send: `GET ${path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`,
    until: 'close' as const,
  })),
  { vars: async () => ({ GRPC: backend.port }) },
)
