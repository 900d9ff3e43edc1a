// Settings of a server's TLS -> its ServerTls: certificates are loaded, what Node cannot do and what OpenSSL does not
// take is told in nginx's words.

import { constants, X509Certificate } from 'node:crypto'
import type { SecureContextOptions } from 'node:tls'
import type { BuildContext, Scope } from '../../../shared/conf/build.ts'
import { openFailure } from '../../../shared/conf/file-error.ts'
import { type Attempt, checkOptions, commonOptions } from '../../tls/context-options.ts'
import { type Credentials, CredentialsError, loadCredentials } from '../../tls/credentials.ts'
import { CredentialsCache } from '../../tls/credentials-cache.ts'
import { CERTIFICATES } from '../../tls/pem.ts'
import { type NamesReader, ServerTls } from '../../tls/server-tls.ts'
import { ServerStaples } from '../../tls/stapling.ts'
import { sharedKeys, TICKET_ZONE, TICKET_ZONE_SIZE } from '../../tls/ticket-keys.ts'
import type { ClientTrust } from '../../tls/trust.ts'
import { sessionPolicy } from './session-cache.ts'
import type { HandshakeRequest, NamedFile, SslConf } from './ssl.ts'
import { staplesOf } from './staples.ts'
import { clientTrust } from './verify-client.ts'

/** OpenSSL's, with which TLS 1.3 begins where nothing else is said. */
const SUITES = 'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256'
const TLS13 = 0x0304

/** The TLS of a server; null: it has no certificate, and does not reject handshakes either. Throws a ConfError. */
export function makeServerTls(
  conf: SslConf,
  scope: Scope,
  context: BuildContext,
): ServerTls<HandshakeRequest> | null {
  const { sslCertificate: certs = [], sslCertificateKey: keys = [], sslRejectHandshake } = conf
  if (certs.length === 0 && !sslRejectHandshake) return null
  if (keys.length < certs.length) {
    const [name] = certs.at(-1)!.directive.args
    context.error(`no "ssl_certificate_key" is defined for certificate "${name}"`, null)
  }
  const options = contextOptions(conf, context)
  checkOptions(options, attempts(options, conf), context)
  const passwords = conf.sslPasswordFile?.list ?? []
  const dynamic = [...certs, ...keys].some(({ value }) => value.constant === null)
  try {
    const credentials = dynamic ? [] : loadAll(certs, keys, passwords, context)
    const trust = clientTrust(scope, context)
    // `ssl_conf_command Options` may have taken them away.
    const tickets = conf.sslSessionTickets && !(options.secureOptions! & constants.SSL_OP_NO_TICKET)
    const policy = sessionPolicy(tickets, conf.sslSessionTimeout, scope, context)
    const newest = options.maxVersion === 'TLSv1.3' ? TLS13 : 0
    const ticketKeys =
      conf.sslSessionTicketKey.length > 0
        ? conf.sslSessionTicketKey
        : [sharedKeys(context.zone(TICKET_ZONE, TICKET_ZONE_SIZE))]
    return new ServerTls({
      options: {
        ...options,
        ...(policy.tickets ? { ticketKeys: ticketKeys[0]! } : {}),
        secureOptions: options.secureOptions! | (policy.tickets ? 0 : constants.SSL_OP_NO_TICKET),
      },
      ticketKeys,
      credentials,
      names: dynamic ? certs.map((cert, index) => namesReader(cert, keys[index]!)) : null,
      passwords,
      confPrefix: context.options.confPrefix,
      cache: conf.sslCertificateCache === false ? null : new CredentialsCache(conf.sslCertificateCache),
      ...{ trust, newest, ...policy },
      staples: serverStaples(credentials, trust, { options, newest, scope, context }),
    })
  } catch (error) {
    if (error instanceof CredentialsError) context.error(error.message, null)
    throw error
  }
}

interface StaplesPlace {
  options: SecureContextOptions
  newest: number
  scope: Scope
  context: BuildContext
}

