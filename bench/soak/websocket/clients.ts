// WebSockets of the soak that talk to an echo, each about once a second. Run as a process of its own:
// clients.ts PORT FIRST COUNT; says "ready" when all are open, and from then on its state once a second, a line of JSON.
// Of the SIGUSR2 it gets the first means to say nothing more, the second to go on, and that the end may come at any time.

import { WebSocket } from 'ws'
import { Talk } from './talk.ts'

/** Everything so far. */
export interface ClientState {
  open: number
  sent: number
  received: number
  /** Messages on their way. */
  outstanding: number
  /** WebSockets on which something else came than was sent. */
  wrong: number
  pongs: number
  /** WebSockets that ended before that was expected. */
  cut: number
  /** ... and afterwards; of those, messages that were on their way. */
  ended: number
  unanswered: number
  /** Milliseconds from the second signal to the first and the last end; -1: none. */
  firstEnd: number
  lastEnd: number
  /** The first things that were wrong. */
  faults: string[]
}

const [port, first, count] = process.argv.slice(2).map(Number) as [number, number, number]
const AT_ONCE = 50
/** Every WebSocket has its turn once a second. */
const TURNS = 20
const PING_EVERY = 15
const FAULTS = 5

const talks: { talk: Talk; socket: WebSocket }[] = []
const state: ClientState = {
  ...{ open: 0, sent: 0, received: 0, outstanding: 0, wrong: 0, pongs: 0, cut: 0, ended: 0, unanswered: 0 },
  ...{ firstEnd: -1, lastEnd: -1, faults: [] },
}
let phase: 'talking' | 'silent' | 'ending' = 'talking'
let expectedSince = 0
let begun = 0

function open(): void {
  if (begun === count) return
  const talk = new Talk(first + begun++)
  const socket = new WebSocket(`ws://127.0.0.1:${port}/talk`, { perMessageDeflate: false })
  socket.on('open', () => {
    talks.push({ talk, socket })
    state.open++
    if (state.open === count) begin()
    else open()
  })
  socket.on('message', (message: Buffer) => {
    const before = talk.fault
    talk.take(message)
    if (talk.fault !== before) wrong(talk.fault)
  })
  socket.on('pong', () => state.pongs++)
  socket.on('error', (error) => fault(error.message))
  socket.on('close', () => closed(talk))
}

function closed(talk: Talk): void {
  state.open--
  if (phase !== 'ending') {
    state.cut++
    return
  }
  const time = performance.now() - expectedSince
  if (state.firstEnd < 0) state.firstEnd = time
  state.lastEnd = time
  state.ended++
  state.unanswered += talk.outstanding
  if (state.open > 0) return
  tell()
  process.exit(0)
}

function wrong(text: string): void {
  state.wrong++
  fault(text)
}

function fault(text: string): void {
  if (state.faults.length < FAULTS) state.faults.push(text)
}

function begin(): void {
  console.log('ready')
  let turn = 0
  setInterval(() => {
    for (let index = turn % TURNS; index < talks.length; index += TURNS) speak(index, turn)
    if (++turn % TURNS === 0) tell()
  }, 1000 / TURNS)
}

/** One to three messages, if those before have come back. */
function speak(index: number, turn: number): void {
  const { talk, socket } = talks[index]!
  if (phase === 'silent' || socket.readyState !== WebSocket.OPEN || talk.outstanding > 0) return
  for (let left = 1 + ((index + turn) % 3); left > 0; left--) socket.send(talk.next())
  if ((index + turn) % (PING_EVERY * TURNS) === 0) socket.ping()
}

function tell(): void {
  const all = (what: (talk: Talk) => number) => talks.reduce((sum, { talk }) => sum + what(talk), 0)
  state.sent = all((talk) => talk.sent)
  state.received = all((talk) => talk.received)
  state.outstanding = state.sent - state.received
  console.log(JSON.stringify(state))
}

process.on('SIGUSR2', () => {
  phase = phase === 'talking' ? 'silent' : 'ending'
  expectedSince = performance.now()
})
for (let client = 0; client < AT_ONCE; client++) open()
