// How the head of a client's request is read: room for it, which header lines count, how its URI is normalised. The
// connection takes these from the address's default server until the request names another; see http1/head-rules.ts.

import { HTTP, SERVER, type Setter } from '../../shared/conf/command.ts'
import { type Buffers, buffers, flag, number, size } from '../../shared/conf/setters.ts'
import { defineModule } from '../http/module.ts'

export interface ClientHeadConf {
  /** Bytes a head may take without a large buffer. */
  clientHeaderBufferSize: number
  /** Each holds at least one whole line. */
  largeClientHeaderBuffers: Buffers
  maxHeaders: number
  /** Header lines with odd names are left out; otherwise they go on to the backend. */
  ignoreInvalidHeaders: boolean
  /** `_` is not odd. */
  underscoresInHeaders: boolean
  mergeSlashes: boolean
}

/** nginx's connection_pool_size, which a large buffer may not be smaller than. */
const POOL_SIZE = 512

export const clientHeadDefaults: ClientHeadConf = {
  clientHeaderBufferSize: 1024,
  largeClientHeaderBuffers: { count: 4, size: 8192 },
  maxHeaders: 1000,
  ignoreInvalidHeaders: true,
  underscoresInHeaders: false,
  mergeSlashes: true,
}

const ANYWHERE = HTTP | SERVER
const defaults = clientHeadDefaults

export const clientHead = defineModule<ClientHeadConf>({
  name: 'client_head',
  commands: [
    {
      name: 'client_header_buffer_size',
      in: ANYWHERE,
      args: 1,
      set: size(),
      default: defaults.clientHeaderBufferSize,
    },
    {
      name: 'large_client_header_buffers',
      in: ANYWHERE,
      args: 2,
      set: setLargeBuffers,
      default: defaults.largeClientHeaderBuffers,
    },
    { name: 'max_headers', in: ANYWHERE, args: 1, set: number(), default: defaults.maxHeaders },
    { name: 'ignore_invalid_headers', in: ANYWHERE, args: 1, set: flag(), default: true },
    { name: 'underscores_in_headers', in: ANYWHERE, args: 1, set: flag(), default: false },
    { name: 'merge_slashes', in: ANYWHERE, args: 1, set: flag(), default: true },
  ],
})

function setLargeBuffers(...[directive, context, previous]: Parameters<Setter>): Buffers {
  const value = buffers()(directive, context, previous) as Buffers
  if (value.size < POOL_SIZE) {
    const rule = 'size must be equal to or greater than "connection_pool_size"'
    context.error(`the "large_client_header_buffers" ${rule}`)
  }
  return value
}
