// `ssl_stapling`: which OCSP responses a configuration wants for the certificates of its servers, and where each comes
// from: a file, or the responder that the certificate or the configuration names, whom the master asks.

import { hash, X509Certificate } from 'node:crypto'
import type { BuildContext, Scope } from '../../../shared/conf/build.ts'
import { HTTP, SERVER } from '../../../shared/conf/command.ts'
import { openFailure } from '../../../shared/conf/file-error.ts'
import { confPath, flag, optional, string } from '../../../shared/conf/setters.ts'
import { children, readDer, SEQUENCE } from '../../../shared/der.ts'
import type { ResolverSettings } from '../../../shared/names/found.ts'
import { defineModule } from '../../http/module.ts'
import type { StapleSource } from '../../tls/stapling.ts'
import { resolverOf } from '../../upstream/resolver-conf.ts'
import { parseUpstreamUrl } from '../../upstream/url.ts'

interface StaplingConf {
  sslStapling: boolean
  /** Absolute path; undefined or '' for none. */
  sslStaplingFile: string | undefined
  sslStaplingResponder: string | undefined
  sslStaplingVerify: boolean
}

/** A certificate of a server as its directive names it, with what is sent behind it. */
export interface ServerCertificate {
  readonly name: string
  readonly certificate: X509Certificate
  readonly chain: readonly X509Certificate[]
}

/** A response that the master has to fetch. */
export interface FetchedStaple extends ServerCertificate {
  readonly key: string
  readonly issuer: X509Certificate
  /** null: any signer will do. */
  readonly trusted: readonly X509Certificate[] | null
  readonly responder: {
    readonly host: string
    readonly ip: string | null
    readonly port: number
    readonly uri: string
  }
  readonly resolver: ResolverSettings
}

const HTTP_PORT = 80
const ENUMERATED = 0x0a
const CONTEXTS = HTTP | SERVER

export const stapling = defineModule<StaplingConf>({
  name: 'ssl_stapling',
  commands: [
    { name: 'ssl_stapling', in: CONTEXTS, args: 1, set: flag(), default: false },
    { name: 'ssl_stapling_file', in: CONTEXTS, args: 1, set: optional(confPath()) },
    { name: 'ssl_stapling_responder', in: CONTEXTS, args: 1, set: string() },
    { name: 'ssl_stapling_verify', in: CONTEXTS, args: 1, set: flag(), default: false },
  ],
})

const fetched = new WeakMap<BuildContext, Map<string, FetchedStaple>>()

/** All responses that a configuration wants fetched. */
export function fetchedStaples(context: BuildContext): FetchedStaple[] {
  return [...(fetched.get(context)?.values() ?? [])]
}

/**
 * Where the responses for each of a server's certificates come from; null: there is none for it, or none at all.
 * `authorities`: certificates (PEM) of `ssl_trusted_certificate` and the like. Warns of what keeps it from stapling.
 */
export function staplesOf(
  scope: Scope,
  certificates: readonly ServerCertificate[],
  authorities: readonly string[],
  context: BuildContext,
): (StapleSource | null)[] | null {
  const conf = scope.conf(stapling)
  if (!conf.sslStapling || certificates.length === 0) return null
  const { sslStaplingFile: file } = conf
  if (file) {
    const response = responseIn(file, context)
    return certificates.map(() => ({ response }))
  }
  const trusted = authorities.map((text) => new X509Certificate(text))
  return certificates.map((certificate) => source(certificate, trusted, conf, scope, context))
}

/** The whole first response in a file, as OpenSSL would write it. */
function responseIn(path: string, context: BuildContext): Buffer {
  let text: string
  try {
    text = context.fileContent(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).errno === undefined) throw error
    return context.error(`BIO_new_file("${path}") failed (${openFailure(path, error)})`, null)
  }
  const bytes = Buffer.from(text, 'latin1')
  const outer = readDer(bytes)
  const status = outer?.tag === SEQUENCE ? children(outer)?.[0] : undefined
  if (outer === null || status?.tag !== ENUMERATED) {
    return context.error(`d2i_OCSP_RESPONSE_bio("${path}") failed`, null)
  }
  return bytes.subarray(0, outer.end)
}

function source(
  own: ServerCertificate,
  trusted: readonly X509Certificate[],
  conf: StaplingConf,
  scope: Scope,
  context: BuildContext,
): StapleSource | null {
  const ignored = (why: string): null => {
    context.warn(`"ssl_stapling" ignored, ${why} "${own.name}"`, null)
    return null
  }
  const issuer = [...own.chain, ...trusted].find((candidate) => own.certificate.checkIssued(candidate))
  if (issuer === undefined) return ignored('issuer certificate not found for certificate')
  const url = conf.sslStaplingResponder || responderOf(own.certificate)
  if (url === null) return ignored('no OCSP responder URL in the certificate')
  if (url.length <= 7 || !/^http:\/\//i.test(url)) {
    return ignored(`invalid URL prefix in OCSP responder "${url}" in the certificate`)
  }
  const parsed = parseUpstreamUrl(url.slice(7), HTTP_PORT, true)
  if ('error' in parsed)
    return ignored(`${parsed.error} in OCSP responder "${url.slice(7)}" in the certificate`)
  if (parsed.path !== null)
    return ignored(`invalid host in OCSP responder "${url.slice(7)}" in the certificate`)
  const judges = conf.sslStaplingVerify ? trusted : null
  const digests = [own.certificate, issuer, ...own.chain, ...(judges ?? [])].map(
    (each) => each.fingerprint256,
  )
  const resolver = resolverOf(scope)
  const parts = [url, String(judges === null), JSON.stringify(resolver), ...digests]
  const key = hash('sha256', parts.join('\n'), 'base64')
  const { host, ip, port, uri } = parsed
  let all = fetched.get(context)
  if (all === undefined) fetched.set(context, (all = new Map()))
  all.set(key, {
    ...own,
    ...{ key, issuer, trusted: judges, resolver },
    responder: { host, ip, port, uri: uri === '' ? '/' : uri },
  })
  return { key }
}

/** The first OCSP responder that the certificate names; null: it names none. */
function responderOf({ infoAccess }: X509Certificate): string | null {
  const text = /^OCSP - URI:(.*)$/m.exec(infoAccess ?? '')?.[1]
  if (text === undefined) return null
  // Node puts quotes around what might be misread.
  return text.startsWith('"') ? String(JSON.parse(text)) : text
}
