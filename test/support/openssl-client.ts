// `openssl s_client` as a client: one connection, one request, everything that it tells of both.

import { spawn } from 'node:child_process'

export interface OpensslAnswer {
  /** The HTTP response as it came (latin1); '' where none did. */
  readonly answer: string
  /** What stands behind its head. */
  readonly body: string
  /** All that the client wrote, errors too. */
  readonly text: string
}

/** One request to close the connection behind. */
export function closingRequest(host = 'localhost', path = '/'): string {
  return `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`
}

/** Connects to `port` with these arguments, sends `request`, and waits until the server has closed the connection. */
export function opensslClient(
  port: number,
  args: readonly string[] = [],
  request = closingRequest(),
): Promise<OpensslAnswer> {
  return new Promise((resolve, reject) => {
    const client = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, '-quiet', ...args])
    let text = ''
    let errors = ''
    client.stdout.on('data', (bytes: Buffer) => {
      text += bytes.toString('latin1')
    })
    client.stderr.on('data', (bytes: Buffer) => {
      errors += bytes.toString('latin1')
    })
    // A server that refuses the handshake does not read what is sent.
    client.stdin.on('error', () => {})
    client.on('error', reject)
    client.on('close', () => {
      const at = text.search(/HTTP\/1\.[01] \d/)
      const answer = at < 0 ? '' : text.slice(at)
      const [, body = ''] = answer.split(/\r\n\r\n(.*)/s)
      resolve({ answer, body, text: text + errors })
    })
    client.stdin.end(request, 'latin1')
  })
}
