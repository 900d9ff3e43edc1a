// Signature algorithms of TLS by OpenSSL's names, for $ssl_sigalgs and $ssl_sigalg.

import type { X509Certificate } from 'node:crypto'

const NAMES = new Map<number, string>([
  [0x0403, 'ecdsa_secp256r1_sha256'],
  [0x0503, 'ecdsa_secp384r1_sha384'],
  [0x0603, 'ecdsa_secp521r1_sha512'],
  [0x0807, 'ed25519'],
  [0x0808, 'ed448'],
  [0x0303, 'ecdsa_sha224'],
  [0x0203, 'ecdsa_sha1'],
  [0x081a, 'ecdsa_brainpoolP256r1_sha256'],
  [0x081b, 'ecdsa_brainpoolP384r1_sha384'],
  [0x081c, 'ecdsa_brainpoolP512r1_sha512'],
  [0x0804, 'rsa_pss_rsae_sha256'],
  [0x0805, 'rsa_pss_rsae_sha384'],
  [0x0806, 'rsa_pss_rsae_sha512'],
  [0x0809, 'rsa_pss_pss_sha256'],
  [0x080a, 'rsa_pss_pss_sha384'],
  [0x080b, 'rsa_pss_pss_sha512'],
  [0x0401, 'rsa_pkcs1_sha256'],
  [0x0501, 'rsa_pkcs1_sha384'],
  [0x0601, 'rsa_pkcs1_sha512'],
  [0x0301, 'rsa_pkcs1_sha224'],
  [0x0201, 'rsa_pkcs1_sha1'],
  [0x0402, 'dsa_sha256'],
  [0x0502, 'dsa_sha384'],
  [0x0602, 'dsa_sha512'],
  [0x0302, 'dsa_sha224'],
  [0x0202, 'dsa_sha1'],
  [0x0904, 'mldsa44'],
  [0x0905, 'mldsa65'],
  [0x0906, 'mldsa87'],
])

/** The algorithm's name, or its number as `0x0403` where OpenSSL has none. */
export function signatureName(number: number): string {
  return NAMES.get(number) ?? `0x${number.toString(16).padStart(4, '0')}`
}

const CURVES: Readonly<Record<string, string>> = {
  prime256v1: 'ecdsa_secp256r1_sha256',
  secp384r1: 'ecdsa_secp384r1_sha384',
  secp521r1: 'ecdsa_secp521r1_sha512',
}
const CURVES_BY_HASH: Readonly<Record<string, string>> = {
  SHA256: 'ecdsa_secp256r1_sha256',
  SHA384: 'ecdsa_secp384r1_sha384',
  SHA512: 'ecdsa_secp521r1_sha512',
}

/**
 * What a server has signed its part of the handshake with: as OpenSSL chooses, the first algorithm of `shared` (as Node
 * writes them, `RSA-PSS+SHA256`) that is one for the key of its `certificate`; '' where there is none.
 */
export function signatureOf(
  certificate: X509Certificate,
  shared: readonly string[],
  protocol: string,
): string {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = certificate.publicKey
  if (type === 'ed25519' || type === 'ed448') return type
  const tls13 = protocol === 'TLSv1.3'
  for (const algorithm of shared) {
    const [kind = '', hash = ''] = algorithm.split('+')
    const lower = hash.toLowerCase()
    if (type === 'ec' && kind === 'ECDSA') {
      // From 1.3 on the curve belongs to the algorithm.
      const name = CURVES_BY_HASH[hash] ?? `ecdsa_${lower}`
      if (!tls13 || name === CURVES[details?.namedCurve ?? '']) return name
    } else if (type === 'rsa' && kind === 'RSA-PSS') return `rsa_pss_rsae_${lower}`
    else if (type === 'rsa-pss' && kind === 'RSA-PSS') return `rsa_pss_pss_${lower}`
    else if (type === 'rsa' && kind === 'RSA' && !tls13) return `rsa_pkcs1_${lower}`
  }
  return ''
}
