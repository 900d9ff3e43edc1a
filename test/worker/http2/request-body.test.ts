// The body of one HTTP/2 request between its stream and its sink: what is kept, what is passed on, what goes back to the
// window, and what is wrong with it.

import { describe, expect, it } from 'vitest'
import type { BodySink } from '../../../src/worker/http/body.ts'
import { type BodyFault, type BodyOwner, RequestBody } from '../../../src/worker/http2/request-body.ts'

const WINDOW = 1000

class Recorder implements BodySink, BodyOwner {
  readonly events: string[] = []
  /** Bytes that the sink takes before it wants to wait. */
  room = Number.POSITIVE_INFINITY
  onWrite: (() => void) | null = null
  lent = 0

  write(bytes: Buffer, start: number, end: number, last: boolean): boolean {
    this.events.push(`${bytes.toString('latin1', start, end)}${last ? ' last' : ''}`)
    this.room -= end - start
    this.onWrite?.()
    return this.room > 0
  }

  flush(): void {
    this.events.push('flush')
  }

  end(): void {
    this.events.push('end')
  }

  abort(): void {
    this.events.push('abort')
  }

  openWindow(bytes: number): void {
    this.events.push(`window ${bytes}`)
  }

  lendWindow(): number {
    return this.lent
  }

  bodyBroken(fault: BodyFault): void {
    this.events.push(fault)
  }

  bodyMoved(): void {}
}

function bodyOf(declared: number): {
  body: RequestBody
  owner: Recorder
  send(text: string, last?: boolean): BodyFault | null
} {
  const owner = new Recorder()
  const body = new RequestBody(owner, declared, WINDOW)
  const send = (text: string, last = false) => {
    const bytes = Buffer.from(`??${text}??`)
    body.frame(text.length)
    const fault = body.receive(bytes, 2, bytes.length - 2, last)
    bytes.fill(0x7e)
    return fault
  }
  return { body, owner, send }
}

describe('content', () => {
  it('that comes before anybody wants it is kept, in one piece', () => {
    const { body, owner, send } = bodyOf(-1)
    for (const letter of 'abc') send(letter)
    expect(body.kept).toBe(3)
    body.start(owner, 0)
    expect(owner.events).toEqual(['abc', 'flush'])
    send('d', true)
    expect(owner.events).toEqual(['abc', 'flush', 'd last'])
    expect([body.finished, body.received, body.kept]).toEqual([true, 4, 0])
  })

  it('that is complete before anybody wants it is the last at once', () => {
    const { body, owner, send } = bodyOf(-1)
    send('abc')
    send('', true)
    expect(body.finished).toBe(false)
    body.start(owner, 0)
    expect(owner.events).toEqual(['abc last'])
    expect(body.finished).toBe(true)
  })

  it('of no bytes has an end, for every sink that asks', () => {
    const { body, owner, send } = bodyOf(-1)
    send('', true)
    body.start(owner, 0)
    body.start(owner, 0)
    expect(owner.events).toEqual(['end', 'end'])
  })

  it('waits while its sink has no room, and goes on when it is told', () => {
    const { body, owner, send } = bodyOf(-1)
    owner.room = 2
    body.start(owner, 0)
    send('ab')
    send('c')
    send('d', true)
    expect(owner.events).toEqual(['flush', 'ab', 'flush'])
    owner.room = 10
    body.resume()
    expect(owner.events.slice(3)).toEqual(['cd last'])
  })

  it('goes on where its sink makes room inside of the call', () => {
    const { body, owner, send } = bodyOf(-1)
    owner.room = 1
    owner.onWrite = () => {
      owner.room = 10
      body.resume()
    }
    body.start(owner, 0)
    send('a')
    send('b', true)
    expect(owner.events).toEqual(['flush', 'a', 'flush', 'b last'])
  })

  it('is kept for another sink once it is held', () => {
    const { body, owner, send } = bodyOf(-1)
    body.start(owner, 0)
    body.hold()
    send('a')
    send('b', true)
    const other = new Recorder()
    body.start(other, 0)
    expect(other.events).toEqual(['ab last'])
  })

  it('is thrown away once nobody wants it', () => {
    const { body, owner, send } = bodyOf(-1)
    send('a')
    body.discard()
    send('b', true)
    expect([body.finished, body.received, body.kept, owner.events.length]).toEqual([true, 2, 0, 0])
  })
})

describe('faults', () => {
  it('more than was declared', () => {
    expect(bodyOf(2).send('abc')).toBe('larger than declared')
  })
  it('less than was declared', () => {
    const { send } = bodyOf(2)
    expect(send('a')).toBeNull()
    expect(send('', true)).toBe('incomplete')
  })
  it('more than there may be, as it comes or when it is passed on', () => {
    const { body, owner, send } = bodyOf(-1)
    body.start(owner, 2)
    expect(send('ab')).toBeNull()
    expect(send('c')).toBe('too large')
    const late = bodyOf(-1)
    late.send('abc')
    late.body.start(late.owner, 2)
    expect(late.owner.events).toEqual(['too large'])
  })
})

describe('the window', () => {
  it('goes back in halves, for what has been taken and for padding', () => {
    const { body, owner, send } = bodyOf(-1)
    body.start(owner, 0)
    send('x'.repeat(400))
    expect(body.room).toBe(600)
    body.frame(100)
    body.padding(100)
    expect(owner.events.at(-1)).toBe('window 500')
    expect(body.room).toBe(1000)
  })

  it('does not go back for what nobody takes', () => {
    const { body, owner, send } = bodyOf(-1)
    send('x'.repeat(1000))
    expect([body.room, owner.events.length]).toEqual([0, 0])
    body.discard()
    expect(owner.events).toEqual([])
  })

  it('becomes larger for a long body, once', () => {
    const { body, owner, send } = bodyOf(-1)
    owner.lent = 5000
    body.start(owner, 0)
    send('x'.repeat(500))
    expect(owner.events).toContain('window 5500')
    expect([body.room, body.lent]).toEqual([6000, 5000])
    owner.events.length = 0
    send('x'.repeat(2999))
    expect(owner.events.join()).not.toContain('window')
    send('x')
    expect(owner.events).toContain('window 3000')
  })
})
