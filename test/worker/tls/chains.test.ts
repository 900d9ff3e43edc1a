// The chain of a peer's certificate, whatever the peer sends in whatever order.

import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { connect, createServer, type TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Chains } from '../../../src/worker/tls/chains.ts'
import { Authority, type Certificate } from '../../support/certificates.ts'

let root: Authority
let other: Authority
let first: Authority
let second: Authority
let leaf: Certificate

beforeAll(async () => {
  ;[root, other] = await Promise.all([Authority.create('Root'), Authority.create('Other')])
  first = await root.intermediate('First')
  second = await first.intermediate('Second')
  leaf = await second.issue('leaf')
})
afterAll(() => Promise.all([root.remove(), other.remove()]))

/** How long the chain is that is found to `trusted` for a client that sends `behind` after its certificate; 0: none. */
async function lengthOf(behind: readonly string[], trusted: readonly string[]): Promise<number> {
  const server = createServer({
    cert: leaf.cert,
    key: leaf.key,
    requestCert: true,
    rejectUnauthorized: false,
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const cert = leaf.cert + behind.join('')
  const client = connect({ port, host: '127.0.0.1', cert, key: leaf.key, rejectUnauthorized: false })
  client.on('error', () => {})
  const [socket] = (await once(server, 'secureConnection')) as [TLSSocket]
  const chain = new Chains(trusted).find(socket.getPeerX509Certificate()!)
  socket.destroy()
  client.destroy()
  server.close()
  return chain?.length ?? 0
}

/** A certificate of another key that says it is `Second`, and that the root has signed it. */
function forged(): string {
  const [key, cert] = [join(root.folder, 'forged.key'), join(root.folder, 'forged.crt')]
  const make = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  execFileSync('openssl', [...make, '-subj', '/CN=Second', '-keyout', key, '-out', cert], { stdio: 'ignore' })
  return readFileSync(cert, 'latin1')
}

describe('the chain of a certificate', () => {
  it.each([
    ['in order', () => [second.cert, first.cert], 4],
    ['in another order', () => [first.cert, second.cert], 4],
    ['with the root', () => [second.cert, first.cert, root.cert], 4],
    ['behind others', () => [other.cert, root.cert, first.cert, second.cert], 4],
    ['several times', () => [second.cert, second.cert, first.cert, first.cert], 4],
    ['behind a forged one', () => [forged(), second.cert, first.cert], 4],
    ['not at all', () => [], 0],
    ['in part', () => [second.cert], 0],
  ])('sent %s is found', async (_what, behind, length) => {
    expect(await lengthOf(behind(), [root.cert])).toBe(length)
  })

  it('leads through authorities that are trusted, which need not be sent', async () => {
    expect(await lengthOf([], [second.cert, first.cert, root.cert])).toBe(4)
    expect(await lengthOf([], [second.cert, root.cert])).toBe(0)
  })

  it('leads to no root that is not trusted', async () => {
    expect(await lengthOf([second.cert, first.cert, root.cert], [other.cert])).toBe(0)
    // As OpenSSL has it without partial chains: an intermediate is no root.
    expect(await lengthOf([second.cert], [first.cert])).toBe(0)
  })

  it('is not looked for without end', async () => {
    const many = Array.from({ length: 30 }, forged)
    expect(
      await lengthOf([...many, second.cert, first.cert], [root.cert, ...Array.from({ length: 5 }, forged)]),
    ).toBe(0)
  })
})
