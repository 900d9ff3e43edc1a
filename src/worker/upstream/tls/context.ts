// The contexts that connections to backends are made in: what the directives say, in the form of Node's options. One for
// all places of a configuration that say the same, and made where it is checked, so that what is wrong shows at `-t`.

import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls'
import type { BuildContext } from '../../../shared/conf/build.ts'
import { type Attempt, checkOptions, commonOptions } from '../../tls/context-options.ts'
import { type Credentials, credentialsFailure } from '../../tls/credentials.ts'
import { certificatesIn, revocationsIn } from '../../tls/pem.ts'
import type { TlsValues } from './commands.ts'

/** Everything of a context but the certificate it shows. */
export type ContextOptions = Readonly<SecureContextOptions>

/** The certificates that backends' are checked against; [] where none are. */
export function trustedCertificates(values: TlsValues, context: BuildContext): string[] {
  if (!values.verify || !values.trustedCertificate) return []
  return certificatesIn(values.trustedCertificate, context)
}

/** Options for `values`. Throws a ConfError for what cannot be. */
export function contextOptions(values: TlsValues, prefix: string, context: BuildContext): ContextOptions {
  const settings = {
    ...{ protocols: values.protocols, ciphers: values.ciphers, commands: values.confCommand },
    ...{ suites: '', groups: 'auto', blamed: `${prefix}_ssl_conf_command` },
  }
  const options = {
    // An empty list: without one Node would trust, and read, all the authorities it knows.
    ca: trustedCertificates(values, context),
    ...(values.verify && values.crl ? { crl: revocationsIn(values.crl, context) } : {}),
    ...commonOptions(settings, context),
  }
  checkOptions(options, attempts(options, values), context)
  return options
}

/** What each part of the options is to nginx. */
function attempts(options: ContextOptions, values: TlsValues): Attempt[] {
  const { ca, ciphers, crl, ecdhCurve, sigalgs } = options
  return [
    [`SSL_CTX_set_cipher_list("${values.ciphers}")`, { ciphers: ciphers! }],
    [`SSL_CTX_set1_curves_list("${ecdhCurve}")`, { ecdhCurve: ecdhCurve! }],
    ['SSL_CTX_set1_sigalgs_list()', sigalgs === undefined ? {} : { sigalgs }],
    [`failed to load "${values.crl}":`, crl === undefined ? {} : { crl }],
    [`failed to load "${values.trustedCertificate}":`, { ca: ca! }],
  ]
}

/** A context that shows `credentials`, or no certificate. Throws a CredentialsError for one that cannot be. */
export function makeContext(options: ContextOptions, credentials: Credentials | null): SecureContext {
  if (credentials === null) return createSecureContext(options)
  const { cert, key, passphrase } = credentials
  try {
    return createSecureContext({
      ...options,
      cert,
      key,
      ...(passphrase === undefined ? {} : { passphrase }),
    })
  } catch (error) {
    throw credentialsFailure(credentials, error)
  }
}
