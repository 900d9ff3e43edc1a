// What contexts towards clients and towards backends are made of alike: protocols, ciphers and what `ssl_conf_command` and
// its likes change in them; and which of it is at fault where OpenSSL does not take the whole.

import { constants } from 'node:crypto'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import type { BuildContext } from '../../shared/conf/build.ts'
import type { ConfCommand, ContextChanges } from './conf-command.ts'
import { opensslText } from './openssl-error.ts'
import { PROTOCOLS, protocolOptions } from './protocols.ts'

/** As nginx, which sets both for everybody. */
const ALWAYS = constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_COMPRESSION
const SUITE = /^!?TLS_/
const NO_CIPHER = 'SSL: error:0A0000B9:SSL routines::no cipher match'

/** What the directives say. */
export interface ContextSettings {
  /** Bits of PROTOCOLS. */
  readonly protocols: number
  /** OpenSSL's list, for protocols before TLS 1.3. */
  readonly ciphers: string
  /** Ciphers of TLS 1.3 where nothing else is said; '' for OpenSSL's own. */
  readonly suites: string
  /** OpenSSL's list of groups. */
  readonly groups: string
  readonly commands: readonly ConfCommand[]
  /** The directive that leaves no protocol, if none is left. */
  readonly blamed: string
}

/** Everything of a context but certificates, keys and whom it trusts. Throws a ConfError. */
export function commonOptions(settings: ContextSettings, context: BuildContext): SecureContextOptions {
  const changes: ContextChanges = { set: 0 }
  for (const command of settings.commands) command.apply(changes)
  let mask = settings.protocols
  for (const [name, on] of changes.protocols ?? []) {
    mask = on ? mask | PROTOCOLS[name]! : mask & ~PROTOCOLS[name]!
  }
  if (mask === 0) context.error(`"${settings.blamed}" leaves no protocol to use`)
  const { minVersion, maxVersion, options } = protocolOptions(mask)
  const { ciphers = settings.ciphers, suites = settings.suites, groups = settings.groups, sigalgs } = changes
  // OpenSSL passes over those of TLS 1.3 here; Node would take them for all there are.
  const older = ciphers.split(':').filter((name) => name !== '' && !SUITE.test(name))
  if (older.length === 0) context.error(`SSL_CTX_set_cipher_list("${ciphers}") failed (${NO_CIPHER})`, null)
  return {
    ciphers: [...(suites === '' ? [] : [suites]), ...older].join(':'),
    minVersion: changes.minVersion ?? minVersion,
    maxVersion: changes.maxVersion ?? maxVersion,
    secureOptions: ALWAYS | options | changes.set,
    ecdhCurve: groups,
    ...(sigalgs === undefined ? {} : { sigalgs }),
  }
}

/** A call of nginx's, with what it is given: options that OpenSSL may not take. */
export type Attempt = readonly [call: string, options: SecureContextOptions]

/**
 * Makes a context without a certificate, to find out what is wrong with everything else: the first of `attempts` that
 * fails by itself is told of. Throws a ConfError.
 */
export function checkOptions(
  options: SecureContextOptions,
  attempts: readonly Attempt[],
  context: BuildContext,
): void {
  try {
    createSecureContext(options)
  } catch (whole) {
    for (const [call, part] of attempts) {
      try {
        createSecureContext({ ca: [], ...part })
      } catch (error) {
        const reason = part.ecdhCurve === undefined ? reasonOf(error) : groupReason(part.ecdhCurve)
        context.error(`${call} failed (${reason})`, null)
      }
    }
    context.error(reasonOf(whole), null)
  }
}

/** What OpenSSL says of a list of groups that it does not take, which Node keeps to itself. */
function groupReason(groups: string): string {
  const unknown = groups.split(':').find((ecdhCurve) => {
    try {
      createSecureContext({ ca: [], ecdhCurve })
      return false
    } catch {
      return true
    }
  })
  return `SSL: error:0A080106:SSL routines::passed invalid argument:group '${unknown ?? groups}' cannot be set`
}

function reasonOf(error: unknown): string {
  return opensslText(error as Error) ?? (error as Error).message
}
