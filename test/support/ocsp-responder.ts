// An OCSP responder on the loopback interface: what it is asked, `openssl ocsp` answers from an authority's index.

import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Authority } from './certificates.ts'

const run = promisify(execFile)

export class OcspResponder {
  readonly #server: Server
  /** Signs the answers, and has the index. */
  #authority: Authority | null = null
  #count = 0
  /** Method and path of each request so far. */
  readonly asked: string[] = []
  /** Answers in place of openssl. */
  answer: ((request: IncomingMessage, response: ServerResponse) => void) | null = null
  /** Options of `openssl ocsp`. */
  options: readonly string[] = ['-nmin', '60']

  private constructor() {
    this.#server = createServer((request, response) => void this.#respond(request, response))
  }

  /** Where it is has to be known before there are certificates that name it; `serve` says whose they are. */
  static async start(): Promise<OcspResponder> {
    const responder = new OcspResponder()
    await new Promise<void>((done) => responder.#server.listen(0, '127.0.0.1', done))
    return responder
  }

  serve(authority: Authority): void {
    this.#authority = authority
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((done) => this.#server.close(done))
  }

  async #respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.asked.push(`${request.method} ${request.url}`)
    if (this.answer !== null) return this.answer(request, response)
    const { folder, index, certFile, keyFile } = this.#authority!
    const base = join(folder, `ocsp-${++this.#count}`)
    await writeFile(
      `${base}.req`,
      Buffer.from(decodeURIComponent(request.url!.replace(/^.*\//, '')), 'base64'),
    )
    const from = ['-index', index, '-CA', certFile, '-rsigner', certFile, '-rkey', keyFile]
    await run('openssl', [
      'ocsp',
      '-reqin',
      `${base}.req`,
      '-respout',
      `${base}.resp`,
      ...from,
      ...this.options,
    ])
    response.setHeader('Content-Type', 'application/ocsp-response')
    response.end(await readFile(`${base}.resp`))
  }
}
