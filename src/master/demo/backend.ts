// The demo's backend: an HTTP server that answers with the request it received, so that people see what the proxy
// sends to a backend, plus a few answers worth proxying (slow, streamed, large, a chosen status, a WebSocket echo).

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { WebSocketServer } from 'ws'

const ECHO_LIMIT = 1024 * 1024
const MOST_BYTES = 1024 * 1024 * 1024
const LONGEST_DELAY = 120_000

/** A server, not yet listening, that puts `name` into the `X-Backend` field of its answers. */
export function createBackend(name: string): Server {
  const server = createServer((request, response) => {
    response.setHeader('X-Backend', name)
    answer(request, response).catch(() => response.destroy())
  })
  const sockets = new WebSocketServer({ noServer: true, maxPayload: ECHO_LIMIT })
  server.on('upgrade', (request, stream, head) => {
    sockets.handleUpgrade(request, stream, head, (socket) => sockets.emit('connection', socket, request))
  })
  sockets.on('connection', (socket) => {
    socket.on('message', (message, isBinary) => socket.send(message, { binary: isBinary }))
    socket.on('error', () => socket.terminate())
  })
  return server
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://backend')
  const [, first, second] = url.pathname.split('/')
  if (first === 'slow') await delay(bounded(url.searchParams.get('ms'), 1000, LONGEST_DELAY))
  else if (first === 'status') response.statusCode = statusCode(second)
  else if (first === 'bytes') return sendBytes(response, bounded(second, 1024, MOST_BYTES))
  else if (first === 'stream') return sendStream(response, bounded(url.searchParams.get('lines'), 10, 1000))
  else if (first === 'ws') return sendPage(response)
  await echo(request, response)
}

function bounded(text: string | null | undefined, fallback: number, most: number): number {
  return text && /^\d+$/.test(text) ? Math.min(Number(text), most) : fallback
}

/** Informational codes would end no response, and codes outside of 200-599 are not HTTP's. */
function statusCode(text: string | undefined): number {
  return text && /^[2-5]\d\d$/.test(text) ? Number(text) : 400
}

async function echo(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { body, length } = await readBody(request)
  if (request.headers.accept?.includes('application/json')) {
    const { method, url, httpVersion } = request
    const seen = { method, url, httpVersion, headers: fieldLines(request), length, body: body.toString() }
    response.setHeader('Content-Type', 'application/json')
    response.end(`${JSON.stringify(seen, null, 2)}\n`)
    return
  }
  response.setHeader('Content-Type', 'text/plain; charset=utf-8')
  const fields = fieldLines(request).map((line) => `${line}\n`)
  const cut = length > body.length ? `\n(${length - body.length} more bytes)\n` : ''
  response.write(`${request.method} ${request.url} HTTP/${request.httpVersion}\n${fields.join('')}\n`)
  response.write(body)
  response.end(cut)
}

/** The fields as they arrived: order, case and repetition kept. */
function fieldLines({ rawHeaders }: IncomingMessage): string[] {
  const lines: string[] = []
  for (let index = 0; index < rawHeaders.length; index += 2) {
    lines.push(`${rawHeaders[index]}: ${rawHeaders[index + 1]}`)
  }
  return lines
}

async function readBody(request: IncomingMessage): Promise<{ body: Buffer; length: number }> {
  const kept: Buffer[] = []
  let length = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    if (length < ECHO_LIMIT) kept.push(chunk.subarray(0, ECHO_LIMIT - length))
    length += chunk.length
  }
  return { body: Buffer.concat(kept), length }
}

async function sendBytes(response: ServerResponse, count: number): Promise<void> {
  response.setHeader('Content-Type', 'application/octet-stream')
  response.setHeader('Content-Length', count)
  const block = Buffer.alloc(64 * 1024, 'weir ')
  for (let left = count; left > 0; left -= block.length) {
    const flowing = response.write(left < block.length ? block.subarray(0, left) : block)
    if (!flowing && !(await drained(response))) return
  }
  response.end()
}

/** Resolves to false when the connection went away instead. */
function drained(response: ServerResponse): Promise<boolean> {
  if (response.destroyed) return Promise.resolve(false)
  return new Promise((resolve) => {
    const settle = () => {
      response.off('drain', settle).off('close', settle)
      resolve(!response.destroyed)
    }
    response.on('drain', settle).on('close', settle)
  })
}

async function sendStream(response: ServerResponse, lines: number): Promise<void> {
  response.setHeader('Content-Type', 'text/plain; charset=utf-8')
  for (let line = 1; line <= lines && !response.destroyed; line++) {
    response.write(`line ${line} of ${lines}\n`)
    if (line < lines) await delay(200)
  }
  response.end()
}

/** A page to try the WebSocket echo from; the WebSocket itself never comes here. */
function sendPage(response: ServerResponse): void {
  response.setHeader('Content-Type', 'text/html; charset=utf-8')
  response.end(`<!doctype html>
<title>WebSocket echo</title>
<form><input autofocus placeholder="say something"></form>
<pre></pre>
<script>
  const [form, input, pre] = ['form', 'input', 'pre'].map((name) => document.querySelector(name))
  const socket = new WebSocket(location.href.replace(/^http/, 'ws'))
  const show = (line) => pre.append(line + '\\n')
  socket.onopen = () => show('connected')
  socket.onmessage = (event) => show('backend: ' + event.data)
  socket.onclose = () => show('closed')
  form.onsubmit = (event) => {
    event.preventDefault()
    socket.send(input.value)
    input.value = ''
  }
</script>
`)
}
