// HTTP/2 towards clients: which servers speak it, how much a connection of it may ask for at once, and `$http2`. Over
// TLS it is offered by ALPN where the server that SNI names says so; plain connections may begin with its preface where
// the default server of their address does.

import { type Command, HTTP, HTTP_ANY, SERVER, type Setter } from '../../shared/conf/command.ts'
import { flag, number, size } from '../../shared/conf/setters.ts'
import { parseInteger, parseSize } from '../../shared/conf/values.ts'
import { defineModule } from '../http/module.ts'
import { DEFAULT_WINDOW, LARGEST_FRAME_SIZE, LARGEST_WINDOW } from '../http2/frames.ts'

export interface Http2SwitchConf {
  http2: boolean
  /** Streams that a client may have open at the same time. */
  http2MaxConcurrentStreams: number
  /** Bytes of a request's body that may come before anybody asks for it; a stream's first window. */
  http2BodyPrereadSize: number
  /** Bytes of a response's content in one frame at most. */
  http2ChunkSize: number
}

const ANYWHERE = HTTP | SERVER

/** nginx's room for what it keeps of a frame between two reads. */
const STATE_BUFFER_SIZE = 16
const MIN_POOL_SIZE = 112

const SHARED_BUFFERS = 'connections of a worker read into buffers that they share'
const POOLS = 'memory comes from the JavaScript heap'
const HASHES = 'hash tables grow as they need to'

export const http2Switch = defineModule<Http2SwitchConf>({
  name: 'http2',
  commands: [
    { name: 'http2', in: ANYWHERE, args: 1, set: flag(), default: false },
    { name: 'http2_max_concurrent_streams', in: ANYWHERE, args: 1, set: number(), default: 128 },
    { name: 'http2_body_preread_size', in: ANYWHERE, args: 1, set: setPrereadSize, default: 65536 },
    { name: 'http2_chunk_size', in: HTTP_ANY, args: 1, set: setChunkSize, default: 8192 },

    { name: 'http2_recv_buffer_size', in: HTTP, args: 1, set: setBufferSize, noEffect: SHARED_BUFFERS },
    { name: 'http2_pool_size', in: ANYWHERE, args: 1, set: setPoolSize, noEffect: POOLS },
    { name: 'http2_streams_index_size', in: ANYWHERE, args: 1, set: setIndexSize, noEffect: HASHES },

    obsolete('http2_recv_timeout', ANYWHERE, 'client_header_timeout'),
    obsolete('http2_idle_timeout', ANYWHERE, 'keepalive_timeout'),
    obsolete('http2_max_requests', ANYWHERE, 'keepalive_requests'),
    obsolete('http2_max_field_size', ANYWHERE, 'large_client_header_buffers'),
    obsolete('http2_max_header_size', ANYWHERE, 'large_client_header_buffers'),
    obsolete('http2_max_concurrent_pushes', ANYWHERE, ''),
    obsolete('http2_push', HTTP_ANY, ''),
    obsolete('http2_push_preload', HTTP_ANY, ''),
  ],
  variables: {
    http2: (r) => (r.client.protocol !== 'HTTP/2.0' ? '' : r.stream.connection.tls === null ? 'h2c' : 'h2'),
  },
})

/** What nginx has given up: said, and ignored. `instead`: the directive that does it now, '' for none. */
function obsolete(name: string, contexts: number, instead: string): Command {
  const rest = instead === '' ? 'ignored' : `use the "${instead}" directive instead`
  const set: Setter = (_directive, context) => context.warn(`the "${name}" directive is obsolete, ${rest}`)
  return { name, in: contexts, args: 1, set, repeat: true }
}

function setPrereadSize(...[directive, context, previous]: Parameters<Setter>): number {
  const bytes = size()(directive, context, previous) as number
  if (bytes <= LARGEST_WINDOW) return bytes
  return context.error(`the maximum body preread buffer size is ${LARGEST_WINDOW}`)
}

function setChunkSize(...[directive, context, previous]: Parameters<Setter>): number {
  const bytes = size()(directive, context, previous) as number
  if (bytes === 0) return context.error('the http2 chunk size cannot be zero')
  return Math.min(bytes, LARGEST_FRAME_SIZE)
}

function setBufferSize(...[directive, context, previous]: Parameters<Setter>): number {
  const bytes = size()(directive, context, previous) as number
  if (bytes > STATE_BUFFER_SIZE) return bytes
  return context.error(`"${directive.name}" directive value is too small`)
}

function setPoolSize(...[directive, context]: Parameters<Setter>): number {
  const bytes = parseSize(directive.args[0]!)
  if (bytes === null) return context.error(`"${directive.name}" directive invalid value`)
  if (bytes < MIN_POOL_SIZE) return context.error(`the pool size must be no less than ${MIN_POOL_SIZE}`)
  if (bytes % 16 !== 0) return context.error('the pool size must be a multiple of 16')
  return bytes
}

function setIndexSize(...[directive, context]: Parameters<Setter>): number {
  const count = parseInteger(directive.args[0]!)
  if (count === null) return context.error(`"${directive.name}" directive invalid number`)
  if (count > 0 && Number.isInteger(Math.log2(count))) return count
  return context.error(`"${directive.name}" directive must be a power of two`)
}

/** Whether requests with content have to wait until the client knows how little of it may come at first. */
export function limitsFirstContent(conf: Http2SwitchConf): boolean {
  return conf.http2BodyPrereadSize < DEFAULT_WINDOW
}
