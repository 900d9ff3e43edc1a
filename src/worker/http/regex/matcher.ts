// Our own matcher: PCRE's backtracking, for patterns that JavaScript cannot say and for texts on which V8 might not come
// back. It keeps what it may have to undo on a stack of its own and counts its steps.

import { holds } from './assertions.ts'
import { type ByteSet, otherCase } from './bytes.ts'
import { OP, type Program } from './program.ts'
import type { Captures } from './regex.ts'

/** Steps before a match is given up, as PCRE2's match limit does; takes a few tens of milliseconds. */
export const STEP_LIMIT = 1_000_000

/** PCRE2's numbers for the two ways to be given up. */
export const MATCH_LIMIT = -47
export const RECURSION_LOOP = -52

/** What is on the stack: entries of four numbers, the first of which says what it is. */
const ENTRY = 4
/** address, position */
const CHOICE = 0
/** register, old value */
const UNDO = 1
/** address past the repeat, position reached, least position */
const GREEDY = 2
/** address of the repeat, position reached, greatest position */
const LAZY = 3
const REPEAT_LENGTH = 5

/** A call of a group: where it was made, where it returns to and what registers were then. */
interface Frame {
  readonly group: number
  readonly position: number
  readonly back: number
  readonly saved: Int32Array
}

let stack = new Int32Array(1 << 12)
/** A larger stack is not kept. */
const KEPT = 1 << 16

/** One match of a program against a text. */
export class Matcher {
  readonly #program: Program
  readonly #text: string
  /** Those of the program, and in the last one the number of the frame whose call we are in. */
  readonly #registers: Int32Array
  readonly #frames: Frame[] = []
  #top = 0
  #steps = 0
  #position = 0
  /** Steps that the last instruction took beyond its own. */
  #work = 0
  /** MATCH_LIMIT or RECURSION_LOOP once it has come to that. */
  #error = 0

  constructor(program: Program, text: string) {
    this.#program = program
    this.#text = text
    this.#registers = new Int32Array(program.registers + 1)
  }

