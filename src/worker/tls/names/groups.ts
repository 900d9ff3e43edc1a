// Groups of key exchanges by OpenSSL's names, for $ssl_curve and $ssl_curves: clients offer numbers of IANA's registry.

/** From 1 on. */
const CURVES =
  `sect163k1 sect163r1 sect163r2 sect193r1 sect193r2 sect233k1 sect233r1 sect239k1 sect283k1 sect283r1
  sect409k1 sect409r1 sect571k1 sect571r1 secp160k1 secp160r1 secp160r2 secp192k1 prime192v1 secp224k1 secp224r1
  secp256k1 prime256v1 secp384r1 secp521r1 brainpoolP256r1 brainpoolP384r1 brainpoolP512r1 X25519 X448
  brainpoolP256r1tls13 brainpoolP384r1tls13 brainpoolP512r1tls13
  id-tc26-gost-3410-2012-256-paramSetA id-tc26-gost-3410-2012-256-paramSetB id-tc26-gost-3410-2012-256-paramSetC
  id-tc26-gost-3410-2012-256-paramSetD id-tc26-gost-3410-2012-512-paramSetA id-tc26-gost-3410-2012-512-paramSetB
  id-tc26-gost-3410-2012-512-paramSetC`.split(/\s+/)
/** From 256 on. */
const FIELDS = ['ffdhe2048', 'ffdhe3072', 'ffdhe4096', 'ffdhe6144', 'ffdhe8192']

/** The group's name; as in nginx its number as `0x11ec` where OpenSSL has none, as for the hybrids with ML-KEM. */
export function groupName(number: number): string {
  const name = number < 256 ? CURVES[number - 1] : FIELDS[number - 256]
  return name ?? `0x${number.toString(16).padStart(4, '0')}`
}
