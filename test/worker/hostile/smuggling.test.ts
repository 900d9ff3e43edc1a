// The whole corpus of malformed requests, each with another request behind it, in front of a backend that records every
// byte: whatever a location makes of requests, none arrives as two, none leaves anything for the next one to begin with,
// and each ends as the corpus says.

import { type AddressInfo, createServer, type Server } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type MalformedRequest, malformedRequests } from '../../corpus/malformed-requests.ts'
import { requestLength } from '../../support/framing.ts'
import { type RunningProxy, startWeir } from '../../support/proxy.ts'
import { rawRequest } from '../../support/raw-client.ts'

const BEHIND = 'GET /smuggled HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
const BEFORE = 'GET /before HTTP/1.1\r\nHost: a\r\n\r\n'
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

interface Variant {
  name: string
  conf: string
  /** Directives of its server. */
  server?: string
  /** The body is no part of what the backend gets: it may have answered before the body turns out broken. */
  withoutBody?: true
}

const VARIANTS: readonly Variant[] = [
  { name: 'a plain proxy_pass', conf: 'proxy_pass http://%BACKEND%;' },
  { name: 'a proxy_pass with variables', conf: 'proxy_pass http://$backend$uri$is_args$args;' },
  { name: 'HTTP/1.0 to the backend', conf: 'proxy_http_version 1.0; proxy_pass http://%BACKEND%;' },
  {
    name: 'content that goes on as it comes',
    conf: 'proxy_request_buffering off; proxy_pass http://%BACKEND%;',
  },
  { name: 'proxy_method', conf: 'proxy_method GET; proxy_pass http://%BACKEND%/base/;' },
  {
    name: 'proxy_set_body',
    conf: 'proxy_set_body "$request_method $uri"; proxy_pass http://%BACKEND%;',
    withoutBody: true,
  },
  {
    name: 'proxy_pass_request_body off',
    conf: 'proxy_pass_request_body off; proxy_pass http://%BACKEND%;',
    withoutBody: true,
  },
  {
    name: 'header lines that are let through',
    server: 'ignore_invalid_headers off; underscores_in_headers on;',
    conf: 'proxy_pass http://%BACKEND%;',
  },
]

const CONF = `
worker_processes 1;
events { worker_connections 1024; }
http {
  log_format status '$status';
  access_log logs/access.log status;
  map $host $backend { default %BACKEND%; }
  ${VARIANTS.map(
    ({ conf, server = '' }, index) =>
      `server { listen 127.0.0.1:%PORT${index + 1}%; ${server} location / { ${conf} } }`,
  ).join('\n')}
}
`

/** Keeps what every connection brought; answers every whole request. */
class Recorder {
  readonly server: Server = createServer({ noDelay: true }, (socket) => {
    const connection = { bytes: Buffer.alloc(0) as Buffer, answered: 0, taken: 0 }
    this.connections.push(connection)
    socket.on('error', () => socket.destroy())
    socket.on('data', (chunk: Buffer) => {
      connection.bytes = Buffer.concat([connection.bytes, chunk])
      for (;;) {
        const length = requestLength(connection.bytes.subarray(connection.answered))
        if (length === null) return
        connection.answered += length
        socket.write(OK)
      }
    })
  })
  readonly connections: { bytes: Buffer; answered: number; taken: number }[] = []

  get port(): number {
    return (this.server.address() as AddressInfo).port
  }

  /** All that has come since it was asked last. */
  take(): string {
    let text = ''
    for (const connection of this.connections) {
      text += connection.bytes.toString('latin1', connection.taken)
      connection.taken = connection.bytes.length
    }
    return text
  }
}

/** What weir sent a backend before it answered has been read: a connection is accepted in one turn, read in the next. */
async function backendRead(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve))
}

const requestLines = (text: string) => text.match(/[!#$%&'*+.^_`|~\w-]+ \S+ HTTP\/\d\.\d\r\n/g) ?? []
const statuses = (text: string) =>
  (text.match(/HTTP\/1\.1 \d{3} /g) ?? []).map((line) => Number(line.slice(9)))

describe.each(VARIANTS.map((variant, index) => ({ ...variant, index })))('$name', (variant) => {
  const send = async (parts: string[]): Promise<{ answers: number[]; seen: string }> => {
    recorder.take()
    const { bytes, closed } = await rawRequest(weir.ports[variant.index]!, parts, { until: 'close' })
    expect(closed).toBe(true)
    await backendRead()
    return { answers: statuses(bytes.toString('latin1')), seen: recorder.take() }
  }

  const checkEnd = (entry: MalformedRequest, cut: boolean, answers: number[], seen: string): void => {
    const early = cut && variant.withoutBody === true && answers[0] === 200
    expect(answers, `${entry.name}: ${JSON.stringify(seen)}`).toEqual([early ? 200 : entry.status])
    expect(requestLines(seen).length, entry.name).toBeLessThan(2)
    expect(seen, entry.name).not.toMatch(/smuggled/)
  }

  it('sends no backend two requests for one', { timeout: 60_000 }, async () => {
    for (const entry of malformedRequests) {
      const { answers, seen } = await send([entry.bytes + BEHIND])
      checkEnd(entry, false, answers, seen)
    }
  })

  it('does not for one whose body comes after its head either', { timeout: 60_000 }, async () => {
    for (const entry of malformedRequests) {
      const end = entry.bytes.indexOf('\r\n\r\n') + 4
      if (end < 4 || end === entry.bytes.length) continue
      const { answers, seen } = await send([entry.bytes.slice(0, end), entry.bytes.slice(end) + BEHIND])
      checkEnd(entry, true, answers, seen)
    }
  })

  it('does not for one behind a sound request on the same connections', { timeout: 60_000 }, async () => {
    for (const entry of malformedRequests) {
      const { answers, seen } = await send([BEFORE + entry.bytes + BEHIND])
      expect(answers, entry.name).toEqual([200, entry.status])
      expect(requestLines(seen).length, entry.name).toBeLessThan(3)
      expect(seen, entry.name).not.toMatch(/smuggled/)
    }
    // What is left of the backend's connections is in order.
    const after = await rawRequest(weir.ports[variant.index]!, BEHIND.replace('smuggled', 'after'), {
      until: 'close',
    })
    expect(statuses(after.bytes.toString('latin1'))).toEqual([200])
    expect(requestLines(recorder.take()).at(-1)).toMatch(/\/after HTTP/)
  })
})

let recorder: Recorder
let weir: RunningProxy

beforeAll(async () => {
  recorder = new Recorder()
  await new Promise<void>((done) => recorder.server.listen(0, '127.0.0.1', done))
  weir = await startWeir(CONF, { vars: { BACKEND: `127.0.0.1:${recorder.port}` } })
})
afterAll(async () => {
  const errors = weir?.errorLog ?? ''
  await weir?.stop()
  await new Promise((done) => recorder.server.close(done))
  expect(errors).not.toMatch(/\[(alert|crit|emerg)\]/)
})

it('every entry has a status that refuses it', () => {
  for (const { name, status } of malformedRequests) expect(status, name).toBeGreaterThanOrEqual(400)
  expect(new Set(malformedRequests.map(({ name }) => name)).size).toBe(malformedRequests.length)
})
