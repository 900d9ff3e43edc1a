// The clients of the slow part: downloads that are read, and uploads that are sent, at so many bytes a second.

import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { PatternCheck, patternAt } from '../pattern.ts'

/** How a client fared; times are milliseconds of `performance.now`. */
export interface Fared {
  id: number
  started: number
  /** Of an upload: its last byte was given away. */
  sent: number
  ended: number
  /** '' or what was wrong. */
  error: string
}

/** Times a second that a client reads or writes. */
const PER_SECOND = 10

/** Reads `bytes` of a response at `rate` bytes a second, and not a byte earlier. */
export function download(port: number, id: number, bytes: number, rate: number): Promise<Fared> {
  const fared: Fared = { id, started: performance.now(), sent: 0, ended: 0, error: '' }
  const check = new PatternCheck()
  let head = ''
  let inBody = false
  let received = 0
  return new Promise((resolve) => {
    const socket = connect({
      port,
      host: '127.0.0.1',
      onread: {
        buffer: Buffer.alloc(Math.ceil(rate / PER_SECOND)),
        // false pauses: what was read was all that is due.
        callback(count, buffer) {
          take(Buffer.from(buffer.subarray(0, count)))
          received += count
          const due = fared.started + (received / rate) * 1000 - performance.now()
          if (due <= 0) return true
          setTimeout(() => socket.resume(), due)
          return false
        },
      },
    })
    const take = (piece: Buffer): void => {
      if (inBody) return check.add(piece)
      head += piece.toString('latin1')
      const end = head.indexOf('\r\n\r\n')
      if (end < 0) return
      inBody = true
      check.add(Buffer.from(head.slice(end + 4), 'latin1'))
    }
    socket.on('connect', () =>
      socket.write(`GET /down/${id}/${bytes} HTTP/1.1\r\nHost: soak.test\r\nConnection: close\r\n\r\n`),
    )
    socket.on('error', (error) => {
      fared.error ||= error.message
    })
    socket.on('close', () => {
      fared.ended = performance.now()
      const whole = head.startsWith('HTTP/1.1 200 ') && check.right && check.length === bytes
      if (!whole) fared.error ||= `${head.split('\r\n')[0]}, ${check.length} bytes`
      resolve(fared)
    })
  })
}

/** Sends a body of `bytes` at `rate` bytes a second, and waits for the answer. */
export function upload(port: number, id: number, bytes: number, rate: number): Promise<Fared> {
  const fared: Fared = { id, started: performance.now(), sent: 0, ended: 0, error: '' }
  let answer = ''
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    socket.on('connect', async () => {
      socket.write(
        `POST /up/${id} HTTP/1.1\r\nHost: soak.test\r\nContent-Length: ${bytes}\r\nConnection: close\r\n\r\n`,
      )
      for (let at = 0; at < bytes && !socket.destroyed; ) {
        const due = Math.min(bytes, Math.ceil(((performance.now() - fared.started) / 1000) * rate))
        while (at < due) {
          const piece = patternAt(at, due - at)
          at += piece.length
          if (at === bytes) fared.sent = performance.now()
          socket.write(piece)
        }
        if (at < bytes) await delay(1000 / PER_SECOND)
      }
    })
    socket.on('data', (piece: Buffer) => {
      answer += piece.toString('latin1')
    })
    socket.on('error', (error) => {
      fared.error ||= error.message
    })
    socket.on('close', () => {
      fared.ended = performance.now()
      if (!answer.startsWith('HTTP/1.1 200 ')) fared.error ||= answer.split('\r\n')[0] || 'no answer'
      resolve(fared)
    })
  })
}
