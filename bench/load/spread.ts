// autocannon with requests for every location of many servers; its command line knows one target only. Run as a
// process of its own: spread.ts PORT CONNECTIONS SECONDS SERVERS; prints autocannon's JSON.

import { createRequire } from 'node:module'
import { MANY_PATHS, manyHost } from '../many.ts'

interface Client {
  setRequests(requests: readonly object[]): void
}

interface AutocannonOptions {
  url: string
  connections: number
  duration: number
  setupClient(client: Client): void
}

const autocannon = createRequire(import.meta.url)('autocannon') as (
  options: AutocannonOptions,
) => Promise<object>
const [port, connections, duration, servers] = process.argv.slice(2).map(Number) as [
  number,
  number,
  number,
  number,
]
const requests = Array.from({ length: servers }, (_, server) =>
  MANY_PATHS.map((path) => ({ method: 'GET', path, headers: { host: manyHost(server) } })),
).flat()
let clients = 0

const report = await autocannon({
  url: `http://127.0.0.1:${port}`,
  connections,
  duration,
  // Every connection begins somewhere else, so that they do not all ask for the same at the same time.
  setupClient(client) {
    const start = Math.floor((requests.length * clients++) / connections)
    client.setRequests([...requests.slice(start), ...requests.slice(0, start)])
  },
})
console.log(JSON.stringify(report))
