// TLS towards the backends of one place of the configuration: `upstreamTls` settles what it can when the configuration is
// built, and gives each request the client (client.ts) that its connections are made with.

import type { SecureContext } from 'node:tls'
import type { BuildContext } from '../../../shared/conf/build.ts'
import { utf8 } from '../../../shared/latin1.ts'
import type { ComplexValue } from '../../http/complex-value.ts'
import type { Request } from '../../http/request.ts'
import { logFile } from '../../modules/log/log-file.ts'
import { Chains } from '../../tls/chains.ts'
import {
  type Credentials,
  CredentialsError,
  loadCredentials,
  type ReadFile,
  readNow,
} from '../../tls/credentials.ts'
import { CredentialsCache } from '../../tls/credentials-cache.ts'
import { opensslText } from '../../tls/openssl-error.ts'
import { TlsClient, type TlsClientOptions, type Verification } from './client.ts'
import { directiveName, type TlsValues, tlsValues, writtenAs } from './commands.ts'
import { type ContextOptions, contextOptions, makeContext, trustedCertificates } from './context.ts'
import { serverNameOf, withoutPort } from './names.ts'

/** Clients for names and certificates that requests gave, kept at a time. */
const MOST_CLIENTS = 256
/** Longest name that SNI can carry. */
const LONGEST_NAME = 255

/** TLS as one set of directives has it; made by `upstreamTls`. */
export class UpstreamTls {
  readonly #values: TlsValues
  readonly #options: ContextOptions
  readonly #client: Omit<TlsClientOptions, 'context' | 'name' | 'serverName'>
  readonly #confPrefix: string
  /** Of the configuration; null: none, or only a request tells. */
  readonly #credentials: Credentials | null
  readonly #cache: CredentialsCache | null
  /** The one without certificate, or with the configuration's. */
  readonly #context: SecureContext
  /** By name and certificate, least recently used first. */
  readonly #clients = new Map<string, TlsClient>()

