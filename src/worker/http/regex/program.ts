// AST -> instructions for our own matcher: one array of numbers, with sets and lists of groups beside it.
//
// Registers hold positions and counters: first the start and end of each group (group 0 is the whole match), then where
// each open group began, then what loops and lookarounds need. Every change of one can be undone; see matcher.ts.

import { ASSERTIONS } from './assertions.ts'
import { type Condition, type Node, type Pattern, some } from './ast.ts'
import { ALL, type ByteSet, onlyByte } from './bytes.ts'
import { fixedLength } from './lookbehind.ts'
import { anchored, first, nullable, shortest } from './shape.ts'

/** Instructions; the numbers behind each are its operands. */
export const OP = {
  /** The end of the pattern. */
  match: 0,
  /** byte */
  byte: 1,
  /** set */
  set: 2,
  /** target */
  jump: 3,
  /** target to go on with, target to try when that fails */
  split: 4,
  /** group: it begins here */
  open: 5,
  /** group: it ends here */
  close: 6,
  /** kind of assertion */
  assert: 7,
  /** list of groups, 1 to ignore case */
  back: 8,
  /** set, min, max (-1: none), 0 greedy, 1 lazy, 2 possessive */
  repeatSet: 9,
  /** register for the height of the stack, register for the position */
  mark: 10,
  /** those: forget what could be tried since, stay here */
  cut: 11,
  /** those: forget what could be tried since, go back to the position */
  cutBack: 12,
  /** registers, target: go on there when what follows fails */
  forbid: 13,
  /** registers: what was forbidden has matched */
  forbidden: 14,
  /** length: that many characters back */
  behind: 15,
  /** register of the counter: a loop begins */
  startLoop: 16,
  /** counter, min, max (-1: none), 1 if lazy, target past the loop; `enterLoop` follows */
  loop: 17,
  /** counter, register of the turn's start */
  enterLoop: 18,
  /** counter, min, register of the turn's start, target past the loop: leave it if the turn took nothing */
  endLoop: 19,
  /** group, target */
  call: 20,
  /** group: ends a call of it */
  endCall: 21,
  /** list of groups, target where none is set */
  ifGroup: 22,
  /** list of groups (-1: any), target where none is being called */
  ifCall: 23,
  keep: 24,
  fail: 25,
  /** target to try when what follows fails */
  otherwise: 26,
} as const

export interface Program {
  readonly code: Int32Array
  readonly sets: readonly ByteSet[]
  readonly lists: readonly (readonly number[])[]
  readonly groups: number
  readonly registers: number
  /** What a match can begin with; null: also with nothing. */
  readonly first: ByteSet | null
  readonly anchored: boolean
  /** No match takes fewer characters. */
  readonly shortest: number
  /** A byte without which there is no match; -1: none is known. */
  readonly required: number
}

/** Compiles `pattern` for our own matcher. */
export function compileProgram(pattern: Pattern): Program {
  return new Compiler(pattern).compile()
}

class Compiler {
  readonly #pattern: Pattern
  readonly #code: number[] = []
  readonly #sets: ByteSet[] = []
  readonly #lists: (readonly number[])[] = []
  /** Operands that are the address of a group, by group. */
  readonly #calls: [at: number, group: number][] = []
  readonly #addresses = new Map<number, number>([[0, 0]])
  readonly #called = new Set<number>()
  #registers: number

  constructor(pattern: Pattern) {
    this.#pattern = pattern
    this.#registers = 3 * (pattern.groups + 1)
  }

  compile(): Program {
    const { root, groups } = this.#pattern
    some(root, (node) => {
      if (node.type === 'call') this.#called.add(node.group)
      return false
    })
    this.#emitNode(root)
    if (this.#called.has(0)) this.#emit(OP.endCall, 0)
    this.#emit(OP.match)
    for (const [at, group] of this.#calls) this.#code[at] = this.#addresses.get(group)!
    return {
      code: Int32Array.from(this.#code),
      sets: this.#sets,
      lists: this.#lists,
      groups,
      registers: this.#registers,
      first: nullable(root) ? null : first(root, ALL),
      anchored: anchored(root),
      shortest: shortest(root),
      required: required(root),
    }
  }

  /** Adds an instruction; gives the place of its last operand. */
  #emit(...numbers: number[]): number {
    return this.#code.push(...numbers) - 1
  }

  get #here(): number {
    return this.#code.length
  }

  /** The operand at `at` is this place. */
  #land(at: number): void {
    this.#code[at] = this.#here
  }