  /** The first match, null, or the number of what went wrong. */
  exec(): Captures | number | null {
    const { first, anchored, required, shortest } = this.#program
    const text = this.#text
    if (text.length < shortest) return null
    if (required >= 0 && !text.includes(String.fromCharCode(required))) return null
    const last = anchored ? 0 : text.length
    for (let start = 0; start <= last; start++) {
      if (first !== null && (start === text.length || first[text.charCodeAt(start)] === 0)) continue
      this.#registers.fill(-1)
      this.#registers[0] = start
      this.#frames.length = 0
      this.#top = 0
      const found = this.#run(start)
      if (stack.length > KEPT) stack = new Int32Array(KEPT)
      if (this.#error !== 0) return this.#error
      if (found) return this.#captures()
    }
    return null
  }

  #captures(): Captures {
    const registers = this.#registers
    const text = this.#text
    const captures: (string | undefined)[] = [text.slice(registers[0], this.#position)]
    for (let group = 1; group <= this.#program.groups; group++) {
      const start = registers[2 * group]!
      captures.push(start < 0 ? undefined : text.slice(start, registers[2 * group + 1]))
    }
    return captures
  }

  /** Tries to match at `position`; keeps where the match ends. */
  #run(position: number): boolean {
    const { code, sets } = this.#program
    const text = this.#text
    const registers = this.#registers
    let steps = this.#steps
    let at = 0
    for (;;) {
      if (++steps > STEP_LIMIT) this.#error = MATCH_LIMIT
      if (this.#error !== 0) return false
      let matches = true
      switch (code[at]) {
        case OP.match:
          this.#steps = steps
          this.#position = position
          return true
        case OP.byte:
          matches = text.charCodeAt(position) === code[at + 1]
          position++
          at += 2
          break
        case OP.set:
          matches = position < text.length && sets[code[at + 1]!]![text.charCodeAt(position)] === 1
          position++
          at += 2
          break
        case OP.jump:
          at = code[at + 1]!
          break
        case OP.split:
          this.#push(CHOICE, code[at + 2]!, position, 0)
          at = code[at + 1]!
          break
        case OP.otherwise:
          this.#push(CHOICE, code[at + 1]!, position, 0)
          at += 2
          break
        case OP.open:
          this.#set(this.#opening(code[at + 1]!), position)
          at += 2
          break
        case OP.close: {
          const group = code[at + 1]!
          this.#set(2 * group, registers[this.#opening(group)]!)
          this.#set(2 * group + 1, position)
          at += 2
          break
        }
        case OP.assert:
          matches = holds(code[at + 1]!, text, position)
          at += 2
          break
        case OP.back: {
          const end = this.#endOfCopy(code[at + 1]!, code[at + 2] === 1, position)
          matches = end >= 0
          steps += this.#work
          position = end
          at += 3
          break
        }
        case OP.repeatSet: {
          position = this.#repeat(at, position)
          matches = position >= 0
          steps += this.#work
          at += REPEAT_LENGTH
          break
        }
        case OP.mark:
          this.#mark(code[at + 1]!, code[at + 2]!, position)
          at += 3
          break
        case OP.cut:
          steps += this.#cut(registers[code[at + 1]!]!)
          at += 3
          break
        case OP.cutBack:
          steps += this.#cut(registers[code[at + 1]!]!)
          position = registers[code[at + 2]!]!
          at += 3
          break
        case OP.forbid:
          this.#mark(code[at + 1]!, code[at + 2]!, position)
          this.#push(CHOICE, code[at + 3]!, position, 0)
          at += 4
          break
        case OP.forbidden:
          this.#undoTo(registers[code[at + 1]!]!)
          matches = false
          break
        case OP.behind:
          position -= code[at + 1]!
          matches = position >= 0
          at += 2
          break
        case OP.startLoop:
          this.#set(code[at + 1]!, 0)
          at += 2
          break
        case OP.loop:
          at = this.#loop(at, position)
          break
        case OP.enterLoop:
          this.#set(code[at + 1]!, registers[code[at + 1]!]! + 1)
          this.#set(code[at + 2]!, position)
          at += 3
          break
        case OP.endLoop: {
          const idle = position === registers[code[at + 3]!] && registers[code[at + 1]!]! >= code[at + 2]!
          at = idle ? code[at + 4]! : at + 5
          break
        }
        case OP.call:
          steps += registers.length
          this.#call(code[at + 1]!, position, at + 3)
          at = code[at + 2]!
          break
        case OP.endCall:
          at = this.#endCall(code[at + 1]!) ?? at + 2
          break
        case OP.ifGroup:
          at = this.#program.lists[code[at + 1]!]!.some((group) => registers[2 * group]! >= 0)
            ? at + 3
            : code[at + 2]!
          break
        case OP.ifCall:
          at = this.#calling(code[at + 1]!) ? at + 3 : code[at + 2]!
          break
        case OP.keep:
          this.#set(0, position)
          at++
          break
        default:
          matches = false
      }
      if (matches) continue
      at = this.#backtrack()
      if (at < 0) {
        this.#steps = steps
        return false
      }
      position = this.#position
    }
  }

  /** The register in which a group's start waits for its end. */
  #opening(group: number): number {
    return 2 * (this.#program.groups + 1) + group
  }

  #push(kind: number, one: number, two: number, three: number): void {
    const top = this.#top
    if (top + ENTRY > stack.length) {
      const larger = new Int32Array(stack.length * 2)
      larger.set(stack)
      stack = larger
    }
    stack[top] = kind
    stack[top + 1] = one
    stack[top + 2] = two
    stack[top + 3] = three
    this.#top = top + ENTRY
  }

  #set(register: number, value: number): void {
    const registers = this.#registers
    this.#push(UNDO, register, registers[register]!, 0)
    registers[register] = value
  }

  /** Takes back what was done since the last choice and makes another one; gives the address, -1: there is none. */
  #backtrack(): number {
    const registers = this.#registers
    while (this.#top > 0) {
      const top = (this.#top -= ENTRY)
      const one = stack[top + 1]!
      const two = stack[top + 2]!
      const three = stack[top + 3]!
      switch (stack[top]) {
        case UNDO:
          registers[one] = two
          continue
        case CHOICE:
          this.#position = two
          return one
        case GREEDY:
          this.#position = two - 1
          if (two - 1 > three) this.#push(GREEDY, one, two - 1, three)
          return one
        default:
          if (!this.#fits(one, two)) continue
          this.#position = two + 1
          if (two + 1 < three) this.#push(LAZY, one, two + 1, three)
          return one + REPEAT_LENGTH
      }
    }
    return -1
  }

  /** Whether the character at `position` is one of those the repeat at `at` takes. */
  #fits(at: number, position: number): boolean {
    return this.#program.sets[this.#program.code[at + 1]!]![this.#text.charCodeAt(position)] === 1
  }

