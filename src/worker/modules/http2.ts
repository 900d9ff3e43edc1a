// `http2`: whether connections to a server may speak HTTP/2. Over TLS it is offered by ALPN where the server that SNI
// names says so; plain connections may begin with its preface where the default server of their address does.

import { HTTP, SERVER } from '../../shared/conf/command.ts'
import { flag } from '../../shared/conf/setters.ts'
import { defineModule } from '../http/module.ts'

export interface Http2SwitchConf {
  http2: boolean
}

export const http2Switch = defineModule<Http2SwitchConf>({
  name: 'http2',
  commands: [{ name: 'http2', in: HTTP | SERVER, args: 1, set: flag(), default: false }],
})
