// The well-behaved clients of the soak: what each sends, and what it must get. Every kind is a session on one
// connection, run again and again by as many clients as `clients` says.

import { setTimeout as delay } from 'node:timers/promises'
import type { Ledger } from './ledger.ts'
import { patternAt } from './pattern.ts'
import { type Answer, Broken, Wire, Wrong } from './wire.ts'

export interface Soak {
  ledger: Ledger
  /** Where to connect: both ways of accepting, in turn. */
  port(): number
  /** Clients finish what they are at and begin nothing new. */
  readonly stopping: boolean
}

export interface ClientKind {
  name: string
  /** How many at once. */
  clients: number
  /** One connection from its opening to its end. */
  session(soak: Soak, name: string): Promise<void>
}

/** What an answer must be. */
interface Expected {
  statuses: readonly number[]
  /** Length of a body that is the pattern; checked where the status is 200. */
  body?: number
  /** The backend may die in the middle: a broken answer is as good. */
  mayBreak?: boolean
  /** It has a line in the buffered log as well. */
  buffered?: boolean
}

/** Milliseconds between two requests of a usual client. */
export const PAUSE = 40

/** A whole number from `least` to `most`. */
export function between(least: number, most: number): number {
  return least + Math.floor(Math.random() * (most - least + 1))
}

/** Head of a request for `path` with number `id`. */
export function head(method: string, path: string, id: number, more = ''): string {
  return `${method} ${path}?n=${id} HTTP/1.1\r\nHost: soak.test\r\nUser-Agent: soak\r\n${more}\r\n`
}

/** Reads an answer and enters it in the ledger; false when the connection broke and was allowed to. */
export async function receive(
  soak: Soak,
  wire: Wire,
  name: string,
  id: number,
  expected: Expected,
  slow = 0,
): Promise<boolean> {
  let answer: Answer
  try {
    answer = await wire.answer(false, slow)
  } catch (error) {
    if (!(error instanceof Broken) || !expected.mayBreak) throw error
    soak.ledger.succeeded(name)
    return false
  }
  soak.ledger.answered(id, answer.status)
  if (!expected.statuses.includes(answer.status)) throw new Wrong(`status ${answer.status}`)
  if (expected.buffered) soak.ledger.buffered.add(id)
  const { body } = expected
  if (body !== undefined && answer.status === 200 && (answer.length !== body || !answer.pattern)) {
    throw new Wrong(`body of ${answer.length} bytes for ${body}${answer.pattern ? '' : ', garbled'}`)
  }
  soak.ledger.succeeded(name)
  return true
}

/** A session of up to `most` requests with a pause between them. */
async function requests(
  soak: Soak,
  most: number,
  pause: number,
  one: (wire: Wire) => Promise<boolean>,
): Promise<void> {
  const wire = new Wire(soak.port())
  try {
    for (let left = between(1, most); left > 0 && !soak.stopping; left--) {
      if (!(await one(wire))) return
      await delay(between(0, pause * 2))
    }
  } finally {
    wire.end()
  }
}

/** GET after GET of `path(size)`. */
function gets(
  path: (size: number) => string,
  size: () => number,
  expected: Partial<Expected>,
  pause = PAUSE,
) {
  return (soak: Soak, name: string): Promise<void> =>
    requests(soak, 100, pause, (wire) => {
      const length = size()
      const id = soak.ledger.next()
      wire.write(head('GET', path(length), id))
      return receive(soak, wire, name, id, { statuses: [200], body: length, ...expected })
    })
}

async function postLength(soak: Soak, name: string): Promise<void> {
  await requests(soak, 30, PAUSE * 2, async (wire) => {
    const length = between(0, 3) === 0 ? between(0, 400_000) : between(0, 4000)
    const id = soak.ledger.next()
    wire.write(head('POST', '/echo', id, `Content-Length: ${length}\r\n`))
    const answer = receive(soak, wire, name, id, { statuses: [200], body: length })
    await Promise.all([sendBody(wire, length), answer])
    return answer
  })
}

async function sendBody(wire: Wire, length: number): Promise<void> {
  for (let at = 0; at < length && wire.open; ) {
    const piece = patternAt(at, Math.min(length - at, 16_384))
    wire.write(piece)
    at += piece.length
    await wire.drained()
  }
}

async function postChunked(soak: Soak, name: string): Promise<void> {
  await requests(soak, 30, PAUSE * 2, async (wire) => {
    const length = between(0, 60_000)
    const id = soak.ledger.next()
    wire.write(head('POST', '/echo', id, 'Transfer-Encoding: chunked\r\n'))
    const answer = receive(soak, wire, name, id, { statuses: [200], body: length })
    await Promise.all([sendChunks(wire, length), answer])
    return answer
  })
}

async function sendChunks(wire: Wire, length: number): Promise<void> {
  for (let at = 0; at < length && wire.open; ) {
    const piece = patternAt(at, Math.min(length - at, between(1, 9000)))
    wire.write(`${piece.length.toString(16)}\r\n`)
    wire.write(piece)
    wire.write('\r\n')
    at += piece.length
    await wire.drained()
  }
  wire.write('0\r\n\r\n')
}

/** Eight requests in one write; the answers come in the same order. */
async function pipelined(soak: Soak, name: string): Promise<void> {
  await requests(soak, 12, PAUSE * 8, async (wire) => {
    const batch = Array.from({ length: 8 }, () => ({ id: soak.ledger.next(), length: between(0, 3000) }))
    wire.write(batch.map(({ id, length }) => head('GET', `/bytes/${length}`, id)).join(''))
    for (const { id, length } of batch) {
      await receive(soak, wire, name, id, { statuses: [200], body: length })
    }
    return true
  })
}

