// Certificates on disk that change: a reload has new ones for new connections, and one that cannot be used leaves
// everything as it is. Connections that are open, in TLS or on their way to it, live on.

import { once } from 'node:events'
import { copyFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Authority, type Certificate } from '../support/certificates.ts'
import { type RunningProxy, startWeir } from '../support/proxy.ts'
import { eventually } from '../support/wait.ts'

let authority: Authority
let old: Certificate
let renewed: Certificate
let proxy: RunningProxy

beforeAll(async () => {
  authority = await Authority.create()
  ;[old, renewed] = await Promise.all([authority.issue('old.test'), authority.issue('new.test')])
})
afterAll(() => authority.remove())
beforeEach(async () => {
  proxy = await startWeir(
    `worker_processes 2; events {} http { server { listen 127.0.0.1:%PORT% ssl;
      ssl_certificate own.crt; ssl_certificate_key own.key; location / { return 200 "answer"; } } }`,
    { files: { 'own.crt': old.cert, 'own.key': old.key } },
  )
})
afterEach(() => proxy.stop())

async function shake(): Promise<TLSSocket> {
  const socket = connect({
    port: proxy.port,
    host: '127.0.0.1',
    ca: authority.cert,
    checkServerIdentity: () => undefined,
  })
  await once(socket, 'secureConnect')
  return socket
}

async function shown(): Promise<string> {
  const socket = await shake()
  const { CN } = socket.getPeerCertificate().subject
  socket.destroy()
  return String(CN)
}

async function ask(socket: TLSSocket): Promise<string> {
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  const [bytes] = (await once(socket, 'data')) as [Buffer]
  return bytes.toString('latin1')
}

describe('a reload', () => {
  it('uses what the files hold by then, and keeps what is connected', async () => {
    const before = await shake()
    expect(await ask(before)).toContain('answer')
    await copyFile(renewed.certFile, join(proxy.folder, 'own.crt'))
    await copyFile(renewed.keyFile, join(proxy.folder, 'own.key'))
    expect(await shown()).toBe('old.test')
    proxy.signal('SIGHUP')
    await eventually('the new certificate', async () => (await shown()) === 'new.test')
    expect(await ask(before)).toContain('answer')
    before.destroy()
  })

  it('with a key that does not fit says so, and goes on with the old pair', async () => {
    await copyFile(renewed.certFile, join(proxy.folder, 'own.crt'))
    proxy.signal('SIGHUP')
    await eventually('the reason', () =>
      proxy.errorLog.includes(
        `[emerg] ${proxy.process.pid}#0: SSL_CTX_use_PrivateKey("${proxy.folder}/own.key") failed (SSL: error:05800074:`,
      ),
    )
    expect(await shown()).toBe('old.test')
  })

  it('without the file says so, and goes on', async () => {
    await writeFile(join(proxy.folder, 'nginx.conf'), proxy.read('nginx.conf').replace('own.crt', 'gone.crt'))
    proxy.signal('SIGHUP')
    await eventually('the reason', () =>
      proxy.errorLog.includes(`cannot load certificate "${proxy.folder}/gone.crt"`),
    )
    expect(await shown()).toBe('old.test')
  })
})
