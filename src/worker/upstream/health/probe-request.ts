// The request of a health check as the location it stands in would make it: for `proxy_set_header` and the variables in
// it, and for those that `match` requires. There is no client: what is known of one is empty.

import type { Scope } from '../../../shared/conf/build.ts'
import { SERVER } from '../../../shared/conf/command.ts'
import { ErrorLog } from '../../../shared/error-log.ts'
import { Fields } from '../../http/fields.ts'
import { LocationTree } from '../../http/locations.ts'
import { noStream } from '../../http/no-stream.ts'
import type { LocationPlan, ServerPlan } from '../../http/plan.ts'
import { type ClientConnection, Request } from '../../http/request.ts'
import { nameOf } from '../../modules/content/proxy/pass.ts'
import type { ProxyPlan } from '../../modules/content/proxy/plan.ts'
import { type RequestPlan, requestHead } from '../../modules/content/proxy/request.ts'
import { coreServer } from '../../modules/core-conf.ts'
import { now } from '../../tick.ts'
import { UpstreamStates } from '../states.ts'

export class ProbeRequests {
  readonly #uri: string
  readonly #plan: RequestPlan
  readonly #pass: ProxyPlan['pass']
  readonly #server: ServerPlan

  /** Of the location `scope`, whose `proxy_pass` is constant, for `uri`. */
  constructor(scope: Scope, plan: ProxyPlan, uri: string) {
    this.#uri = uri
    // GET without content, whatever the location does about those of clients.
    this.#plan = { ...plan.request, method: null, ownFields: null, passesBody: false, body: null }
    this.#pass = plan.pass
    this.#server = serverPlan(scope)
  }

  /** A new one, on its way to its first attempt. */
  make(): Request {
    const line = `GET ${this.#uri} HTTP/1.1`
    const client = { line, method: 'GET', isHead: false, target: this.#uri, protocol: 'HTTP/1.1' }
    const framing = { minor: 1, contentLength: -1, hasBody: false, asksUpgrade: false }
    const r = new Request(STREAM, { ...client, ...framing }, new Fields(), this.#server, now())
    const query = this.#uri.indexOf('?')
    r.uri = query < 0 ? this.#uri : this.#uri.slice(0, query)
    r.args = query < 0 ? '' : this.#uri.slice(query + 1)
    r.realAddress = { address: '', port: 0 }
    r.upstream = new UpstreamStates(nameOf(this.#pass.target!))
    return r
  }

  /** Names and values of the fields it is sent with, in turn. */
  fields(r: Request): string[] {
    const lines = requestHead(r, 'GET', this.#uri, this.#plan, null).split('\r\n').slice(1)
    return lines
      .filter((line) => line !== '')
      .flatMap((line) => {
        const colon = line.indexOf(':')
        return [line.slice(0, colon), line.slice(colon + 1).trim()]
      })
  }
}

function serverPlan(scope: Scope): ServerPlan {
  const server = scope.within(SERVER)!
  const plan: LocationPlan = {
    name: '',
    confs: scope.confs,
    errorLog: new ErrorLog([]),
    internal: false,
    rewrite: [],
    handlers: [],
    beforeContent: 0,
    contentHandler: null,
    limitExcept: null,
    filters: [],
    log: [],
    locations: new LocationTree([], () => plan),
  }
  const firstName = coreServer(server).names[0]?.text ?? ''
  const firstPart = firstName.replace(/^\./, '')
  return { scope: server, plan, firstName: firstPart, http2: false, handlers: [], afterRead: 0 }
}

const CONNECTION: ClientConnection = {
  id: 0,
  requests: 0,
  remoteAddress: '',
  remotePort: 0,
  localAddress: '',
  localPort: 0,
  opened: 0,
  pipelined: false,
  tls: null,
  proxyProtocol: null,
  delaySegments: () => {},
}

/** Nobody is at the other end. */
const STREAM = noStream(CONNECTION, 'a health check')