  /** Takes what a repeated set takes at first; gives the position, -1: too few. */
  #repeat(at: number, position: number): number {
    const { code, sets } = this.#program
    const text = this.#text
    const set: ByteSet = sets[code[at + 1]!]!
    const most = code[at + 3]!
    const kind = code[at + 4]!
    const least = position + code[at + 2]!
    const furthest = most < 0 ? text.length : Math.min(text.length, position + most)
    const target = kind === 1 ? Math.min(least, furthest) : furthest
    let end = position
    while (end < target && set[text.charCodeAt(end)] === 1) end++
    this.#work = (end - position) >> 3
    if (end < least) return -1
    if (kind === 0 && end > least) this.#push(GREEDY, at + REPEAT_LENGTH, end, least)
    if (kind === 1 && end < furthest) this.#push(LAZY, at, end, furthest)
    return end
  }

  /** Where the copy ends of what one of the groups has matched; -1: it is not here, or none is set. */
  #endOfCopy(list: number, ignoreCase: boolean, position: number): number {
    const registers = this.#registers
    const text = this.#text
    const group = this.#program.lists[list]!.find((number) => registers[2 * number]! >= 0)
    this.#work = 0
    if (group === undefined) return -1
    const start = registers[2 * group]!
    const length = registers[2 * group + 1]! - start
    this.#work = Math.min(length, text.length - position) >> 3
    for (let index = 0; index < length; index++) {
      const one = text.charCodeAt(start + index)
      const other = text.charCodeAt(position + index)
      if (one !== other && !(ignoreCase && otherCase(one) === other)) return -1
    }
    return position + length
  }

  #mark(height: number, place: number, position: number): void {
    const top = this.#top
    this.#set(height, top)
    this.#set(place, position)
  }

  /** Forgets the choices above `height`, not what has to be undone; gives the work it was. */
  #cut(height: number): number {
    let kept = height
    for (let entry = height; entry < this.#top; entry += ENTRY) {
      if (stack[entry] !== UNDO) continue
      stack.copyWithin(kept, entry, entry + ENTRY)
      kept += ENTRY
    }
    const work = (this.#top - height) / ENTRY
    this.#top = kept
    return work >> 1
  }

  #undoTo(height: number): void {
    for (let entry = this.#top - ENTRY; entry >= height; entry -= ENTRY) {
      if (stack[entry] === UNDO) this.#registers[stack[entry + 1]!] = stack[entry + 2]!
    }
    this.#top = height
  }

  /** Whether the loop at `at` takes another turn first; gives the address. */
  #loop(at: number, position: number): number {
    const { code } = this.#program
    const [count, enter, exit] = [this.#registers[code[at + 1]!]!, at + 6, code[at + 5]!]
    const most = code[at + 3]!
    if (count < code[at + 2]!) return enter
    if (most >= 0 && count >= most) return exit
    const lazy = code[at + 4] === 1
    this.#push(CHOICE, lazy ? enter : exit, position, 0)
    return lazy ? exit : enter
  }

  get #frame(): number {
    return this.#registers[this.#registers.length - 1]!
  }

  /** What group the frame is of whose saved registers name the frame around it. */
  #around(frame: Frame): number {
    return frame.saved[frame.saved.length - 1]!
  }

  #call(group: number, position: number, back: number): void {
    for (let index = this.#frame; index >= 0; index = this.#around(this.#frames[index]!)) {
      const frame = this.#frames[index]!
      if (frame.group !== group) continue
      if (frame.position === position) this.#error = RECURSION_LOOP
      break
    }
    this.#frames.push({ group, position, back, saved: this.#registers.slice() })
    this.#set(this.#registers.length - 1, this.#frames.length - 1)
  }

  /** Returns from a call of `group`, with groups as they were before; null: it was not called. */
  #endCall(group: number): number | null {
    const frame = this.#frames[this.#frame]
    if (frame === undefined || frame.group !== group) return null
    for (let register = 1; register < this.#registers.length; register++) {
      const value = frame.saved[register]!
      if (this.#registers[register] !== value) this.#set(register, value)
    }
    return frame.back
  }

  /** Whether one of the groups of a list, or any, is being called. */
  #calling(list: number): boolean {
    const frame = this.#frames[this.#frame]
    return frame !== undefined && (list < 0 || this.#program.lists[list]!.includes(frame.group))
  }
}
