// What backends of the chaos do to a request instead of answering it, or along with it: one entry for each, in the
// moods that they belong to.

import { setTimeout as delay } from 'node:timers/promises'
import { READ_TIMEOUT } from './conf.ts'
import type { Exchange } from './exchange.ts'
import type { Failing } from './trials.ts'

/** Does it; the connection may be kept where it returns true. */
export type Behaviour = (exchange: Exchange) => Promise<boolean>

/** Nothing of an answer that is one: the client gets a status of the proxy's own where there is no other chance. */
function headless(name: string, status: number, play: (exchange: Exchange) => unknown): Behaviour {
  const failing: Failing = { name, stage: 'head', statuses: [status] }
  return async (exchange) => {
    exchange.fail(failing)
    await play(exchange)
    return false
  }
}

/** Bytes that are no head, or none yet, and then the end or silence. */
const sends = (name: string, bytes: string, then: 'end' | 'reset' | 'silence'): Behaviour =>
  headless(name, then === 'silence' ? 504 : 502, (exchange) => {
    exchange.write(bytes)
    if (then !== 'silence') exchange.close(then)
  })

/** A head that must not be believed; the connection stays open, so that it is the head that fails. */
const lies = (name: string, head: string): Behaviour =>
  headless(name, 502, (exchange) => exchange.write(`${head}\r\n\r\nhello`))

/** A right head and some of the content. */
function breaksOff(name: string, chunked: boolean, then: (exchange: Exchange) => unknown): Behaviour {
  const failing: Failing = { name, stage: 'body', statuses: [] }
  return async (exchange) => {
    if (exchange.length < 2) {
      await exchange.answer()
      return true
    }
    exchange.fail(failing)
    await exchange.head(chunked)
    await exchange.content(0, exchange.random.between(1, exchange.length - 1), chunked)
    then(exchange)
    return false
  }
}

function status(code: number): Behaviour {
  const failing: Failing = { name: `answered ${code}`, stage: 'head', statuses: [code] }
  return async (exchange) => {
    exchange.fail(failing)
    exchange.write(`HTTP/1.1 ${code} Failing\r\nContent-Length: 4\r\n\r\nbad\n`)
    exchange.finish()
    return true
  }
}

/** Right, and after a moment, so that there is more than one request at a time. */
export const answers: Behaviour = async (exchange) => {
  const time = exchange.random.between(0, 12)
  if (time > 0) await delay(time)
  if (exchange.open) await exchange.answer()
  return true
}

/** Each of them is wrong in another way. */
export const lying: readonly Behaviour[] = [
  sends('closed without an answer', '', 'end'),
  sends('reset without an answer', '', 'reset'),
  sends('closed in the head', 'HTTP/1.1 200 OK\r\nContent-Le', 'end'),
  sends('reset in the head', 'HTTP/1.1 200 OK\r\nContent-Le', 'reset'),
  sends('fell silent', '', 'silence'),
  sends('fell silent in the head', 'HTTP/1.1 200 OK\r\nContent-Le', 'silence'),
  sends('garbage, and closed', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 garbage\r\n\r\n', 'end'),
  lies('garbage', 'SSH-2.0-OpenSSH_9.2'),
  lies('a status that is none', 'HTTP/1.1 2x0 OK\r\nContent-Length: 5'),
  lies('two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 50'),
  lies('a length that is none', 'HTTP/1.1 200 OK\r\nContent-Length: -5'),
  lies('length and chunks', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked'),
  lies('a head too long', `HTTP/1.1 200 OK\r\nX-Long: ${'x'.repeat(9000)}`),
  lies('101 unasked', 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo'),
  breaksOff('closed in the content', false, (exchange) => exchange.close('end')),
  breaksOff('reset in the content', false, (exchange) => exchange.close('reset')),
  breaksOff('closed between chunks', true, (exchange) => exchange.close('end')),
  breaksOff('a chunk size that is none', true, (exchange) => exchange.write('zz\r\n')),
  breaksOff('fell silent in the content', false, () => {}),
]

export const failing: readonly Behaviour[] = [500, 502, 503, 504].map(status)

/** Some in time, some not. */
const late: Behaviour = async (exchange) => {
  const time = exchange.random.between(0, READ_TIMEOUT * 2)
  // Near the limit it may go either way.
  if (time > READ_TIMEOUT / 2) exchange.fail({ name: 'answered late', stage: 'head', statuses: [504] })
  await delay(time)
  if (exchange.open) await exchange.answer()
  return true
}

const dribbles: Behaviour = async (exchange) => {
  await exchange.answer(Math.ceil(exchange.length / 8) + 1, 20)
  return true
}

const interim: Behaviour = async (exchange) => {
  exchange.write('HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n')
  await delay(exchange.random.between(0, 20))
  await exchange.answer()
  return true
}

export const slow: readonly Behaviour[] = [late, late, dribbles, interim]
