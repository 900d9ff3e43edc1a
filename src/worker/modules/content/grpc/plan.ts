// Everything about a location with `grpc_pass` that can be known before a request, and the protocol the upstream speaks
// by it: HTTP/2, bodies as they come, responses as they come, trailers and all.

import type { BuildContext } from '../../../../shared/conf/build.ts'
import { type ComplexValue, compileValue } from '../../../http/complex-value.ts'
import { type Fields, hashName, NameSet } from '../../../http/fields.ts'
import type { Request } from '../../../http/request.ts'
import { field } from '../../../http2/hpack/literals.ts'
import { STREAMS } from '../../../upstream/buffering/conf.ts'
import { type BlockPlan, makeBlockPlan, requestBlock } from '../../../upstream/http2/request-block.ts'
import { NEXT } from '../../../upstream/next.ts'
import type { PeerGroup } from '../../../upstream/peers.ts'
import type { UpstreamProtocol, UpstreamSettings } from '../../../upstream/protocol.ts'
import type { RuntimeGroups } from '../../../upstream/runtime-groups.ts'
import type { Kept } from '../../../upstream/states.ts'
import type { TlsClient } from '../../../upstream/tls/client.ts'
import { type UpstreamTls, upstreamTls } from '../../../upstream/tls/upstream-tls.ts'
import { findGroup, isUpstream, runtimeGroups } from '../../../upstream/upstream-block.ts'
import type { PeerHead, WireProtocol } from '../../../upstream/wire.ts'
import { requestUri } from '../proxy/pass.ts'
import { makePassedFieldsPlan, type PassedFieldsPlan } from '../proxy/passed-fields.ts'
import { makeResponsePlan, processHead, type ResponsePlan } from '../proxy/response.ts'
import { IGNORABLE, type ResponseConf } from '../proxy/response-commands.ts'
import { keptFor } from '../proxy/variables.ts'
import type { GrpcConf } from './conf.ts'
import { type GrpcPass, type GrpcTarget, grpcHost, lacksPort } from './pass.ts'

/** Fields about the client's connection and framing, which say nothing about the backend's. */
const CONNECTION_FIELDS = [
  'Connection',
  'Content-Length',
  'Expect',
  'Host',
  'Keep-Alive',
  'Proxy-Connection',
  'TE',
  'Transfer-Encoding',
  'Upgrade',
]

const TE = hashName('te')
/** A member of TE, with or without a weight. */
const TE_TRAILERS = field('te', 'trailers')
const TRAILERS = /(?:^|,)[ \t]*trailers[ \t]*(?:,|$)/i

/** Made when the configuration is built. Throws a ConfError. */
export class GrpcPlan {
  readonly pass: GrpcPass
  readonly block: BlockPlan
  /** The configuration names an authority; else it is the backend's. */
  readonly ownAuthority: boolean
  /** TE: trailers of the client goes on. */
  readonly passesTe: boolean
  readonly response: ResponsePlan
  readonly passedFields: PassedFieldsPlan
  readonly settings: UpstreamSettings
  readonly kept: Kept
  /** How backends are spoken to by TLS; null where none is. */
  readonly tls: UpstreamTls | null
  /** null where only a request tells. */
  readonly fixed: { readonly group: PeerGroup; readonly protocol: UpstreamProtocol } | null
  readonly groups: RuntimeGroups

  constructor(conf: GrpcConf, pass: GrpcPass, context: BuildContext) {
    const { target } = pass
    const { grpcSetHeader: fields } = conf
    const names = fields.map(({ name }) => name)
    const authority = fields.findLast(({ name }) => name.toLowerCase() === 'host')?.value ?? null
    this.pass = pass
    this.ownAuthority = authority !== null && authority.constant !== ''
    this.passesTe = !names.some((name) => name.toLowerCase() === 'te')
    const own = NameSet.of([...CONNECTION_FIELDS, ...names])
    this.block = makeBlockPlan(fields, authorityOf(authority, target, context), own)
    const response = responseConf(conf)
    this.response = makeResponsePlan(response)
    this.passedFields = makePassedFieldsPlan(response)
    this.settings = settingsOf(conf)
    this.kept = keptFor(context)
    this.groups = runtimeGroups(context)
    const secure = target === null || target.secure
    this.tls = secure ? upstreamTls(conf, 'grpc', context, ['h2']) : null
    if (target !== null && lacksPort(target) && !isUpstream(target, context)) {
      context.error(`no port in upstream "${target.host}"`)
    }
    this.fixed =
      target === null ? null : { group: findGroup(target, context), protocol: new GrpcProtocol(this, target) }
  }
}

