// gRPC by TLS on both sides, and the ways an answer of weir's own reaches a gRPC client: by its status, or by the
// error_page that nginx documents for gRPC.

import { readFileSync } from 'node:fs'
import { credentials, ServerCredentials, status } from '@grpc/grpc-js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Authority } from '../../../../support/certificates.ts'
import { serverConf, TestEngine } from '../../../../support/engine.ts'
import { type GrpcBackend, GrpcClient, startGrpcBackend } from '../../../../support/grpc.ts'
import { freePort } from '../../../../support/temporary.ts'

let authority: Authority
let backend: GrpcBackend
let engine: TestEngine
let client: GrpcClient

/** As nginx documents it for gRPC: the error as a status of gRPC. */
const errorPage = (name: string, code: number, words: string) => `
  location = /${name} { internal; default_type application/grpc; add_header grpc-status ${code} always;
    add_header grpc-message "${words}" always; return 204; }`

beforeAll(async () => {
  authority = await Authority.create()
  const { cert, key, certFile, keyFile } = await authority.issue('a.test', { names: ['a.test', 'localhost'] })
  const listen = ServerCredentials.createSsl(null, [
    { cert_chain: Buffer.from(cert), private_key: Buffer.from(key) },
  ])
  backend = await startGrpcBackend(listen)
  const conf = serverConf(`
    http2 on; ssl_certificate ${certFile}; ssl_certificate_key ${keyFile};
    grpc_ssl_trusted_certificate ${authority.certFile}; grpc_ssl_name a.test; grpc_ssl_server_name on;
    error_page 502 = /unavailable; error_page 504 = /late; error_page 404 = /unknown;
    ${errorPage('unavailable', 14, 'nobody is there')}
    ${errorPage('late', 4, 'too late')}
    ${errorPage('unknown', 12, 'no such method')}
    location / { grpc_pass grpcs://127.0.0.1:${backend.port}; grpc_ssl_verify on; }
    location /weir.Test/Upload { grpc_pass grpc://127.0.0.1:${await freePort()}; }
    location /weir.Test/Talk { return 404; }`)
  engine = await TestEngine.start(conf.replace('%PORT%;', '%PORT% ssl;'))
  const secure = credentials.createSsl(readFileSync(authority.certFile))
  client = new GrpcClient(`localhost:${engine.port}`, secure)
})
afterAll(async () => {
  client?.close()
  await engine?.stop()
  backend?.stop()
  await authority?.remove()
})

describe('a call by TLS', () => {
  it('to a backend by TLS is answered', async () => {
    expect(await client.unary('a message')).toMatchObject({
      code: status.OK,
      messages: ['a message'],
      trailers: { 'x-trailer': 'behind' },
    })
  })

  it('that fails has the status of the backend', async () => {
    expect(await client.unary('fail 8 too much')).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      details: 'too much',
    })
  })
})

describe('error_page', () => {
  it('for 502 makes a backend that is away a status of gRPC', async () => {
    expect(await client.upload([Buffer.from('a')])).toMatchObject({
      code: status.UNAVAILABLE,
      details: expect.stringContaining('nobody is there'),
    })
  })

  it('for 404 makes a method that is not there one', async () => {
    const call = client.talk()
    const error = await new Promise<{ code: number; details: string }>((done) => call.on('error', done))
    expect(error).toMatchObject({
      code: status.UNIMPLEMENTED,
      details: expect.stringContaining('no such method'),
    })
  })
})
