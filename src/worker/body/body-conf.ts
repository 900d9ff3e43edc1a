// `client_max_body_size` and the directives about where the body of a request is kept while it is read.

import { HTTP_ANY, SERVER } from '../../shared/conf/command.ts'
import { flag, offset, oneOf, size } from '../../shared/conf/setters.ts'
import { defineModule } from '../http/module.ts'
import { defaultTempPath, setTempPath, type TempPath } from './temp-path.ts'

export interface RequestBodyConf {
  /** Bytes; 0: no limit. */
  clientMaxBodySize: number
  /** Bytes of one body in memory, about. */
  clientBodyBufferSize: number
  clientBodyInFileOnly: 'off' | 'on' | 'clean'
  /** A body in memory is one piece in any case. */
  clientBodyInSingleBuffer: boolean
  /** Set within a server. */
  clientBodyTempPath: TempPath | undefined
}

export const requestBody = defineModule<RequestBodyConf>({
  name: 'request_body',
  commands: [
    { name: 'client_max_body_size', in: HTTP_ANY, args: 1, set: offset(), default: 1024 * 1024 },
    { name: 'client_body_buffer_size', in: HTTP_ANY, args: 1, set: size(), default: 16 * 1024 },
    {
      name: 'client_body_in_file_only',
      in: HTTP_ANY,
      args: 1,
      set: oneOf({ off: 'off', on: 'on', clean: 'clean' }),
      default: 'off',
    },
    { name: 'client_body_in_single_buffer', in: HTTP_ANY, args: 1, set: flag(), default: false },
    { name: 'client_body_temp_path', in: HTTP_ANY, args: [1, 4], set: setTempPath },
  ],
  variables: {
    request_body: (r) => r.body?.text ?? null,
    request_body_file: (r) => r.body?.fileName ?? null,
  },
  finish(conf, scope, context) {
    if (scope.kind === SERVER) conf.clientBodyTempPath ??= defaultTempPath('client_body_temp', context)
  },
})