  constructor(values: TlsValues, prefix: string, alpn: readonly string[], context: BuildContext) {
    this.#values = values
    this.#options = contextOptions(values, prefix, context)
    this.#client = {
      verification: values.verify ? verificationOf(values, context) : null,
      alpn,
      sessionReuse: values.sessionReuse,
      keyLog: values.keyLog === undefined ? null : logFile(values.keyLog),
    }
    this.#confPrefix = context.options.confPrefix
    this.#cache = values.certificateCache === false ? null : new CredentialsCache(values.certificateCache)
    this.#credentials = constantCredentials(values, context)
    try {
      this.#context = makeContext(this.#options, this.#credentials)
    } catch (error) {
      if (error instanceof CredentialsError) context.error(error.message, null)
      throw error
    }
  }

  /** The name and the certificate do not depend on the request. */
  get isConstant(): boolean {
    const { name, certificate, certificateKey } = this.#values
    return [name, certificate, certificateKey].every(
      (value) => value === undefined || value.constant !== null,
    )
  }

  /** The client for an upstream called `host`, where `isConstant`. */
  fixed(host: string): TlsClient {
    return this.#clientFor(this.#values.name?.constant ?? host, '', this.#context)
  }

  /** The client for `r`, which goes to `host`; null: there is none, which is logged. */
  find(r: Request, host: string): TlsClient | null {
    const name = this.#values.name?.evaluate(r) ?? host
    if (withoutPort(name).length > LONGEST_NAME || name.includes('\0')) {
      r.log('error', 'SSL_set_tlsext_host_name() failed: the name is none')
      return null
    }
    const { certificate, certificateKey } = this.#values
    const evaluated = certificate !== undefined && this.#credentials === null
    const certName = evaluated ? certificate.evaluate(r) : ''
    if (certName === '') return this.#clientFor(name, '', this.#context)
    try {
      return this.#withCredentials(name, this.#load(certName, certificateKey!.evaluate(r)))
    } catch (error) {
      if (!(error instanceof CredentialsError)) throw error
      // Here it is for one connection.
      r.log('error', error.message.replace(/^SSL_CTX_use_/, 'SSL_use_'))
      return null
    }
  }

  #load(certName: string, keyName: string): Credentials {
    const [cert, key] = [certName, keyName].map((name) => fullName(name, this.#confPrefix)) as [
      string,
      string,
    ]
    const load = (read: ReadFile) => loadCredentials(cert, key, this.#values.passwordFile?.list ?? [], read)
    return this.#cache === null ? load(readNow) : this.#cache.get(cert, key, load)
  }

  #withCredentials(name: string, credentials: Credentials): TlsClient {
    const identity = JSON.stringify([credentials.cert, credentials.key])
    const known = this.#known(name, identity)
    return known ?? this.#clientFor(name, identity, makeContext(this.#options, credentials))
  }

  #known(name: string, identity: string): TlsClient | undefined {
    const key = `${withoutPort(name)}\n${identity}`
    const known = this.#clients.get(key)
    if (known === undefined) return undefined
    this.#clients.delete(key)
    this.#clients.set(key, known)
    return known
  }

  #clientFor(written: string, identity: string, context: SecureContext): TlsClient {
    const known = this.#known(written, identity)
    if (known !== undefined) return known
    // Names are bytes here, and text in Node.
    const name = utf8(withoutPort(written))
    const serverName = this.#values.serverName ? serverNameOf(name) : ''
    const client = new TlsClient({ ...this.#client, context, name, serverName })
    this.#clients.set(`${withoutPort(written)}\n${identity}`, client)
    if (this.#clients.size > MOST_CLIENTS) this.#clients.delete(this.#clients.keys().next().value!)
    return client
  }
}

/** What places of one configuration share, by what they say. */
const shared = new WeakMap<BuildContext, Map<string, UpstreamTls>>()

/**
 * TLS as `conf`, the merged configuration of the module with the commands of `prefix`, has it where the configuration is
 * being built. `alpn`: protocols that are offered to backends. Throws a ConfError.
 */
export function upstreamTls(
  conf: object,
  prefix: string,
  context: BuildContext,
  alpn: readonly string[] = [],
): UpstreamTls {
  const values = tlsValues(conf, prefix)
  const key = keyOf(values, prefix, alpn)
  let known = shared.get(context)
  if (known === undefined) shared.set(context, (known = new Map()))
  let tls = known.get(key)
  if (tls === undefined) {
    checkTogether(values, prefix, context)
    known.set(key, (tls = new UpstreamTls(values, prefix, alpn, context)))
  }
  return tls
}

const numbers = new WeakMap<ComplexValue, number>()
let last = 0

/** Texts as they are, values with variables by what object they are: equal ones are one object already. */
function keyOf(values: TlsValues, prefix: string, alpn: readonly string[]): string {
  const parts = Object.entries(values).map(([field, value]) => {
    if (value === undefined || typeof value !== 'object') return [field, value]
    if ('evaluate' in value) return [field, value.constant ?? numberOf(value)]
    return [field, field === 'passwordFile' ? value.path : value]
  })
  return JSON.stringify([prefix, alpn, parts])
}

function numberOf(value: ComplexValue): number {
  let number = numbers.get(value)
  if (number === undefined) numbers.set(value, (number = ++last))
  return number
}

function checkTogether(values: TlsValues, prefix: string, context: BuildContext): void {
  const { certificate, certificateKey, verify, trustedCertificate } = values
  if (certificate !== undefined && certificate.constant !== '' && certificateKey === undefined) {
    const key = directiveName(prefix, 'certificateKey')
    context.error(`no "${key}" is defined for certificate "${writtenAs(certificate)}"`)
  }
  if (verify && !trustedCertificate) {
    context.error(`no ${directiveName(prefix, 'trustedCertificate')} for ${directiveName(prefix, 'verify')}`)
  }
}

function verificationOf(values: TlsValues, context: BuildContext): Verification {
  try {
    return { chains: new Chains(trustedCertificates(values, context)), depth: values.verifyDepth }
  } catch (error) {
    const text = opensslText(error as Error)
    if (text === null) throw error
    return context.error(
      `failed to load "${values.trustedCertificate}": PEM_read_bio_X509_AUX() failed (${text})`,
      null,
    )
  }
}

function constantCredentials(values: TlsValues, context: BuildContext): Credentials | null {
  const cert = values.certificate?.constant ?? ''
  const key = values.certificateKey?.constant ?? null
  // As nginx, with variables in one of them both are for the request.
  if (cert === '' || key === null) return null
  const { confPrefix } = context.options
  try {
    return loadCredentials(
      fullName(cert, confPrefix),
      fullName(key, confPrefix),
      values.passwordFile?.list ?? [],
      (path) => context.fileContent(path),
    )
  } catch (error) {
    if (error instanceof CredentialsError) context.error(error.message, null)
    throw error
  }
}

/** What stands for itself stays; a file's name is one of the configuration's folder. */
function fullName(name: string, folder: string): string {
  return /^(data:|engine:|store:|\/)/.test(name) ? name : folder + name
}
