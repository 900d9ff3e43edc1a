// Certificates of clients: whom they are to be of, and what becomes of requests whose client has none, or one that is
// not trusted. The handshake goes through either way, as in nginx: the answer is 400, for which `error_page` may name
// pages as 495 and 496.

import { X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import type { BuildContext, Scope } from '../../../shared/conf/build.ts'
import { HTTP, SERVER } from '../../../shared/conf/command.ts'
import { confPath, number, oneOf, optional } from '../../../shared/conf/setters.ts'
import { defineModule, OK, type Result } from '../../http/module.ts'
import type { Request } from '../../http/request.ts'
import { opensslText } from '../../tls/openssl-error.ts'
import { certificatesIn, revocationsIn } from '../../tls/pem.ts'
import type { TlsSession } from '../../tls/session.ts'
import type { ClientTrust, VerifyClient } from '../../tls/trust.ts'
import { isOptionalError, verifyErrorText } from '../../tls/verify-errors.ts'

interface VerifyConf {
  sslVerifyClient: VerifyClient
  /** Absolute paths; '' or undefined for none. */
  sslClientCertificate: string | undefined
  sslTrustedCertificate: string | undefined
  sslCrl: string | undefined
  sslVerifyDepth: number
}

const CERTIFICATE_ERROR = 495
const NO_CERTIFICATE = 496
const MISDIRECTED = 421

const CONTEXTS = HTTP | SERVER

export const verifyClient = defineModule<VerifyConf>({
  name: 'ssl_verify_client',
  commands: [
    {
      name: 'ssl_verify_client',
      in: CONTEXTS,
      args: 1,
      set: oneOf({ off: 'off', on: 'on', optional: 'optional', optional_no_ca: 'optional_no_ca' }),
      default: 'off',
    },
    { name: 'ssl_client_certificate', in: CONTEXTS, args: 1, set: optional(confPath()) },
    { name: 'ssl_trusted_certificate', in: CONTEXTS, args: 1, set: optional(confPath()) },
    { name: 'ssl_crl', in: CONTEXTS, args: 1, set: optional(confPath()) },
    { name: 'ssl_verify_depth', in: CONTEXTS, args: 1, set: number(), default: 1 },
  ],
  phases: {
    postRead: { when: ({ sslVerifyClient }) => sslVerifyClient !== 'off', run: checkClient },
  },
})

/** Whom a server with certificates of its own trusts. Throws a ConfError for files that cannot be, or are missing. */
export function clientTrust(scope: Scope, context: BuildContext): ClientTrust {
  const conf = scope.conf(verifyClient)
  const { sslVerifyClient: verify, sslClientCertificate, sslTrustedCertificate, sslCrl } = conf
  if (verify !== 'off' && verify !== 'optional_no_ca' && !sslClientCertificate && !sslTrustedCertificate) {
    context.error('no ssl_client_certificate or ssl_trusted_certificate for ssl_verify_client', null)
  }
  return {
    verify,
    named: verify !== 'off' && sslClientCertificate ? authorities(sslClientCertificate, context) : [],
    unnamed: sslTrustedCertificate ? authorities(sslTrustedCertificate, context) : [],
    revocations: sslCrl ? revocations(sslCrl, context) : [],
    depth: conf.sslVerifyDepth,
  }
}

/** What is no certificate shows when it is read, with its file. */
function authorities(path: string, context: BuildContext): string[] {
  const list = certificatesIn(path, context)
  for (const text of list) {
    try {
      new X509Certificate(text)
    } catch (error) {
      context.error(`failed to load "${path}": PEM_read_bio_X509_AUX() failed (${reasonOf(error)})`, null)
    }
  }
  return list
}

function revocations(path: string, context: BuildContext): string[] {
  const crl = revocationsIn(path, context)
  try {
    createSecureContext({ ca: [], crl })
  } catch (error) {
    context.error(`failed to load "${path}": PEM_read_bio_X509_CRL() failed (${reasonOf(error)})`, null)
  }
  return crl
}

function reasonOf(error: unknown): string {
  return opensslText(error as Error) ?? (error as Error).message
}

/** Whether a server asks clients for certificates. */
export function asksForCertificates(scope: Scope): boolean {
  return scope.conf(verifyClient).sslVerifyClient !== 'off'
}

function checkClient(r: Request): Result {
  const { tls } = r.stream.connection
  if (tls === null) return OK
  if (isMisdirected(r, tls)) {
    // As in nginx the answer is that of the server which the handshake was with.
    r.server = tls.server
    r.location = r.server.plan
    tell(r, 'client attempted to request the server name different from the one that was negotiated')
    return MISDIRECTED
  }
  const { sslVerifyClient } = r.conf(verifyClient)
  // Both are read here, while the connection is there to tell: logs may ask for them later.
  const { verifyResult, clientCertificate } = tls
  if (verifyResult !== 0 && (sslVerifyClient !== 'optional_no_ca' || !isOptionalError(verifyResult))) {
    tell(r, `client SSL certificate verify error: (${verifyResult}:${verifyErrorText(verifyResult)})`)
    tls.forget()
    return CERTIFICATE_ERROR
  }
  if (sslVerifyClient === 'on' && clientCertificate === null) {
    tell(r, 'client sent no required SSL certificate')
    tls.forget()
    return NO_CERTIFICATE
  }
  return OK
}

/**
 * The handshake was with a server that SNI named, the request is for another name. As in nginx one without a host is, too:
 * it goes to the default server of the address, whose authorities the client has not been judged by.
 */
function isMisdirected(r: Request, tls: TlsSession): boolean {
  return tls.serverHost !== '' && tls.serverHost !== r.host
}

function tell(r: Request, message: string): void {
  const { doing } = r
  r.doing = 'reading client request headers'
  r.log('info', message)
  r.doing = doing
}