function serverStaples(
  credentials: readonly Credentials[],
  { named, unnamed }: ClientTrust,
  { options, newest, scope, context }: StaplesPlace,
): ServerStaples | null {
  const certificates = credentials.map(({ certName, cert }) => {
    const [own, ...chain] = (cert.match(CERTIFICATES) ?? []).map((text) => new X509Certificate(text))
    return { name: certName, certificate: own!, chain }
  })
  const sources = staplesOf(scope, certificates, [...named, ...unnamed], context)
  if (sources === null || sources.every((source) => source === null)) return null
  const own = certificates.map(({ certificate }) => certificate)
  const { honorCipherOrder: serverOrder = false, sigalgs } = options
  return new ServerStaples(sources, {
    certificates: own,
    newest,
    serverOrder,
    limited: sigalgs !== undefined,
  })
}

function loadAll(
  certs: readonly NamedFile[],
  keys: readonly NamedFile[],
  passwords: readonly string[],
  context: BuildContext,
): Credentials[] {
  return certs.map((cert, index) => {
    const name = absolute(cert.value.constant!, context)
    const key = absolute(keys[index]!.value.constant!, context)
    return loadCredentials(name, key, passwords, (path) => context.fileContent(path))
  })
}

/** Names of what is not in a file stay as they are. */
function absolute(name: string, context: BuildContext): string {
  return /^(data|engine|store):/.test(name) ? name : context.confPath(name)
}

function namesReader(cert: NamedFile, key: NamedFile): NamesReader<HandshakeRequest> {
  return (request) => {
    const r = request()
    return { cert: cert.value.evaluate(r), key: key.value.evaluate(r) }
  }
}

/** Everything of a context but certificates and the keys of tickets. */
function contextOptions(conf: SslConf, context: BuildContext): SecureContextOptions {
  const settings = {
    protocols: conf.sslProtocols,
    ciphers: conf.sslCiphers,
    suites: SUITES,
    groups: conf.sslEcdhCurve,
    commands: conf.sslConfCommand,
    blamed: 'ssl_protocols',
  }
  return {
    // An empty list: without one Node would read all the authorities it knows.
    ca: [],
    ...commonOptions(settings, context),
    honorCipherOrder: conf.sslPreferServerCiphers,
    sessionTimeout: Math.round(conf.sslSessionTimeout / 1000),
    ...(conf.sslDhparam ? { dhparam: dhparam(conf.sslDhparam, context) } : {}),
    ...(conf.sslCertificateCompression ? { certificateCompression: ['zlib', 'brotli', 'zstd'] } : {}),
  }
}

function dhparam(path: string, context: BuildContext): string {
  let text: string
  try {
    text = context.fileContent(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).errno === undefined) throw error
    return context.error(`BIO_new_file("${path}") failed (${openFailure(path, error)})`, null)
  }
  if (/-----BEGIN (X9\.42 )?DH PARAMETERS-----/.test(text)) return text
  const reason = 'SSL: error:0480006C:PEM routines::no start line:Expecting: DH PARAMETERS'
  return context.error(`PEM_read_bio_DHparams("${path}") failed (${reason})`, null)
}

/** What each part of the options is to nginx. */
function attempts(options: SecureContextOptions, conf: SslConf): Attempt[] {
  const { ciphers, ecdhCurve, dhparam: parameters, sigalgs } = options
  return [
    [`SSL_CTX_set_cipher_list("${conf.sslCiphers}")`, { ciphers: ciphers! }],
    [`SSL_CTX_set1_curves_list("${conf.sslEcdhCurve}")`, { ecdhCurve: ecdhCurve! }],
    ['SSL_CTX_set1_sigalgs_list()', sigalgs === undefined ? {} : { sigalgs }],
    [`PEM_read_bio_DHparams("${conf.sslDhparam}")`, parameters === undefined ? {} : { dhparam: parameters }],
  ]
}
