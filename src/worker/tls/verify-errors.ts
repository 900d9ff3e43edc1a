// Why a certificate is not trusted, in OpenSSL's numbers and words: Node tells it by name.

/** Numbers and texts of X509_V_ERR_... by the name Node has for each. */
const ERRORS: Readonly<Record<string, readonly [number, string]>> = {
  UNABLE_TO_GET_ISSUER_CERT: [2, 'unable to get issuer certificate'],
  UNABLE_TO_GET_CRL: [3, 'unable to get certificate CRL'],
  UNABLE_TO_DECRYPT_CERT_SIGNATURE: [4, "unable to decrypt certificate's signature"],
  UNABLE_TO_DECRYPT_CRL_SIGNATURE: [5, "unable to decrypt CRL's signature"],
  UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY: [6, 'unable to decode issuer public key'],
  CERT_SIGNATURE_FAILURE: [7, 'certificate signature failure'],
  CRL_SIGNATURE_FAILURE: [8, 'CRL signature failure'],
  CERT_NOT_YET_VALID: [9, 'certificate is not yet valid'],
  CERT_HAS_EXPIRED: [10, 'certificate has expired'],
  CRL_NOT_YET_VALID: [11, 'CRL is not yet valid'],
  CRL_HAS_EXPIRED: [12, 'CRL has expired'],
  ERROR_IN_CERT_NOT_BEFORE_FIELD: [13, "format error in certificate's notBefore field"],
  ERROR_IN_CERT_NOT_AFTER_FIELD: [14, "format error in certificate's notAfter field"],
  ERROR_IN_CRL_LAST_UPDATE_FIELD: [15, "format error in CRL's lastUpdate field"],
  ERROR_IN_CRL_NEXT_UPDATE_FIELD: [16, "format error in CRL's nextUpdate field"],
  OUT_OF_MEM: [17, 'out of memory'],
  DEPTH_ZERO_SELF_SIGNED_CERT: [18, 'self-signed certificate'],
  SELF_SIGNED_CERT_IN_CHAIN: [19, 'self-signed certificate in certificate chain'],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: [20, 'unable to get local issuer certificate'],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: [21, 'unable to verify the first certificate'],
  CERT_CHAIN_TOO_LONG: [22, 'certificate chain too long'],
  CERT_REVOKED: [23, 'certificate revoked'],
  PATH_LENGTH_EXCEEDED: [25, 'path length constraint exceeded'],
  INVALID_PURPOSE: [26, 'unsuitable certificate purpose'],
  CERT_UNTRUSTED: [27, 'certificate not trusted'],
  CERT_REJECTED: [28, 'certificate rejected'],
  HOSTNAME_MISMATCH: [62, 'hostname mismatch'],
  INVALID_CA: [79, 'invalid CA certificate'],
}

const UNSPECIFIED = [1, 'unspecified certificate verification error'] as const

/** Number and text of an error that Node calls `name`; those it has no name for are `unspecified`. */
export function verifyError(name: string): { number: number; text: string } {
  const [number, text] = Object.hasOwn(ERRORS, name) ? ERRORS[name]! : UNSPECIFIED
  return { number, text }
}

/** Texts of errors that Node has no name for. */
const OTHERS: Readonly<Record<number, string>> = {
  24: "issuer certificate doesn't have a public key",
  29: 'subject issuer mismatch',
  30: 'authority and subject key identifier mismatch',
  31: 'authority and issuer serial number mismatch',
  32: 'key usage does not include certificate signing',
  33: 'unable to get CRL issuer certificate',
  34: 'unhandled critical extension',
  35: 'key usage does not include CRL signing',
  36: 'unhandled critical CRL extension',
  37: 'invalid non-CA certificate (has CA markings)',
  38: 'proxy path length constraint exceeded',
  39: 'key usage does not include digital signature',
  40: 'proxy certificates not allowed, please set the appropriate flag',
  41: 'invalid or inconsistent certificate extension',
  42: 'invalid or inconsistent certificate policy extension',
  43: 'no explicit policy',
  44: 'different CRL scope',
  45: 'unsupported extension feature',
  46: "RFC 3779 resource not subset of parent's resources",
  47: 'permitted subtree violation',
  48: 'excluded subtree violation',
  49: 'name constraints minimum and maximum not supported',
  50: 'application verification failure',
  51: 'unsupported name constraint type',
  52: 'unsupported or invalid name constraint syntax',
  53: 'unsupported or invalid name syntax',
  54: 'CRL path validation error',
  55: 'path loop',
  66: 'EE certificate key too weak',
  67: 'CA certificate key too weak',
  68: 'CA signature digest algorithm too weak',
  69: 'invalid certificate verification context',
  70: 'issuer certificate lookup error',
  72: 'proxy subject name violation',
  76: 'Cannot find certificate signature algorithm',
  77: 'subject signature algorithm and issuer public key algorithm mismatch',
  78: 'cert info signature and signature algorithm mismatch',
  80: 'Path length invalid for non-CA cert',
  81: 'Path length given without key usage keyCertSign',
  82: 'Key usage keyCertSign invalid for non-CA cert',
  94: 'Certificate public key has explicit ECC parameters',
}

const TEXTS = new Map<number, string>([
  ...Object.values(ERRORS),
  ...Object.entries(OTHERS).map(([number, text]): [number, string] => [Number(number), text]),
  UNSPECIFIED,
])

/** OpenSSL's text for the error of this number. */
export function verifyErrorText(number: number): string {
  return TEXTS.get(number) ?? 'unknown certificate verification error'
}

/** Nobody who is trusted vouches for the certificate: what `ssl_verify_client optional_no_ca` does not mind. */
const UNTRUSTED = new Set([18, 19, 20, 21, 27])

/** Whether the error is one of those that `optional_no_ca` lets pass. */
export function isOptionalError(number: number): boolean {
  return UNTRUSTED.has(number)
}