/** `own`: what `grpc_set_header Host` says. */
function authorityOf(
  own: ComplexValue | null,
  target: GrpcTarget | null,
  context: BuildContext,
): ComplexValue {
  if (own !== null && own.constant !== '') return own
  return compileValue(target === null ? '' : grpcHost(target), context)
}

/** As the directives of `proxy_pass` would say it: nothing is rewritten, and trailers are what it is about. */
function responseConf(conf: GrpcConf): ResponseConf {
  return {
    proxyHideHeader: conf.grpcHideHeader,
    proxyPassHeader: conf.grpcPassHeader,
    // Nothing is buffered, whatever a backend wants.
    proxyIgnoreHeaders: conf.grpcIgnoreHeaders | IGNORABLE['x-accel-buffering'],
    proxyForceRanges: false,
    proxyInterceptErrors: conf.grpcInterceptErrors,
    proxyPassTrailers: true,
    proxyRedirect: undefined,
    proxyCookieDomain: [],
    proxyCookiePath: [],
    proxyCookieFlags: [],
    redirects: [],
  }
}

function settingsOf(conf: GrpcConf): UpstreamSettings {
  return {
    connectTimeout: conf.grpcConnectTimeout,
    sendTimeout: conf.grpcSendTimeout,
    readTimeout: conf.grpcReadTimeout,
    socketKeepalive: conf.grpcSocketKeepalive,
    bind: conf.grpcBind || null,
    next: {
      conditions: conf.grpcNextUpstream & NEXT.off ? 0 : conf.grpcNextUpstream,
      tries: conf.grpcNextUpstreamTries,
      timeout: conf.grpcNextUpstreamTimeout,
    },
    bufferSize: conf.grpcBufferSize,
    buffering: {
      on: false,
      memory: 0,
      busy: 0,
      file: 0,
      writeSize: 0,
      path: { folder: '', levels: [] },
      unbuffered: STREAMS,
    },
    limitRate: 0,
    interceptErrors: conf.grpcInterceptErrors,
    ignoreClientAbort: false,
  }
}

/** What goes to, and comes from, the backends of one target. */
export class GrpcProtocol implements UpstreamProtocol {
  readonly wire: WireProtocol = 'HTTP/2'
  readonly passesBody = true
  readonly passesTrailers = true
  /** `$proxy_host` and `$proxy_port` are of another module. */
  readonly host: string
  readonly port: string
  readonly secure: boolean
  readonly kept: Kept
  readonly #plan: GrpcPlan
  readonly #target: GrpcTarget
  /** null: only a request tells, or there is none. */
  readonly #client: TlsClient | null
  readonly #block: BlockPlan

  constructor(plan: GrpcPlan, target: GrpcTarget) {
    this.#plan = plan
    this.#target = target
    this.host = grpcHost(target)
    this.port = target.portText
    this.secure = target.secure
    this.kept = plan.kept
    this.#client = this.secure && plan.tls!.isConstant ? plan.tls!.fixed(target.host) : null
    this.#block = plan.ownAuthority ? plan.block : { ...plan.block, authority: constant(this.host) }
  }

  method(r: Request): string {
    return r.method
  }

  ownContent(): null {
    return null
  }

  createRequest(r: Request, method: string): string {
    const { passesTe } = this.#plan
    const te = passesTe && TRAILERS.test(r.fields.join('te', TE, ',') ?? '') ? TE_TRAILERS : ''
    const scheme = this.secure ? 'https' : 'http'
    const path = requestUri(r, null, '')
    // What the client has said of the length, as nginx: nobody waits for the content to know it.
    return requestBlock(r, method, scheme, path, this.#block, r.client.contentLength) + te
  }

  mayTunnel(): boolean {
    return false
  }

  chunkedRequest(): boolean {
    return false
  }

  processHead(r: Request, head: PeerHead): string | null {
    return processHead(r, head, this.#plan.response)
  }

  hintLines({ fields }: PeerHead): string {
    return fields.lines(this.#plan.passedFields.notHints)
  }

  trailerLines(trailers: Fields): string {
    return trailers.lines(this.#plan.passedFields.notTrailers!)
  }

  /** As nginx: without a path. */
  url(_r: Request, address: string): string {
    return `grpc${this.secure ? 's' : ''}://${address}${address.startsWith('unix:') ? ':' : ''}`
  }

  tls(r: Request): TlsClient | null {
    return this.#client ?? this.#plan.tls!.find(r, this.#target.host)
  }
}

function constant(text: string): ComplexValue {
  return { constant: text, evaluate: () => text }
}
