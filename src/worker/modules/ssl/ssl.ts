// TLS towards clients: the directives of nginx's ngx_http_ssl_module, but for those about clients' certificates
// (verify-client.ts), kept sessions (session-cache.ts) and stapling. What a server makes of them is its ServerTls.

import type { BuildContext, Scope } from '../../../shared/conf/build.ts'
import { type Command, HTTP, SERVER, type Setter } from '../../../shared/conf/command.ts'
import type { Directive } from '../../../shared/conf/directive.ts'
import { confPath, flag, size, string, time, timeSeconds } from '../../../shared/conf/setters.ts'
import { type ComplexValue, compileValue } from '../../http/complex-value.ts'
import { defineModule } from '../../http/module.ts'
import type { ServerPlan } from '../../http/plan.ts'
import type { Request } from '../../http/request.ts'
import type { ConfCommand } from '../../tls/conf-command.ts'
import { DEFAULT_PROTOCOLS, PROTOCOLS } from '../../tls/protocols.ts'
import type { ServerTls } from '../../tls/server-tls.ts'
import {
  addConfCommand,
  type CacheSettings,
  type Passwords,
  setCache,
  setPasswords,
} from '../../tls/setters.ts'
import { checkTlsListens } from './listens.ts'
import { makeServerTls } from './make-server-tls.ts'
import { keyFromFile } from './ticket-key-file.ts'

/** Gives the request that variables in the names of certificates are worked out with. */
export type HandshakeRequest = () => Request

/** A name of a certificate or key, and where it stands. */
export interface NamedFile {
  readonly value: ComplexValue
  readonly directive: Directive
}

/** What a server says of TLS towards its clients. */
export interface SslConf {
  sslCertificate: readonly NamedFile[] | undefined
  sslCertificateKey: readonly NamedFile[] | undefined
  sslCertificateCache: CacheSettings | false
  sslCertificateCompression: boolean
  sslPasswordFile: Passwords | undefined
  /** Bits of PROTOCOLS. */
  sslProtocols: number
  /** OpenSSL's list, for protocols before TLS 1.3. */
  sslCiphers: string
  sslPreferServerCiphers: boolean
  /** OpenSSL's list of groups, or `auto`. */
  sslEcdhCurve: string
  /** Absolute path; undefined for none. */
  sslDhparam: string | undefined
  sslConfCommand: readonly ConfCommand[]
  /** Bytes. */
  sslBufferSize: number
  /** Milliseconds; undefined: `client_header_timeout` counts. */
  sslHandshakeTimeout: number | undefined
  sslRejectHandshake: boolean
  sslSessionTickets: boolean
  sslSessionTicketKey: readonly Buffer[]
  /** Milliseconds. */
  sslSessionTimeout: number
  /** Of a server with certificates, or one that rejects handshakes; else null. */
  tls: ServerTls<HandshakeRequest> | null
}

const CONTEXTS = HTTP | SERVER

function command(name: string, set: Setter, more: Partial<Command> = {}): Command {
  return { name, in: CONTEXTS, args: 1, set, ...more }
}

export const ssl = defineModule<SslConf>({
  name: 'ssl',
  commands: [
    command('ssl_certificate', addFile, { repeat: true }),
    command('ssl_certificate_key', addFile, { repeat: true }),
    command('ssl_certificate_cache', setCache, { args: [1, 3], default: false }),
    command('ssl_certificate_compression', flag(), { default: false }),
    command('ssl_password_file', setPasswords),
    command('ssl_protocols', setProtocols, { args: [1, Infinity], repeat: true, default: DEFAULT_PROTOCOLS }),
    command('ssl_ciphers', string(), { default: 'HIGH:!aNULL:!MD5' }),
    command('ssl_prefer_server_ciphers', flag(), { default: false }),
    command('ssl_ecdh_curve', string(), { default: 'auto' }),
    command('ssl_dhparam', confPath()),
    command('ssl_conf_command', addConfCommand, { args: 2, repeat: true, default: [] }),
    command('ssl_buffer_size', size(), { default: 16384 }),
    command('ssl_handshake_timeout', time()),
    command('ssl_reject_handshake', flag(), { default: false }),
    command('ssl_session_tickets', flag(), { default: true }),
    command('ssl_session_ticket_key', addTicketKey, { repeat: true, default: [] }),
    command('ssl_session_timeout', timeSeconds(), { default: 300_000 }),
    command('ssl_early_data', setEarlyData, { default: false }),
  ],
  finish(conf, scope, context) {
    conf.tls = scope.kind === SERVER ? makeServerTls(conf, scope, context) : null
    if (scope.kind !== SERVER) return
    const last = scope.parent!.children.findLast((child) => child.kind === SERVER)
    if (scope === last) checkTlsListens(scope.parent!.parent!, tlsServer, context)
  },
})

function tlsServer(scope: Scope): { hasCertificate: boolean; rejects: boolean } {
  const { sslCertificate, sslRejectHandshake } = scope.conf(ssl)
  return { hasCertificate: sslCertificate !== undefined, rejects: sslRejectHandshake }
}

/** What `server` says of TLS. */
export function sslConf({ plan }: ServerPlan): SslConf {
  return plan.confs[ssl.index] as SslConf
}

function addFile(...[directive, context, previous]: Parameters<Setter>): NamedFile[] {
  const value = compileValue(directive.args[0]!, context)
  return [...((previous as NamedFile[] | undefined) ?? []), { value, directive }]
}

/** SSLv2 and SSLv3 are words, but nothing that this OpenSSL, or any of today's, speaks. */
function setProtocols(...[directive, context, previous]: Parameters<Setter>): number {
  let mask = (previous as number | undefined) ?? 0
  for (const word of directive.args) {
    const old = /^SSLv[23]$/i.exec(word)
    if (old !== null) {
      context.notice(
        `ssl_protocols ${word}`,
        `the "${word}" parameter of "ssl_protocols" has no effect: Node's OpenSSL is built without it`,
      )
      continue
    }
    const name = Object.keys(PROTOCOLS).find((key) => key.toLowerCase() === word.toLowerCase())
    const bit = PROTOCOLS[name ?? context.error(`invalid value "${word}"`)]!
    if (mask & bit) context.warn(`duplicate value "${word}"`)
    mask |= bit
  }
  return mask
}

function addTicketKey(...[directive, context, previous]: Parameters<Setter>): Buffer[] {
  return [...((previous as Buffer[] | undefined) ?? []), keyFromFile(directive.args[0]!, context)]
}

function setEarlyData(...parameters: Parameters<Setter>): unknown {
  const on = flag()(...parameters)
  const [, context]: [Directive, BuildContext, unknown] = parameters
  return on === true
    ? context.error('"ssl_early_data on" is not supported by weir: Node.js has no way to read early data')
    : on
}
