// What the head of a response says otherwise once its content is another: nothing that is true of the bytes before.

import type { Response } from '../../../http/response.ts'

/** Takes out the length and ranges; an entity tag becomes weak. */
export function changed(response: Response): void {
  response.held = null
  response.contentLength = -1
  response.allowRanges = false
  response.remove('accept-ranges')
  const etag = response.get('etag')
  if (etag === null || etag.startsWith('W/')) return
  // As nginx: what is no entity tag is not passed on.
  if (etag.startsWith('"')) response.replace('etag', 'ETag', `W/${etag}`)
  else response.remove('etag')
}
