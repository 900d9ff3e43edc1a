// `client_max_body_size` where a body says how long it is: asked for each location a request comes to, as the limits of
// locations differ. Bodies in chunks are measured as they come, by the protocol.

import type { LocationPlan } from '../http/plan.ts'
import type { Request } from '../http/request.ts'
import { type RequestBodyConf, requestBody } from './body-conf.ts'

/** Whether the body of `r` is longer than `location` allows, which is logged. As in nginx, of a subrequest too. */
export function refusesBody(r: Request, location: LocationPlan): boolean {
  const limit = (location.confs[requestBody.index] as RequestBodyConf).clientMaxBodySize
  if (limit === 0) return false
  const { client, body, stream } = r.main
  const length = client.contentLength >= 0 ? client.contentLength : (body?.length ?? -1)
  if (length <= limit || stream.bodyDiscarded) return false
  r.log('error', `client intended to send too large body: ${length} bytes`)
  return true
}
