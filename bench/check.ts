// One request to a proxy that has just started: figures of wrong answers are worth nothing.

import { get } from 'node:http'
import { type ClientHttp2Stream, connect } from 'node:http2'
import { get as getSecurely } from 'node:https'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import {
  BACKEND_BYTES,
  type LoadScenario,
  type MessagesScenario,
  type Scenario,
  type StreamsScenario,
} from './scenario.ts'

/** Milliseconds. */
const PATIENCE = 5000

/** `url` gives the proxy's URL of a path. Rejects unless the answer is the right one. */
export function checkFirst(url: (path: string) => string, scenario: Scenario): Promise<void> {
  if (scenario.kind === 'streams') return checkStream(url(scenario.path), scenario.path)
  // Clients of messages look at every answer.
  if (scenario.kind === 'messages') return Promise.resolve()
  return scenario.kind === 'load' && scenario.streams !== null
    ? checkHttp2(url(scenario.path), scenario)
    : checkHttp1(url(scenario.path), scenario)
}

function checkHttp1(
  url: string,
  scenario: Exclude<Scenario, StreamsScenario | MessagesScenario>,
): Promise<void> {
  const post = scenario.kind === 'load' && scenario.method === 'POST'
  const gzip = scenario.kind === 'load' && scenario.gzip
  return new Promise((resolve, reject) => {
    const ask = url.startsWith('https:') ? getSecurely : get
    const request = ask(url, {
      agent: false,
      method: post ? 'POST' : 'GET',
      timeout: PATIENCE,
      headers: gzip ? { 'Accept-Encoding': 'gzip' } : {},
      rejectUnauthorized: false,
    })
    request.on('response', (response) => {
      const zipped = response.headers['content-encoding'] === 'gzip'
      response.on('error', reject)
      count(zipped ? response.pipe(createGunzip()) : response, reject, (bytes) => {
        const right = response.statusCode === 200 && bytes === BACKEND_BYTES[scenario.path] && zipped === gzip
        if (right) resolve()
        else reject(wrong(scenario.path, response.statusCode, bytes))
      })
    })
    request.on('timeout', () => request.destroy(late(scenario.path)))
    request.on('error', reject)
    request.end()
  })
}

function checkHttp2(url: string, { path }: LoadScenario): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    const session = connect(new URL(url).origin, { rejectUnauthorized: false })
    session.on('error', reject)
    const stream: ClientHttp2Stream = session.request({ ':path': path })
    let status = 0
    stream.on('response', (headers) => {
      status = headers[':status'] ?? 0
    })
    stream.on('error', reject)
    stream.setTimeout(PATIENCE, () => reject(late(path)))
    count(stream, reject, (bytes) => {
      session.destroy()
      if (status === 200 && bytes === BACKEND_BYTES[path]) resolve()
      else reject(wrong(path, status, bytes))
    })
  })
}

function count(content: Readable, reject: (error: Error) => void, ended: (bytes: number) => void): void {
  let bytes = 0
  content.on('data', (chunk: Buffer) => {
    bytes += chunk.length
  })
  content.on('error', reject)
  content.on('end', () => ended(bytes))
}

/** Resolves with the first event of a stream. */
function checkStream(url: string, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false, timeout: PATIENCE }, (response) => {
      response.once('data', () => {
        if (response.statusCode === 200) resolve()
        else reject(new Error(`answered ${path} with ${response.statusCode}`))
        request.destroy()
      })
      response.on('error', () => {})
    })
    request.on('timeout', () => request.destroy(new Error(`sent no event of ${path} in 5 seconds`)))
    request.on('error', reject)
  })
}

function wrong(path: string, status: number | undefined, bytes: number): Error {
  return new Error(`answered ${path} with ${status} and ${bytes} bytes`)
}

function late(path: string): Error {
  return new Error(`did not answer ${path} in 5 seconds`)
}
