// The contexts that connections to backends are made in: what the directives say, in the form of Node's options. One for
// all places of a configuration that say the same, and made where it is checked, so that what is wrong shows at `-t`.

import { constants } from 'node:crypto'
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls'
import type { BuildContext } from '../../../shared/conf/build.ts'
import type { ContextChanges } from '../../tls/conf-command.ts'
import { type Credentials, credentialsFailure } from '../../tls/credentials.ts'
import { opensslText } from '../../tls/openssl-error.ts'
import { certificatesIn, revocationsIn } from '../../tls/pem.ts'
import { PROTOCOLS, protocolOptions } from '../../tls/protocols.ts'
import type { TlsValues } from './commands.ts'

/** As nginx, which sets both for everybody. */
const ALWAYS = constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_COMPRESSION

/** Everything of a context but the certificate it shows. */
export type ContextOptions = Readonly<SecureContextOptions>

/** The certificates that backends' are checked against; [] where none are. */
export function trustedCertificates(values: TlsValues, context: BuildContext): string[] {
  if (!values.verify || !values.trustedCertificate) return []
  return certificatesIn(values.trustedCertificate, context)
}

/** Options for `values`. Throws a ConfError for what cannot be. */
export function contextOptions(values: TlsValues, prefix: string, context: BuildContext): ContextOptions {
  const changes: ContextChanges = { set: 0 }
  for (const command of values.confCommand) command.apply(changes)
  let mask = values.protocols
  for (const [name, on] of changes.protocols ?? []) {
    mask = on ? mask | PROTOCOLS[name]! : mask & ~PROTOCOLS[name]!
  }
  if (mask === 0) context.error(`"${prefix}_ssl_conf_command" leaves no protocol to use`)
  const { minVersion, maxVersion, options } = protocolOptions(mask)
  const { ciphers = values.ciphers, suites, groups, sigalgs } = changes
  // OpenSSL passes over those of TLS 1.3 here; Node would take them for all there are.
  const older = ciphers.split(':').filter((name) => name !== '' && !/^!?TLS_/.test(name))
  if (older.length === 0) {
    const error = 'SSL: error:0A0000B9:SSL routines::no cipher match'
    context.error(`SSL_CTX_set_cipher_list("${ciphers}") failed (${error})`, null)
  }
  return {
    // An empty list: without one Node would trust, and read, all the authorities it knows.
    ca: trustedCertificates(values, context),
    ...(values.verify && values.crl ? { crl: revocationsIn(values.crl, context) } : {}),
    ciphers: [...(suites === undefined ? [] : [suites]), ...older].join(':'),
    minVersion: changes.minVersion ?? minVersion,
    maxVersion: changes.maxVersion ?? maxVersion,
    secureOptions: ALWAYS | options | changes.set,
    ecdhCurve: groups ?? 'auto',
    ...(sigalgs === undefined ? {} : { sigalgs }),
  }
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

/** Makes a context without a certificate, to find out what is wrong with everything else. */
export function checkOptions(options: ContextOptions, values: TlsValues, context: BuildContext): void {
  const attempts: [string, SecureContextOptions][] = [
    [`SSL_CTX_set_cipher_list("${values.ciphers}")`, { ciphers: options.ciphers! }],
    [`SSL_CTX_set1_curves_list("${options.ecdhCurve}")`, { ecdhCurve: options.ecdhCurve! }],
    ['SSL_CTX_set1_sigalgs_list()', options.sigalgs === undefined ? {} : { sigalgs: options.sigalgs }],
    [`failed to load "${values.crl}":`, options.crl === undefined ? {} : { crl: options.crl }],
    [`failed to load "${values.trustedCertificate}":`, { ca: options.ca! }],
  ]
  try {
    createSecureContext(options)
  } catch (whole) {
    for (const [what, part] of attempts) {
      try {
        createSecureContext({ ca: [], ...part })
      } catch (error) {
        context.error(`${what} failed (${opensslText(error as Error) ?? (error as Error).message})`, null)
      }
    }
    context.error(opensslText(whole as Error) ?? (whole as Error).message, null)
  }
}
