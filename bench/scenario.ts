// What a scenario says: the load, the few words of nginx.conf it changes, and the ratio it aims at.
// One file per scenario under scenarios/, listed in order in scenarios/index.ts.

/** Requests at full speed over a number of connections. */
export interface LoadScenario {
  kind: 'load'
  /** Name for `--scenario`, also the key in the JSON. */
  name: string
  /** A line for people. */
  title: string
  method: 'GET' | 'POST'
  /** Path asked for: one of those the backend knows. */
  path: BackendPath
  /** Bytes sent as request body; 0 for none. */
  requestBytes: number
  connections: number
  /** false: every request opens a connection and asks for it to be closed. */
  keepalive: boolean
  accessLog: boolean
  /** Adds `reuseport` to `listen`: weir's worker accepts by itself instead of being handed sockets. */
  reuseport: boolean
  /** So many servers with four locations each, over all of which requests are spread; null: one location. */
  servers: number | null
  /** Servers of the upstream, which are addresses of one backend; more than one are balanced by `least_conn`. */
  peers: number
  /** The answers are files of the proxy's own folder, not a backend's. */
  files: boolean
  /** Clients accept gzip, and the proxy compresses. */
  gzip: boolean
  /** Clients speak TLS 1.3 to the proxy. */
  tls: boolean
  /** Each connection but the first resumes the session of one before it. */
  resumed: boolean
  /** Clients speak HTTP/2, with so many requests at a time on each connection; null: HTTP/1.1. */
  streams: number | null
  /** nginx CPU / weir CPU to reach; null when none is set. */
  target: number | null
}

/** Connections that have had one answer and are left open; memory is measured, not speed. */
export interface IdleScenario {
  kind: 'idle'
  name: string
  title: string
  path: BackendPath
  connections: number
}

/** Event streams that stay open, on each of which the backend writes an event now and then. */
export interface StreamsScenario {
  kind: 'streams'
  name: string
  title: string
  path: string
  connections: number
  /** Milliseconds from one event of a stream to the next. */
  interval: number
}

/** WebSockets on each of which a message waits for its echo, and the next one follows. */
export interface MessagesScenario {
  kind: 'messages'
  name: string
  title: string
  path: string
  connections: number
  /** Payload of a message. */
  bytes: number
  /** As of a load. */
  target: number | null
}

/** Starts on a configuration of so many servers with four locations each; time and memory are measured. */
export interface StartScenario {
  kind: 'start'
  name: string
  title: string
  path: BackendPath
  servers: number
}

export type Scenario = LoadScenario | IdleScenario | StreamsScenario | MessagesScenario | StartScenario

/** Size of the body answered for each path. */
export const BACKEND_BYTES = {
  '/1k': 1024,
  '/64k': 64 * 1024,
  '/1m': 1024 * 1024,
  '/post': 2,
  /** Text, and JSON. */
  '/page': 32 * 1024,
  '/json': 32 * 1024,
  /** And everything else below /many/: see many.ts. */
  '/many/exact': 1024,
} as const

/** The backend listens on each of them, with the same port. */
export const BACKEND_ADDRESSES: readonly string[] = Array.from(
  { length: 16 },
  (_, index) => `127.0.0.${index + 1}`,
)

export type BackendPath = keyof typeof BACKEND_BYTES

/** The 1 KiB GET over 64 keepalive connections with the access log on: what the others vary. */
export const baseline: LoadScenario = {
  kind: 'load',
  name: '1k',
  title: '1 KiB GET, access log on',
  method: 'GET',
  path: '/1k',
  requestBytes: 0,
  connections: 64,
  keepalive: true,
  accessLog: true,
  reuseport: false,
  servers: null,
  peers: 1,
  files: false,
  gzip: false,
  tls: false,
  resumed: false,
  streams: null,
  target: 0.95,
}
