// Which of a server's certificates OpenSSL will choose for a client, as far as that can be told from its ClientHello: the
// OCSP response that is stapled has to be the one for it. Node has to be given that before it chooses.

import type { X509Certificate } from 'node:crypto'
import type { ClientHello } from './client-hello.ts'
import { cipherName } from './names/ciphers.ts'

const TLS13 = 0x0304

/** What the choice depends on, beside the client. */
export interface ChoiceRules {
  readonly certificates: readonly X509Certificate[]
  /** The newest protocol the server speaks, as in records. */
  readonly newest: number
  /** The server's order counts, not the client's. */
  readonly serverOrder: boolean
  /** The server does not sign with all algorithms that it could. */
  readonly limited: boolean
}

/** By signature algorithm: the kind of key that signs with it from TLS 1.3 on, in OpenSSL's own order. */
const KINDS = new Map<number, string>([
  [0x0403, 'prime256v1'],
  [0x0503, 'secp384r1'],
  [0x0603, 'secp521r1'],
  [0x0807, 'ed25519'],
  [0x0808, 'ed448'],
  [0x0809, 'rsa-pss'],
  [0x080a, 'rsa-pss'],
  [0x080b, 'rsa-pss'],
  [0x0804, 'rsa'],
  [0x0805, 'rsa'],
  [0x0806, 'rsa'],
])

/** Index of the certificate for a client that said `hello`; -1: that cannot be told. */
export function chosenCertificate(hello: ClientHello, rules: ChoiceRules): number {
  const { certificates, newest, serverOrder, limited } = rules
  if (certificates.length < 2) return certificates.length - 1
  if (limited) return -1
  const kinds = certificates.map(kindOf)
  if (Math.min(hello.version, newest) < TLS13) return onlyPossible(hello, kinds)
  const order = serverOrder
    ? [...KINDS.keys()].filter((algorithm) => hello.signatures.includes(algorithm))
    : hello.signatures
  for (const algorithm of order) {
    const index = kinds.indexOf(KINDS.get(algorithm) ?? '')
    if (index >= 0) return index
  }
  return -1
}

/** Before TLS 1.3 the ciphers decide, of which the server may have taken some away: it is certain where one will do. */
function onlyPossible(hello: ClientHello, kinds: readonly string[]): number {
  const names = hello.ciphers.map(cipherName)
  const ecdsa = names.some((name) => name.includes('ECDSA'))
  const rsa = names.some((name) => !/ECDSA|DSS|PSK|ADH|AECDH|SCSV|^0x|^TLS_/.test(name))
  const possible = kinds.map((kind) => (kind.startsWith('rsa') ? rsa : ecdsa))
  return possible.filter(Boolean).length === 1 ? possible.indexOf(true) : -1
}

/** The curve of an elliptic key, else the algorithm. */
function kindOf({ publicKey }: X509Certificate): string {
  return publicKey.asymmetricKeyDetails?.namedCurve ?? publicKey.asymmetricKeyType ?? ''
}
