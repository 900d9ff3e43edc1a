import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { type ChoiceRules, chosenCertificate } from '../../../src/worker/tls/certificate-choice.ts'
import type { ClientHello } from '../../../src/worker/tls/client-hello.ts'

/** All that is looked at of a certificate is its key. */
function certificate(type: 'rsa' | 'ec' | 'ed25519', curve = 'prime256v1'): X509Certificate {
  const options = { modulusLength: 2048, namedCurve: curve }
  const { publicKey } =
    type === 'rsa'
      ? generateKeyPairSync('rsa', options)
      : type === 'ec'
        ? generateKeyPairSync('ec', options)
        : generateKeyPairSync('ed25519')
  return Object.create(X509Certificate.prototype, { publicKey: { value: publicKey } }) as X509Certificate
}

const rsa = certificate('rsa')
const p256 = certificate('ec')
const p384 = certificate('ec', 'secp384r1')
const RSA_PSS = 0x0804
const RSA = 0x0401
const P256 = 0x0403
const P384 = 0x0503
const ECDHE_RSA = 0xc02f
const ECDHE_ECDSA = 0xc02b

const hello = (version: number, signatures: number[], ciphers = [ECDHE_RSA, ECDHE_ECDSA]): ClientHello => ({
  serverName: '',
  alpn: [],
  version,
  sessionId: Buffer.alloc(0),
  ciphers,
  groups: [],
  signatures,
  identities: [],
  asksStatus: true,
  takesTickets: true,
})
const choose = (client: ClientHello, certificates: X509Certificate[], more: Partial<ChoiceRules> = {}) =>
  chosenCertificate(client, { certificates, newest: 0x0304, serverOrder: false, limited: false, ...more })

describe('the certificate for a client', () => {
  it('is the only one there is, or none', () => {
    expect(choose(hello(0x0303, []), [rsa])).toBe(0)
    expect(choose(hello(0x0304, [P256]), [])).toBe(-1)
  })

  it.each([
    [[P256, RSA_PSS], 1],
    [[RSA_PSS, P256], 0],
    [[RSA, P384, P256], 1],
    [[P384], -1],
    [[], -1],
  ])('from TLS 1.3 on goes by the order of its signature algorithms %j', (signatures, index) => {
    expect(choose(hello(0x0304, signatures), [rsa, p256])).toBe(index)
  })

  it('goes by the order of the server where that counts', () => {
    expect(choose(hello(0x0304, [RSA_PSS, P384, P256]), [rsa, p384, p256], { serverOrder: true })).toBe(2)
  })

  it.each([
    [[ECDHE_RSA], 0],
    [[ECDHE_ECDSA, 0x00ff], 1],
    [[0x1301, ECDHE_ECDSA], 1],
    [[0x009c], 0],
    [[ECDHE_RSA, ECDHE_ECDSA], -1],
  ])('before that is certain where the ciphers %j leave one', (ciphers, index) => {
    expect(choose(hello(0x0303, [P256, RSA_PSS], ciphers), [rsa, p256])).toBe(index)
    expect(choose(hello(0x0304, [P256, RSA_PSS], ciphers), [rsa, p256], { newest: 0x0303 })).toBe(index)
  })

  it('is not foreseen where the server does not take all algorithms', () => {
    expect(choose(hello(0x0304, [P256]), [rsa, p256], { limited: true })).toBe(-1)
    expect(choose(hello(0x0304, [P256]), [rsa], { limited: true })).toBe(0)
  })
})
