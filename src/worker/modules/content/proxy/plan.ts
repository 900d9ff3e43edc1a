// Everything about a proxied location that can be known before a request, and the protocol the upstream speaks by it:
// one object for all requests where `proxy_pass` is constant, one a request where variables make it.

import type { BuildContext } from '../../../../shared/conf/build.ts'
import { contentLength } from '../../../body/read-body.ts'
import type { Fields } from '../../../http/fields.ts'
import type { Request } from '../../../http/request.ts'
import { requestBlock } from '../../../upstream/http2/request-block.ts'
import { NEXT } from '../../../upstream/next.ts'
import type { PeerGroup } from '../../../upstream/peers.ts'
import type { UpstreamProtocol, UpstreamSettings } from '../../../upstream/protocol.ts'
import type { RuntimeGroups } from '../../../upstream/runtime-groups.ts'
import type { Kept } from '../../../upstream/states.ts'
import type { TlsClient } from '../../../upstream/tls/client.ts'
import { type UpstreamTls, upstreamTls } from '../../../upstream/tls/upstream-tls.ts'
import { findGroup, runtimeGroups } from '../../../upstream/upstream-block.ts'
import type { PeerHead, WireProtocol } from '../../../upstream/wire.ts'
import { bufferingSettings } from './buffering.ts'
import type { ProxyConf } from './conf.ts'
import { evaluatedUri, nameOf, type PassTarget, type ProxyPass, requestUri } from './pass.ts'
import { makePassedFieldsPlan, type PassedFieldsPlan } from './passed-fields.ts'
import { makeRequestPlan, type RequestPlan, requestHead, requestMethod, sentLength } from './request.ts'
import { makeResponsePlan, processHead, type ResponsePlan } from './response.ts'
import { upgradeLines } from './upgrade.ts'
import { keptFor } from './variables.ts'

export class ProxyPlan {
  readonly pass: ProxyPass
  readonly request: RequestPlan
  readonly response: ResponsePlan
  readonly passedFields: PassedFieldsPlan
  readonly settings: UpstreamSettings
  readonly kept: Kept
  /** How backends are spoken to by TLS; null where none is. */
  readonly tls: UpstreamTls | null
  /** null where only a request tells. */
  readonly fixed: { readonly group: PeerGroup; readonly protocol: UpstreamProtocol } | null
  readonly groups: RuntimeGroups
  /** Bodies go on as they come: those that say their length, and those in chunks. */
  readonly streams: boolean
  readonly streamsChunks: boolean

  constructor(conf: ProxyConf, pass: ProxyPass, context: BuildContext) {
    const { target } = pass
    const name = target === null ? null : nameOf(target)
    this.pass = pass
    this.request = makeRequestPlan(conf, name?.host ?? null, context)
    this.response = makeResponsePlan(conf)
    this.passedFields = makePassedFieldsPlan(conf)
    this.settings = {
      connectTimeout: conf.proxyConnectTimeout,
      sendTimeout: conf.proxySendTimeout,
      readTimeout: conf.proxyReadTimeout,
      socketKeepalive: conf.proxySocketKeepalive,
      bind: conf.proxyBind || null,
      next: {
        conditions: conf.proxyNextUpstream & NEXT.off ? 0 : conf.proxyNextUpstream,
        tries: conf.proxyNextUpstreamTries,
        timeout: conf.proxyNextUpstreamTimeout,
      },
      bufferSize: conf.proxyBufferSize,
      buffering: bufferingSettings(conf, context),
      limitRate: conf.proxyLimitRate,
      interceptErrors: conf.proxyInterceptErrors,
      ignoreClientAbort: conf.proxyIgnoreClientAbort,
    }
    this.kept = keptFor(context)
    this.groups = runtimeGroups(context)
    this.streams = !conf.proxyRequestBuffering && this.request.passesBody
    this.streamsChunks = this.streams && conf.proxyHttpVersion !== 0
    // As nginx, variables may lead to either scheme.
    const secure = target === null || target.scheme.secure
    this.tls = secure ? upstreamTls(conf, 'proxy', context, conf.proxyHttpVersion === 2 ? ['h2'] : []) : null
    this.fixed =
      target === null
        ? null
        : { group: findGroup(target, context), protocol: new FixedProtocol(this, target) }
  }
}

abstract class ProxyProtocol implements UpstreamProtocol {
  readonly wire: WireProtocol
  readonly host: string
  readonly port: string
  readonly passesBody: boolean
  readonly kept: Kept
  readonly passesTrailers: boolean
  readonly secure: boolean
  protected readonly plan: ProxyPlan
  protected readonly target: PassTarget

  constructor(plan: ProxyPlan, target: PassTarget) {
    const { host, port } = nameOf(target)
    this.plan = plan
    this.target = target
    this.secure = target.scheme.secure
    this.host = host
    this.port = port
    this.wire = plan.request.block === null ? 'HTTP/1' : 'HTTP/2'
    this.passesBody = plan.request.passesBody
    this.kept = plan.kept
    this.passesTrailers = plan.passedFields.notTrailers !== null
  }

  /** What the backend is asked for. */
  protected abstract uri(r: Request): string

  method(r: Request): string | null {
    return requestMethod(r, this.plan.request)
  }

  ownContent(r: Request): string | null {
    return this.plan.request.body?.evaluate(r) ?? null
  }

  createRequest(r: Request, method: string, content: string | null): string {
    const { request } = this.plan
    const { block } = request
    if (block === null) return requestHead(r, method, this.uri(r), request, content)
    const scheme = this.secure ? 'https' : 'http'
    return requestBlock(r, method, scheme, this.uri(r), block, sentLength(r, request, content))
  }

  /** As in nginx, the client's wish counts, unless it was for weir to pass it on. */
  mayTunnel(r: Request): boolean {
    if (!this.plan.request.passesUpgrades) return r.fields.get('upgrade') !== null
    return r.client.asksUpgrade && upgradeLines(r) !== ''
  }

  chunkedRequest(r: Request): boolean {
    return contentLength(r) < 0
  }

  processHead(r: Request, head: PeerHead): string | null {
    return processHead(r, head, this.plan.response)
  }

  hintLines({ fields }: PeerHead): string {
    return fields.lines(this.plan.passedFields.notHints)
  }

  trailerLines(trailers: Fields): string {
    const { notTrailers } = this.plan.passedFields
    return notTrailers === null ? '' : trailers.lines(notTrailers)
  }

  url(r: Request, address: string): string {
    const path = address.startsWith('unix:') ? `${address}:` : address
    return `${this.target.scheme.prefix}${path}${this.uri(r)}`
  }

  tls(r: Request): TlsClient | null {
    return this.plan.tls!.find(r, this.target.host)
  }
}

/** Towards a URL that stands in the configuration. */
class FixedProtocol extends ProxyProtocol {
  /** null: only a request tells. */
  readonly #client: TlsClient | null

  constructor(plan: ProxyPlan, target: PassTarget) {
    super(plan, target)
    this.#client = this.secure && plan.tls!.isConstant ? plan.tls!.fixed(target.host) : null
  }

  override tls(r: Request): TlsClient | null {
    return this.#client ?? super.tls(r)
  }

  protected override uri(r: Request): string {
    const { uri, prefix } = this.plan.pass
    return requestUri(r, uri, prefix)
  }
}

/** Towards the URL that variables gave for one request. */
export class EvaluatedProtocol extends ProxyProtocol {
  protected override uri(r: Request): string {
    return evaluatedUri(r, this.target)
  }
}
