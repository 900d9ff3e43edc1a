// What the gRPC module's directives say where a request is: the merged fields of its command table.

import type { SetField } from '../../../upstream/http2/request-block.ts'
import type { LocalBind } from '../../../upstream/local-address.ts'
import type { GrpcPass } from './pass.ts'
import type { GrpcPlan } from './plan.ts'

export interface GrpcConf {
  grpcPass: GrpcPass | undefined
  grpcSetHeader: readonly SetField[]
  grpcHideHeader: readonly string[]
  grpcPassHeader: readonly string[]
  /** Bits of IGNORABLE. */
  grpcIgnoreHeaders: number
  grpcInterceptErrors: boolean
  grpcBufferSize: number
  /** false: `off`. */
  grpcBind: LocalBind | false
  grpcSocketKeepalive: boolean
  grpcConnectTimeout: number
  grpcSendTimeout: number
  grpcReadTimeout: number
  /** Bits of NEXT. */
  grpcNextUpstream: number
  grpcNextUpstreamTries: number
  grpcNextUpstreamTimeout: number
  /** Settled by `finish` where there is a grpcPass. */
  plan: GrpcPlan | null
}
