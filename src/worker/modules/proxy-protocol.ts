// Variables of the PROXY protocol: what the header in front of the connection said, where `listen` asks for one.

import { TlvError } from '../connection/proxy-protocol.ts'
import { defineModule, type VariableFamily } from '../http/module.ts'
import type { Request } from '../http/request.ts'

/** A port; as in nginx 0 is empty, not unknown. */
function port(value: number | undefined): string | null {
  return value === undefined ? null : value === 0 ? '' : String(value)
}

/** `$proxy_protocol_tlv_alpn`, `_0x01`, `_ssl_cn`... */
const tlv: VariableFamily = (name) => (r: Request) => {
  const { proxyProtocol } = r.stream.connection
  if (proxyProtocol === null) return null
  try {
    return proxyProtocol.tlv(name)
  } catch (error) {
    if (!(error instanceof TlvError)) throw error
    r.log('error', error.message)
    return null
  }
}

export const proxyProtocol = defineModule({
  name: 'proxy_protocol',
  commands: [],
  variables: {
    proxy_protocol_addr: (r) => r.stream.connection.proxyProtocol?.sourceAddress ?? null,
    proxy_protocol_port: (r) => port(r.stream.connection.proxyProtocol?.sourcePort),
    proxy_protocol_server_addr: (r) => r.stream.connection.proxyProtocol?.destinationAddress ?? null,
    proxy_protocol_server_port: (r) => port(r.stream.connection.proxyProtocol?.destinationPort),
  },
  families: { proxy_protocol_tlv_: tlv },
})
