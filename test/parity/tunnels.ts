// Side by side for upgraded connections: the same steps by hand, on both ends, with nginx and with weir between them.
// What both ends received and what the logs say must be equal.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Peer, PeerServer } from '../support/peer.ts'
import { nginxMissing, type RunningProxy, startNginx, startWeir } from '../support/proxy.ts'
import { eventually } from '../support/wait.ts'
import { accessLines, answerLines, errorLines, requestLines } from './normalise.ts'

/** Both ends of what one proxy does. */
export interface Ends {
  client: Peer
  /** The backend's end; resolves when the proxy has connected. */
  backend(): Promise<Peer>
}

export interface TunnelCase {
  name: string
  /** Plays both ends; what they have received is compared afterwards. */
  play(ends: Ends): Promise<void>
  /** Lines of access log to wait for; default 1. */
  logged?: number
  /** Compare info messages of the error log too. */
  info?: true
}

interface View {
  client: string[]
  backend: string[]
  access: string[]
  error: string[]
}

/** Everything that counts bytes. */
export const COUNTING = `
  log_format tunnels '$request_method $request_uri: $status bytes=$bytes_sent body=$body_bytes_sent '
    'upstream: $upstream_status sent=$upstream_bytes_sent received=$upstream_bytes_received '
    'request=$request_length response=$upstream_response_length';
  access_log logs/access.log tunnels;`

if (nginxMissing !== null) console.warn(`upgrades are not compared with nginx: ${nginxMissing}`)

/** Declares a test for each case. `http` is the content of the http block, with %PORT% and %BACKEND%. */
export function describeTunnels(area: string, http: string, cases: readonly TunnelCase[]): void {
  describe.skipIf(nginxMissing !== null)(area, () => {
    let backend: PeerServer
    let proxies: RunningProxy[] = []

    beforeAll(async () => {
      backend = await PeerServer.start()
      const conf = `worker_processes 1;\nevents { worker_connections 64; }\nhttp {\n${http}\n}\n`
      const options = { vars: { BACKEND: backend.address } }
      const second = process.env.PARITY_AGAINST === 'nginx' ? startNginx : startWeir
      proxies = await Promise.all([startNginx(conf, options), second(conf, options)])
    })
    afterAll(() => Promise.all([...proxies.map((proxy) => proxy.stop()), backend?.stop()]))

    it.for(cases)('$name', async (tunnelCase) => {
      const [expected, actual] = [
        await view(proxies[0]!, backend, tunnelCase),
        await view(proxies[1]!, backend, tunnelCase),
      ]
      if (process.env.PARITY_SHOW === '1') console.log(JSON.stringify({ expected, actual }, null, 1))
      expect(actual).toEqual(expected)
    })
  })
}

async function view(proxy: RunningProxy, backend: PeerServer, tunnelCase: TunnelCase): Promise<View> {
  backend.drop()
  const before = { access: proxy.accessLog.length, error: proxy.errorLog.length }
  const client = await Peer.connect(proxy.port)
  const peers: Peer[] = []
  const taken = async () => {
    const peer = await backend.next()
    peers.push(peer)
    return peer
  }
  try {
    await tunnelCase.play({ client, backend: taken })
    const lines = tunnelCase.logged ?? 1
    const access = () => proxy.accessLog.slice(before.access)
    await eventually('access log', () => access().split('\n').length > lines, 3000).catch(() => {})
    return {
      client: answerLines(client.received, proxy),
      backend: peers.flatMap((peer) => requestLines(peer.received, proxy, false)),
      access: accessLines(access(), client.received, proxy),
      error: errorLines(proxy.errorLog.slice(before.error), proxy, tunnelCase.info ?? false),
    }
  } finally {
    client.destroy()
  }
}
