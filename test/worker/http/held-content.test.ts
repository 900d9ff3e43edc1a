// What is kept of content that is held, and its share of the memory that a thread has for it.

import { afterEach, describe, expect, it } from 'vitest'
import { HeldContent, hasRoom } from '../../../src/worker/http/held-content.ts'

const MEMORY = 64 * 1024 * 1024
const held: HeldContent[] = []
const hold = (length: number, makeRoom: (bytes: number) => boolean = hasRoom): HeldContent => {
  const content = new HeldContent(length, makeRoom)
  held.push(content)
  return content
}
afterEach(() => {
  for (const content of held.splice(0)) content.release()
})

describe('held content', () => {
  it('finds what was kept by the same name, a copy of it', () => {
    const content = hold(100)
    const bytes = Buffer.from('made')
    content.keep('gzip 1', bytes)
    bytes.fill('x')
    const made = content.find('gzip 1')
    expect([made?.bytes.toString(), made?.madeOf]).toEqual(['made', 100])
    expect(content.find('gzip 2')).toBeNull()
  })
  it('keeps the first of two by one name', () => {
    const content = hold(100)
    content.keep('br', Buffer.from('first'))
    content.keep('br', Buffer.from('second'))
    expect(content.find('br')?.bytes.toString()).toBe('first')
  })
  it('counts what it keeps, and gives all of it back', () => {
    const content = hold(MEMORY - 1000)
    expect(hasRoom(1000)).toBe(true)
    content.keep('gzip', Buffer.alloc(600))
    expect([hasRoom(400), hasRoom(401)]).toEqual([true, false])
    content.release()
    content.release()
    expect([hasRoom(MEMORY), hasRoom(MEMORY + 1)]).toEqual([true, false])
  })
  it('keeps nothing where no room is made', () => {
    hold(MEMORY - 1000)
    const content = hold(500)
    content.keep('gzip', Buffer.alloc(501))
    expect(content.find('gzip')).toBeNull()
    expect(hasRoom(500)).toBe(true)
  })
  it('keeps nothing once it is released, were it to make room for itself', () => {
    const content = hold(MEMORY, (bytes) => {
      content.release()
      return hasRoom(bytes)
    })
    content.keep('gzip', Buffer.alloc(10))
    content.keep('br', Buffer.alloc(10))
    expect([content.find('gzip'), content.find('br')]).toEqual([null, null])
    expect(hasRoom(MEMORY)).toBe(true)
  })
})