  #register(): number {
    return this.#registers++
  }

  #setNumber(set: ByteSet): number {
    return this.#sets.push(set) - 1
  }

  #listNumber(list: readonly number[]): number {
    return this.#lists.push(list) - 1
  }

  #emitNode(node: Node): void {
    switch (node.type) {
      case 'set': {
        const only = onlyByte(node.set)
        if (only >= 0) this.#emit(OP.byte, only)
        else this.#emit(OP.set, this.#setNumber(node.set))
        return
      }
      case 'sequence':
        for (const item of node.items) this.#emitNode(item)
        return
      case 'choice':
        return this.#emitChoice(node.branches)
      case 'capture':
        return this.#emitCapture(node)
      case 'repeat':
        return this.#emitRepeat(node)
      case 'assert':
        this.#emit(OP.assert, ASSERTIONS.indexOf(node.kind))
        return
      case 'look':
        return this.#emitLook(node)
      case 'atomic':
        return this.#emitAtomic(node.body)
      case 'back':
        this.#emit(OP.back, this.#listNumber(node.groups), node.ignoreCase ? 1 : 0)
        return
      case 'call':
        this.#calls.push([this.#emit(OP.call, node.group, 0), node.group])
        return
      case 'condition':
        return this.#emitCondition(node.test, node.yes, node.no)
      case 'keep':
        this.#emit(OP.keep)
        return
      case 'fail':
        this.#emit(OP.fail)
    }
  }

  #emitChoice(branches: readonly Node[], before: (branch: Node) => void = () => {}): void {
    const ends: number[] = []
    branches.forEach((branch, index) => {
      const next = index === branches.length - 1 ? -1 : this.#emit(OP.otherwise, 0)
      before(branch)
      this.#emitNode(branch)
      if (next < 0) return
      ends.push(this.#emit(OP.jump, 0))
      this.#land(next)
    })
    for (const end of ends) this.#land(end)
  }

  #emitCapture({ index, body }: Extract<Node, { type: 'capture' }>): void {
    // Of groups with one number the first is the one that is called.
    if (!this.#addresses.has(index)) this.#addresses.set(index, this.#here)
    this.#emit(OP.open, index)
    this.#emitNode(body)
    this.#emit(OP.close, index)
    if (this.#called.has(index)) this.#emit(OP.endCall, index)
  }

  #emitAtomic(body: Node): void {
    const registers = [this.#register(), this.#register()]
    this.#emit(OP.mark, ...registers)
    this.#emitNode(body)
    this.#emit(OP.cut, ...registers)
  }

  #emitLook({ ahead, negative, body }: Extract<Node, { type: 'look' }>): void {
    const registers = [this.#register(), this.#register()]
    const forbid = negative ? this.#emit(OP.forbid, ...registers, 0) : this.#emit(OP.mark, ...registers)
    if (ahead) this.#emitNode(body)
    else this.#emitBehind(body)
    this.#emit(negative ? OP.forbidden : OP.cutBack, ...registers)
    if (negative) this.#land(forbid)
  }

  /** Each branch begins as many characters back as it is long. */
  #emitBehind(body: Node): void {
    const branches = body.type === 'choice' ? body.branches : [body]
    this.#emitChoice(branches, (branch) => this.#emit(OP.behind, fixedLength(branch) ?? 0))
  }

  #emitRepeat({ body, min, max, mode }: Extract<Node, { type: 'repeat' }>): void {
    const most = max === Number.POSITIVE_INFINITY ? -1 : max
    if (body.type === 'set') {
      const kind = mode === 'greedy' ? 0 : mode === 'lazy' ? 1 : 2
      this.#emit(OP.repeatSet, this.#setNumber(body.set), min, most, kind)
      return
    }
    if (mode === 'possessive') return this.#emitAtomic({ type: 'repeat', body, min, max, mode: 'greedy' })
    // Skipped, but the groups inside may be called.
    if (max === 0) {
      const past = this.#emit(OP.jump, 0)
      this.#emitNode(body)
      return this.#land(past)
    }
    const lazy = mode === 'lazy'
    if (min === 0 && max === 1) return this.#emitOptional(body, lazy)
    this.#emitLoop(body, min, most, lazy)
  }

  #emitOptional(body: Node, lazy: boolean): void {
    const split = this.#emit(OP.split, 0, 0)
    this.#land(lazy ? split : split - 1)
    this.#emitNode(body)
    this.#land(lazy ? split - 1 : split)
  }

  #emitLoop(body: Node, min: number, most: number, lazy: boolean): void {
    const counter = this.#register()
    const start = this.#register()
    this.#emit(OP.startLoop, counter)
    const again = this.#here
    const exit = this.#emit(OP.loop, counter, min, most, lazy ? 1 : 0, 0)
    this.#emit(OP.enterLoop, counter, start)
    this.#emitNode(body)
    const leave = most < 0 && nullable(body) ? this.#emit(OP.endLoop, counter, min, start, 0) : -1
    this.#emit(OP.jump, again)
    this.#land(exit)
    if (leave >= 0) this.#land(leave)
  }

  #emitCondition(test: Condition, yes: Node, no: Node): void {
    const other = this.#emitTest(test)
    this.#emitNode(yes)
    const end = this.#emit(OP.jump, 0)
    this.#land(other)
    this.#emitNode(no)
    this.#land(end)
  }

  /** Goes on where the test is true; gives the operand for where it is not. */
  #emitTest(test: Condition): number {
    switch (test.type) {
      case 'groups':
        return this.#emit(OP.ifGroup, this.#listNumber(test.groups), 0)
      case 'calls':
        return this.#emit(OP.ifCall, test.groups === null ? -1 : this.#listNumber(test.groups), 0)
      case 'never':
        return this.#emit(OP.jump, 0)
      case 'look':
        return this.#emitLookTest(test.look)
    }
  }

  #emitLookTest(look: Node): number {
    // A look that is false leaves no trace: it is tried as a branch that nothing comes back to once it is true.
    const registers = [this.#register(), this.#register()]
    this.#emit(OP.mark, ...registers)
    const other = this.#emit(OP.otherwise, 0)
    this.#emitNode(look)
    this.#emit(OP.cutBack, ...registers)
    return other
  }
}

/** A byte that every match takes, the last such in the pattern. */
function required(node: Node): number {
  switch (node.type) {
    case 'set':
      return onlyByte(node.set)
    case 'sequence':
      return node.items.reduceRight((found, item) => (found >= 0 ? found : required(item)), -1)
    case 'capture':
    case 'atomic':
      return required(node.body)
    case 'repeat':
      return node.min > 0 ? required(node.body) : -1
    default:
      return -1
  }
}
