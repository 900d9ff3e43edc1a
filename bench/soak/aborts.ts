// Clients of the soak that leave: at every stage of a request, by closing and by a reset. Nothing is expected of the
// answer; what they leave behind in weir shows at the end.

import { setTimeout as delay } from 'node:timers/promises'
import { between, type ClientKind, head, PAUSE, type Soak } from './clients.ts'
import { patternAt } from './pattern.ts'
import { Wire } from './wire.ts'

/** What a client does before it leaves. */
type Stage = (soak: Soak, wire: Wire) => Promise<void>

const connected: Stage = async () => {}

const midHead: Stage = async (soak, wire) => {
  const text = head('GET', '/bytes/100', soak.ledger.next())
  wire.write(text.slice(0, between(1, text.length - 1)))
}

const midBody: Stage = async (soak, wire) => {
  wire.write(head('POST', '/count', soak.ledger.next(), 'Content-Length: 100000\r\n'))
  wire.write(patternAt(0, between(0, 60_000)))
}

const midChunk: Stage = async (soak, wire) => {
  wire.write(head('POST', '/count', soak.ledger.next(), 'Transfer-Encoding: chunked\r\n'))
  wire.write(`4000\r\n`)
  wire.write(patternAt(0, between(0, 0x3fff)))
}

const awaiting: Stage = async (soak, wire) => {
  wire.write(head('GET', '/hang', soak.ledger.next()))
}

const midResponse: Stage = async (soak, wire) => {
  wire.write(head('GET', '/bytes/5000000', soak.ledger.next()))
  await wire.exactly(between(1, 300_000))
}

const midPipeline: Stage = async (soak, wire) => {
  const ids = Array.from({ length: 6 }, () => soak.ledger.next())
  wire.write(ids.map((id) => head('GET', '/chunked/50000', id)).join(''))
  await wire.exactly(between(1, 120_000))
}

const midTunnel: Stage = async (soak, wire) => {
  wire.write(head('GET', '/tunnel', soak.ledger.next(), 'Connection: upgrade\r\nUpgrade: echo\r\n'))
  await wire.exactly(50)
  wire.write(patternAt(0, between(0, 60_000)))
}

const backendGone: Stage = async (soak, wire) => {
  wire.write(head('GET', '/flaky/bytes/200000', soak.ledger.next()))
}

const stages: readonly [name: string, stage: Stage][] = [
  ['after connecting', connected],
  ['in the head', midHead],
  ['in the body', midBody],
  ['in a chunk', midChunk],
  ['before the answer', awaiting],
  ['in the answer', midResponse],
  ['in pipelined answers', midPipeline],
  ['in a tunnel', midTunnel],
  ['while a backend dies', backendGone],
]

/** Leaves at `stage`, in one of the ways there are, after a moment or at once. */
function leaver(stage: Stage) {
  return async (soak: Soak, name: string): Promise<void> => {
    const wire = new Wire(soak.port())
    // That the connection ends first is all right here.
    await stage(soak, wire).catch(() => {})
    await delay(between(0, 2) === 0 ? 0 : between(1, 60))
    const way = between(0, 2)
    if (way === 0) wire.reset()
    else if (way === 1) wire.end()
    else await halfClose(wire)
    soak.ledger.succeeded(name)
    await delay(between(0, PAUSE * 6))
  }
}

/** Sends its end, and goes when weir does or after a moment. */
async function halfClose(wire: Wire): Promise<void> {
  wire.socket.end()
  await delay(between(20, 200))
  wire.end()
}

export const leavingClients: readonly ClientKind[] = [
  ...stages.map(([name, stage]) => ({
    name: `leaves ${name}`,
    clients: 1,
    session: leaver(stage),
  })),
  // Until weir's own timeouts: for the head, for the body.
  { name: 'stalls in the head', clients: 2, session: staller(midHead) },
  { name: 'stalls in the body', clients: 2, session: staller(midBody) },
]

/** Falls silent and waits until weir closes. */
function staller(stage: Stage) {
  return async (soak: Soak, name: string): Promise<void> => {
    const wire = new Wire(soak.port())
    await stage(soak, wire)
    while (wire.open && !soak.stopping) {
      await Promise.race([wire.exactly(1).catch(() => {}), delay(200)])
    }
    wire.end()
    soak.ledger.succeeded(name)
  }
}
