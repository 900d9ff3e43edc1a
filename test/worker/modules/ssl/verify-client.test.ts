// Certificates of clients on connections that a reload has outlived: whoever was judged by one server is not let in by
// another. Everything that nginx does as well is compared in test/parity/client-certificates.test.ts.

import { once } from 'node:events'
import { connect, type TLSSocket } from 'node:tls'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { Authority, type Certificate } from '../../../support/certificates.ts'
import { TestEngine } from '../../../support/engine.ts'

let authority: Authority
let other: Authority
let own: Certificate
let client: Certificate
let engine: TestEngine | null = null
let socket: TLSSocket | null = null

beforeAll(async () => {
  ;[authority, other] = await Promise.all([Authority.create('Clients'), Authority.create('Others')])
  ;[own, client] = await Promise.all([authority.issue('a.test'), authority.issue('client')])
})
afterAll(() => Promise.all([authority.remove(), other.remove()]))
afterEach(async () => {
  socket?.destroy()
  await engine?.stop()
})

function conf(...servers: string[]): string {
  const blocks = servers.map(
    (text) => `server { listen 127.0.0.1:%PORT% ssl; ssl_verify_client on; return 200 in; ${text} }`,
  )
  const files = `ssl_certificate ${own.certFile}; ssl_certificate_key ${own.keyFile};`
  return `events {} http { access_log off; ${files} ${blocks.join(' ')} }`
}

const trusts = ({ certFile }: Authority, name: string) =>
  `server_name ${name}; ssl_client_certificate ${certFile};`

async function ask(host: string): Promise<string> {
  socket!.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
  const [bytes] = (await once(socket!, 'data')) as [Buffer]
  return bytes.toString('latin1').slice(0, 12)
}

it('the server of the handshake is gone: its clients are not those of another one', async () => {
  engine = await TestEngine.start(conf(trusts(other, 'strict.test'), trusts(authority, 'a.test')))
  const { cert, key } = client
  socket = connect({
    port: engine.port,
    host: '127.0.0.1',
    servername: 'a.test',
    ca: authority.cert,
    cert,
    key,
  })
  await once(socket, 'secureConnect')
  expect(await ask('a.test')).toBe('HTTP/1.1 200')
  engine.load(conf(trusts(other, 'strict.test')))
  expect(await ask('strict.test')).toBe('HTTP/1.1 421')
})
