// Everything about a proxied location that can be known before a request, and the protocol the upstream speaks by it.

import type { BuildContext } from '../../../../shared/conf/build.ts'
import type { Request } from '../../../http/request.ts'
import type { ResponseHead } from '../../../http1/response-head.ts'
import type { PeerGroup } from '../../../upstream/peers.ts'
import type { UpstreamProtocol, UpstreamSettings } from '../../../upstream/upstream.ts'
import { findGroup } from '../../../upstream/upstream-block.ts'
import type { ProxyConf } from './conf.ts'
import { type ProxyPass, requestUri } from './pass.ts'
import { makeRequestPlan, type RequestPlan, requestHead } from './request.ts'
import { makeResponsePlan, processHead, type ResponsePlan } from './response.ts'

export class ProxyPlan implements UpstreamProtocol {
  readonly pass: ProxyPass
  readonly group: PeerGroup
  readonly request: RequestPlan
  readonly response: ResponsePlan
  readonly settings: UpstreamSettings

  constructor(conf: ProxyConf, pass: ProxyPass, context: BuildContext) {
    this.pass = pass
    this.group = findGroup(pass.address, 80, context)
    this.request = makeRequestPlan(conf, pass, context)
    this.response = makeResponsePlan(conf, pass)
    this.settings = {
      connectTimeout: conf.proxyConnectTimeout,
      sendTimeout: conf.proxySendTimeout,
      readTimeout: conf.proxyReadTimeout,
    }
  }

  createRequest(r: Request): string {
    return requestHead(r, requestUri(r, this.pass), this.request)
  }

  chunkedRequest(r: Request): boolean {
    return r.client.contentLength < 0
  }

  processHead(r: Request, head: ResponseHead): void {
    processHead(r, head, this.response)
  }

  url(r: Request, address: string): string {
    const path = address.startsWith('unix:') ? `${address}:` : address
    return `http://${path}${requestUri(r, this.pass)}`
  }
}
