// One question to an OCSP responder, as nginx asks it: GET with the request in the path (RFC 6960 appendix A.1), which
// caches in between can answer. How long it may take and how much it may say is bounded whatever the responder does.

import { connect as connectSocket } from 'node:net'
import type { Client as UndiciClient } from 'undici'
import { errnoText } from '../../shared/errno.ts'
import type { LookUp } from '../../shared/names/found.ts'
import { addressName } from '../../worker/upstream/url.ts'
import { OcspFailure } from './ocsp.ts'

/** Where a responder is. */
export interface Responder {
  /** As written. */
  readonly host: string
  /** null: it has to be looked up. */
  readonly ip: string | null
  readonly port: number
  /** Path that requests are put behind. */
  readonly uri: string
}

/** Milliseconds for each step. */
const TIMEOUT = 60_000
/** Longest head and longest response together in nginx. */
const LONGEST = 16_384
const TYPE = 'application/ocsp-response'

/** Asks `responder`; `asking` is told of each address that is. Throws OcspFailure for what went wrong with the last of them. */
export async function askResponder(
  responder: Responder,
  request: Buffer,
  lookUp: LookUp,
  asking: (peer: string) => void,
): Promise<Buffer> {
  const addresses = responder.ip === null ? await find(responder.host, lookUp) : [responder.ip]
  let failure = new OcspFailure(`${responder.host} could not be resolved (3: Host not found)`)
  for (const address of addresses) {
    asking(addressName(address, responder.port))
    try {
      return await ask(responder, address, request)
    } catch (error) {
      failure = error instanceof OcspFailure ? error : new OcspFailure(words(error))
    }
  }
  throw failure
}

function find(host: string, lookUp: LookUp): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    lookUp(host, (found) => {
      if ('addresses' in found) resolve(found.addresses)
      else reject(new OcspFailure(`${host} could not be resolved (${found.failure})`))
    })
  })
}

async function ask(responder: Responder, address: string, request: Buffer): Promise<Buffer> {
  const { Client } = await import('undici')
  const { host, port, uri } = responder
  const client: UndiciClient = new Client('http://localhost', {
    allowH2: false,
    maxHeaderSize: LONGEST,
    headersTimeout: TIMEOUT,
    bodyTimeout: TIMEOUT,
    maxResponseSize: LONGEST,
    connect: (_options, done) => {
      const socket = connectSocket({ host: address, port, timeout: TIMEOUT })
      const failed = (error: Error) => done(error, null)
      socket.once('error', failed)
      socket.once('timeout', () => socket.destroy(timedOut()))
      socket.once('connect', () => {
        socket.removeListener('error', failed)
        socket.setTimeout(0)
        done(null, socket)
      })
    },
  })
  try {
    const path = `${uri}${uri.endsWith('/') ? '' : '/'}${encodeURIComponent(request.toString('base64'))}`
    const { headers, body } = await client.request({ method: 'GET', path, headers: { host }, reset: true })
    const type = String(headers['content-type'] ?? '')
    if (type !== '' && type.toLowerCase() !== TYPE) {
      throw new OcspFailure(`OCSP responder sent invalid "Content-Type" header: "${type}"`)
    }
    return Buffer.from(await body.arrayBuffer())
  } finally {
    await client.destroy()
  }
}

function timedOut(): Error {
  return Object.assign(new Error('timed out'), { code: 'ETIMEDOUT' })
}

/** What Node or undici say, in nginx's words. */
function words(error: unknown): string {
  const { code = '', name } = error as NodeJS.ErrnoException
  if (/TIMEOUT|TIMEDOUT/.test(code)) return 'OCSP responder timed out (110: Connection timed out)'
  if (code === 'UND_ERR_SOCKET') return 'OCSP responder prematurely closed connection'
  if (name === 'HTTPParserError' || !/^E[A-Z]+$/.test(code)) return 'OCSP responder sent invalid response'
  return `connect() failed (${errnoText(error)})`
}