/** A large body taken slower than the backend gives it: everything between has to wait. */
async function slowDownload(soak: Soak, name: string): Promise<void> {
  const wire = new Wire(soak.port())
  try {
    const length = between(1, 6) * 1024 * 1024
    const id = soak.ledger.next()
    wire.write(head('GET', `/bytes/${length}`, id))
    await receive(soak, wire, name, id, { statuses: [200], body: length }, 20)
    await delay(PAUSE)
  } finally {
    wire.end()
  }
}

/** One request for each connection, closed by weir. */
async function oneShot(soak: Soak, name: string): Promise<void> {
  const wire = new Wire(soak.port())
  try {
    const length = between(0, 2000)
    const id = soak.ledger.next()
    wire.write(head('GET', `/chunked/${length}`, id, 'Connection: close\r\n'))
    await receive(soak, wire, name, id, { statuses: [200], body: length })
    if (!(await wire.closed())) throw new Wrong('bytes after the last answer')
    await delay(PAUSE)
  } finally {
    wire.end()
  }
}

/** Not HTTP: 400, and the connection is closed. */
async function malformed(soak: Soak, name: string): Promise<void> {
  const wire = new Wire(soak.port())
  try {
    wire.write('GET / HTTP/1.1\r\nHost: soak.test\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n')
    const answer = await wire.answer()
    if (answer.status !== 400) throw new Wrong(`status ${answer.status}`)
    if (!(await wire.closed())) throw new Wrong('bytes after the last answer')
    soak.ledger.succeeded(name)
    await delay(PAUSE * 8)
  } finally {
    wire.end()
  }
}

/** Keeps a connection idle until weir closes it for its keepalive_timeout. */
async function idler(soak: Soak, name: string): Promise<void> {
  const wire = new Wire(soak.port())
  try {
    const id = soak.ledger.next()
    wire.write(head('GET', '/returned', id))
    await receive(soak, wire, name, id, { statuses: [200] })
    while (wire.open && !soak.stopping) await Promise.race([wire.closed(), delay(200)])
  } finally {
    wire.end()
  }
}

/** Bytes through an upgraded connection, for seconds: reloads must not cut it. */
async function tunnel(soak: Soak, name: string): Promise<void> {
  const wire = new Wire(soak.port())
  const id = soak.ledger.next()
  let upgraded = false
  try {
    wire.write(head('GET', '/tunnel', id, 'Connection: upgrade\r\nUpgrade: echo\r\n'))
    const answer = await wire.answer()
    if (answer.status !== 101) throw new Wrong(`status ${answer.status}`)
    upgraded = true
    for (let left = between(1, 300); left > 0 && !soak.stopping; left--) {
      const sent = patternAt(between(0, 250), between(1, 2000))
      wire.write(sent)
      if (!(await wire.exactly(sent.length)).equals(sent)) throw new Wrong('the tunnel garbled bytes')
      soak.ledger.succeeded(name)
      await delay(PAUSE * 4)
    }
  } finally {
    // It is logged when it ends.
    if (upgraded) soak.ledger.answered(id, 101)
    wire.end()
  }
}

const small = () => between(0, 20_000)
const from = (prefix: string) => (size: number) => `${prefix}${size}`
const always = (path: string) => () => path
const BACKEND_GONE = { statuses: [200, 502, 504], mayBreak: true }

export const goodClients: readonly ClientKind[] = [
  { name: 'keepalive GET', clients: 8, session: gets(from('/bytes/'), small, {}) },
  { name: 'GET, chunked answer', clients: 3, session: gets(from('/chunked/'), small, {}) },
  { name: 'GET, three logs', clients: 2, session: gets(from('/logged/bytes/'), small, { buffered: true }) },
  { name: 'GET, one request a connection', clients: 3, session: oneShot },
  { name: 'POST with a length', clients: 3, session: postLength },
  { name: 'POST in chunks', clients: 3, session: postChunked },
  { name: 'pipelined GETs', clients: 2, session: pipelined },
  { name: 'large download, read slowly', clients: 4, session: slowDownload },
  { name: 'tunnel (messages)', clients: 6, session: tunnel },
  { name: 'idle until closed', clients: 10, session: idler },
  {
    name: 'GET, one backend of two dies',
    clients: 3,
    session: gets(from('/mixed/bytes/'), small, BACKEND_GONE),
  },
  { name: 'GET, the backend dies', clients: 2, session: gets(from('/flaky/bytes/'), small, BACKEND_GONE) },
  {
    name: 'GET, no backend listens',
    clients: 1,
    session: gets(always('/dead/x'), small, { statuses: [502, 504] }, PAUSE * 4),
  },
  {
    name: 'GET, the backend hangs',
    clients: 4,
    session: gets(always('/hang'), small, { statuses: [504] }),
  },
  {
    name: 'GET, reset in the answer',
    clients: 2,
    session: gets(from('/cut/'), () => between(2, 400_000), { statuses: [502], mayBreak: true }, PAUSE * 4),
  },
  { name: 'GET, redirected', clients: 1, session: gets(always('/redirect'), small, { statuses: [302] }) },
  { name: 'malformed', clients: 1, session: malformed },
]
