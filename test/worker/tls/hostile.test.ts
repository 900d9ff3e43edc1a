// What broken and hostile clients send inside of TLS: nobody has to look into it, so the error log has it as nginx does,
// with the level of what clients do, and not as `crit`.

import { once } from 'node:events'
import { connect as connectPlain, createServer, type Socket } from 'node:net'
import { connect } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Authority, type Certificate } from '../../support/certificates.ts'
import { TestEngine } from '../../support/engine.ts'
import { eventually } from '../../support/wait.ts'

let authority: Authority
let own: Certificate
let engine: TestEngine
const sockets: Socket[] = []

beforeAll(async () => {
  authority = await Authority.create()
  own = await authority.issue('a.test')
})
afterAll(() => authority.remove())
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await engine.stop()
})

async function start(): Promise<void> {
  engine = await TestEngine.start(`error_log logs/error.log info; events {} http { access_log off;
    server { listen 127.0.0.1:%PORT% ssl; ssl_certificate ${own.certFile}; ssl_certificate_key ${own.keyFile};
      location / { return 200 a; } } }`)
}

function plain(): Socket {
  const socket = connectPlain(engine.port, '127.0.0.1')
  socket.on('error', () => {})
  sockets.push(socket)
  return socket
}

async function logged(text: string): Promise<void> {
  await eventually(text, () => engine.errorLog.includes(text))
  expect(engine.errorLog).not.toContain('[crit]')
}

/** A hello of TLS 1.3 whose only key is one on P-256. */
async function hello(): Promise<Buffer> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const client = connect({ port: address.port, ecdhCurve: 'P-256', minVersion: 'TLSv1.3' })
  client.on('error', () => {})
  const [socket] = (await once(server, 'connection')) as [Socket]
  const [bytes] = (await once(socket, 'data')) as [Buffer]
  client.destroy()
  socket.destroy()
  server.close()
  return bytes
}

describe('levels of what clients do', () => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)('%s, a record that cannot be decrypted: info', async (version) => {
    await start()
    const beneath = plain()
    const socket = connect({ socket: beneath, ca: authority.cert, servername: 'a.test', maxVersion: version })
    socket.on('error', () => {})
    await once(socket, 'secureConnect')
    beneath.write(Buffer.from(`\x17\x03\x03\x00\x20${'z'.repeat(32)}`, 'latin1'))
    // With TLS 1.3 it may come before the end of the handshake.
    await logged('() failed (SSL: error:')
    expect(engine.errorLog).toContain('[info]')
  })

  it('a key that is not on its curve: info', async () => {
    await start()
    const bytes = await hello()
    // The group, the length of the key, and an uncompressed point.
    const key = bytes.indexOf(Buffer.from('00170041', 'hex')) + 4
    expect(key).toBeGreaterThan(3)
    bytes[key + 40]! ^= 0x55
    plain().write(bytes)
    await logged('point is not on curve')
  })
})
