// `$sent_http_*` and `$sent_trailer_*`: what the response says, as far as it is decided when they are read.

import type { VariableFamily, VariableReader } from '../../http/module.ts'
import { valuesOf } from '../../http/response.ts'
import { clientConnection } from '../connection.ts'

/** Fields that do not, or not always, stand among the response's lines. */
const apart: Readonly<Record<string, VariableReader>> = {
  // As in nginx, logs find a request that its connection has left behind.
  connection: ({ response, keepalive, ended }) =>
    response.status === 101 ? 'upgrade' : keepalive && !ended ? 'keep-alive' : 'close',
  content_length: ({ response }) => (response.contentLength < 0 ? null : String(response.contentLength)),
  content_type: ({ response }) => response.contentType || null,
  keep_alive: (r) => {
    const { header } = r.conf(clientConnection).keepaliveTimeout
    return r.keepalive && !r.ended && header > 0 ? `timeout=${Math.floor(header / 1000)}` : null
  },
  last_modified: ({ response }) => response.lastModified ?? valuesOf(response.lines, 'last_modified'),
  location: ({ response }) => response.location ?? valuesOf(response.lines, 'location'),
  transfer_encoding: ({ response }) => (response.chunked ? 'chunked' : null),
}

const field: VariableFamily = (suffix) =>
  Object.hasOwn(apart, suffix) ? apart[suffix]! : ({ response }) => valuesOf(response.lines, suffix)

const trailer: VariableFamily = (suffix) => (r) => valuesOf(r.response.trailerLines, suffix)

export const sentFamilies: Record<string, VariableFamily> = { sent_http_: field, sent_trailer_: trailer }
