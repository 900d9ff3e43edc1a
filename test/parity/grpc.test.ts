// gRPC calls of @grpc/grpc-js through both proxies: what the client is told, and what the logs say.

import type { Readable } from 'node:stream'
import type { StatusObject } from '@grpc/grpc-js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type GrpcBackend, GrpcClient, startGrpcBackend } from '../support/grpc.ts'
import { nginxMissing, type RunningProxy, startNginx, startWeir } from '../support/proxy.ts'
import { freePort } from '../support/temporary.ts'
import { eventually } from '../support/wait.ts'
import { errorLines } from './normalise.ts'

const CONF = `worker_processes 1;
events { worker_connections 256; }
http {
  log_format calls '$status $upstream_status $request_method $server_protocol $upstream_addr';
  server {
    listen %PORT% http2;
    access_log logs/access.log calls;
    error_log logs/error.log;
    location / { grpc_pass grpc://127.0.0.1:%GRPC%; }
    location /weir.Test/Upload { client_max_body_size 10k; grpc_pass 127.0.0.1:%GRPC%; }
  }
  server {
    listen %PORT2% http2;
    access_log logs/access.log calls;
    error_log logs/error.log;
    location / { grpc_pass grpc://127.0.0.1:%REFUSED%; }
    location /weir.Test/Upload { grpc_pass refused; grpc_next_upstream error; }
    location /weir.Test/Talk { return 404; }
  }
  server {
    listen %PORT3% http2;
    access_log logs/access.log calls;
    error_log logs/error.log;
    location / { grpc_pass grpc://127.0.0.1:%GRPC%; grpc_read_timeout 200ms; error_page 504 = /late; }
    location /weir.Test/Upload { grpc_pass 127.0.0.1:%REFUSED%; error_page 502 = @unavailable; }
    location = /late { internal; default_type application/grpc; add_header grpc-status 4;
      add_header grpc-message "too late"; return 204; }
    location @unavailable { default_type application/grpc; add_header grpc-status 14;
      add_header grpc-message "nobody is there"; return 204; }
  }
  upstream refused { server 127.0.0.1:%REFUSED%; server 127.0.0.1:%REFUSED2%; }
}
`

/** Calls on a client of the server at the named port. */
const CALLS: Record<string, [port: number, (client: GrpcClient) => Promise<unknown>]> = {
  'a call that is answered': [1, (client) => client.unary('a message')],
  'a call that fails': [1, (client) => client.unary('fail 7 not for you')],
  'a call whose words need escapes': [1, (client) => client.unary('fail 3 50%\xfc and more')],
  'a large message': [1, (client) => client.unary('x'.repeat(500_000))],
  'messages from the backend': [1, (client) => downloaded(client, 500)],
  'no message from the backend': [1, (client) => downloaded(client, 0)],
  'messages both ways': [1, talked],
  'more than client_max_body_size': [1, (client) => client.upload([Buffer.alloc(20_000)])],
  'a backend that is away': [2, (client) => client.unary('a message')],
  'an upstream that is away': [2, (client) => client.upload([Buffer.from('a')])],
  'a method that is not there': [2, talked],
  'a backend that is silent': [3, (client) => client.unary('silence')],
  'an error page in a named location': [3, (client) => client.upload([Buffer.from('a')])],
}

/** `error` comes before it where there is one. */
function statusOf(call: Readable): Promise<StatusObject> {
  return new Promise((done) => call.on('status', done))
}

async function downloaded(client: GrpcClient, count: number): Promise<unknown> {
  let bytes = 0
  const call = client.download(count)
  call.on('error', () => {})
  call.on('data', (part: Buffer) => (bytes += part.length))
  const { code, details } = await statusOf(call)
  return { code, details, bytes }
}

async function talked(client: GrpcClient): Promise<unknown> {
  const call = client.talk()
  const messages: string[] = []
  call.on('error', () => {})
  call.on('data', (part: Buffer) => {
    messages.push(part.toString())
    if (messages.length < 3) call.write(Buffer.from(`message ${messages.length}`))
    else call.end()
  })
  call.write(Buffer.from('message 0'))
  const { code, details } = await statusOf(call)
  return { code, details, messages }
}

describe.skipIf(nginxMissing !== null)('gRPC', () => {
  let backend: GrpcBackend
  let nginx: RunningProxy
  let weir: RunningProxy

  beforeAll(async () => {
    backend = await startGrpcBackend()
    const vars = { GRPC: backend.port, REFUSED: await freePort(), REFUSED2: await freePort() }
    nginx = await startNginx(CONF, { vars })
    weir = await startWeir(CONF, { vars })
  })
  afterAll(async () => {
    await Promise.all([nginx?.stop(), weir?.stop()])
    backend?.stop()
  })

  async function view(proxy: RunningProxy, port: number, call: (client: GrpcClient) => Promise<unknown>) {
    const before = [proxy.accessLog.length, proxy.errorLog.length] as const
    const client = new GrpcClient(`127.0.0.1:${proxy.ports[port - 1]!}`)
    const outcome = JSON.stringify(await call(client))
      .replace(/"server":"[^"]*"/, '"server":PRODUCT')
      .replace(/"date":"[^"]*"/, '"date":DATE')
    client.close()
    const access = (): string => proxy.accessLog.slice(before[0])
    await eventually('access log', () => access().endsWith('\n'), 3000).catch(() => {})
    return { outcome, access: access(), error: errorLines(proxy.errorLog.slice(before[1]), proxy, false) }
  }

  it.each(Object.entries(CALLS))('%s', async (_name, [port, call]) => {
    const expected = await view(nginx, port, call)
    expect(await view(weir, port, call)).toEqual(expected)
  })
})
