// PCRE2 pattern -> AST, read as PCRE2 reads it without UTF: what is wrong is found at the same place, in its words.

import { EMPTY, type Node, type Pattern } from './ast.ts'
import { ALL, type ByteSet, byteSet, foldCase, NOT_NEWLINE, VERTICAL, WORD } from './bytes.ts'
import { readClass } from './classes.ts'
import { UnsupportedPattern } from './errors.ts'
import { readEscape } from './escapes.ts'
import { readGroup, readNamedReference, readStart } from './groups.ts'
import { checkLookbehinds } from './lookbehind.ts'
import { Reader } from './reader.ts'

const MAX_REPEAT = 65535
const MAX_DEPTH = 250
const BLANK = /[\t\n\v\f\r ]/

/** Parses `pattern` (latin1). Throws PatternError and UnsupportedPattern. */
export function parsePattern(pattern: string, ignoreCase: boolean): Pattern {
  const reader = new Reader(pattern, {
    ignoreCase,
    multiline: false,
    dotAll: false,
    extended: false,
    extendedMore: false,
    noCapture: false,
    ungreedy: false,
    duplicates: false,
  })
  readStart(reader)
  const parser = new Parser(reader)
  const root = parser.alternatives()
  if (!reader.ended) reader.fail(22)
  checkLookbehinds(parser.lookbehinds, reader)
  for (const check of reader.checks) check()
  return {
    root,
    groups: reader.groups,
    names: [...reader.names]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .flatMap(([name, indexes]) => indexes.map((index): [string, number] => [name, index])),
    sharedNumbers: reader.sharedNumbers,
  }
}

/** An item of a sequence, and whether a quantifier may follow it. */
export interface Item {
  node: Node
  repeatable: boolean
}

export class Parser {
  readonly reader: Reader
  /** Where each lookbehind began. */
  readonly lookbehinds = new Map<Node, number>()
  /** Lookarounds around this place. */
  looks = 0
  #depth = 0

  constructor(reader: Reader) {
    this.reader = reader
  }

  /** Branches up to the closing parenthesis, which is left, or the end. `reset`: each counts its groups from the same. */
  alternatives(reset = false): Node {
    const branches = this.branches(reset)
    return branches.length === 1 ? branches[0]! : { type: 'choice', branches }
  }

  branches(reset = false): Node[] {
    const { reader } = this
    if (++this.#depth > MAX_DEPTH + 1) reader.fail(19)
    const { flags } = reader
    const first = reader.groups
    let most = first
    const branches = [this.#sequence()]
    while (reader.skip('|')) {
      most = Math.max(most, reader.groups)
      if (reset) reader.groups = first
      branches.push(this.#sequence())
    }
    reader.groups = Math.max(most, reader.groups)
    reader.flags = flags
    this.#depth--
    return branches
  }

  /** The closing parenthesis of a group. */
  close(): void {
    if (!this.reader.skip(')')) this.reader.fail(14)
  }

  #sequence(): Node {
    const items: Node[] = []
    let last: Item | null = null
    for (;;) {
      const item = this.#item(last)
      if (item === null) break
      if (item === 'skipped') continue
      if (item.node.type === 'repeat' && last?.node === item.node.body && last.repeatable) items.pop()
      items.push(item.node)
      last = item
    }
    return items.length === 1 ? items[0]! : items.length === 0 ? EMPTY : { type: 'sequence', items }
  }

  /** The next item, `last` with its quantifier, or null at the end of the branch. */
  #item(last: Item | null): Item | 'skipped' | null {
    const { reader } = this
    if (reader.ended) return null
    const character = reader.peek()
    if (reader.quoting) {
      if (reader.skip('\\E')) reader.quoting = false
      else return this.#literal()
      return 'skipped'
    }
    if (this.#skipComment()) return 'skipped'
    switch (character) {
      case '|':
      case ')':
        return null
      case '(':
        reader.at++
        return readGroup(this)
      case '[':
        reader.at++
        return this.#bracket()
      case '.':
        reader.at++
        return set(reader.flags.dotAll ? ALL : NOT_NEWLINE)
      case '^':
        reader.at++
        return assertion(reader.flags.multiline ? 'line start' : 'start')
      case '$':
        reader.at++
        return assertion(reader.flags.multiline ? 'line end' : 'end')
      case '\\':
        reader.at++
        return this.#escape()
      case '*':
      case '+':
      case '?':
      case '{':
        return this.#quantifier(last)
      default:
        return this.#literal()
    }
  }

  #skipComment(): boolean {
    const { reader } = this
    if (reader.flags.extended) {
      if (BLANK.test(reader.peek())) {
        reader.at++
        return true
      }
      if (reader.peek() === '#') {
        const end = reader.text.indexOf('\n', reader.at)
        reader.at = end < 0 ? reader.text.length : end + 1
        return true
      }
    }
    if (!reader.text.startsWith('(?#', reader.at)) return false
    const end = reader.text.indexOf(')', reader.at + 3)
    if (end < 0) reader.fail(18, reader.text.length)
    reader.at = end + 1
    return true
  }

  #literal(): Item {
    return this.byte(this.reader.take().charCodeAt(0))
  }

  byte(byte: number): Item {
    const bytes = byteSet([byte, byte])
    if (this.reader.flags.ignoreCase) foldCase(bytes)
    return set(bytes)
  }

  #bracket(): Item {
    const { reader } = this
    // Perl's and others' old words for the two kinds of \b.
    if (reader.skip('[:<:]]')) return { node: wordEdge(true), repeatable: true }
    if (reader.skip('[:>:]]')) return { node: wordEdge(false), repeatable: true }
    return set(readClass(reader))
  }

  #quantifier(last: Item | null): Item {
    const { reader } = this
    const counts = this.#counts()
    if (counts === null) return this.#literal()
    if (last === null || !last.repeatable) return reader.fail(9, reader.at - 1)
    const possessive = reader.skip('+')
    const question = !possessive && reader.skip('?')
    const mode = possessive ? 'possessive' : question === reader.flags.ungreedy ? 'greedy' : 'lazy'
    return { node: { type: 'repeat', body: last.node, ...counts, mode }, repeatable: false }
  }

  /** Takes what says how often; null: the brace means itself. */
  #counts(): { min: number; max: number } | null {
    const { reader } = this
    if (reader.skip('*')) return { min: 0, max: Number.POSITIVE_INFINITY }
    if (reader.skip('+')) return { min: 1, max: Number.POSITIVE_INFINITY }
    if (reader.skip('?')) return { min: 0, max: 1 }
    const start = reader.at
    reader.at++
    const min = reader.number(null, MAX_REPEAT, 5)
    let max = min
    if (min !== null && reader.skip(',')) {
      max = reader.isDigit() ? reader.number(null, MAX_REPEAT, 5)! : Number.POSITIVE_INFINITY
    }
    if (min === null || max === null || reader.peek() !== '}') {
      reader.at = start
      return null
    }
    if (max < min) reader.fail(4)
    reader.at++
    return { min, max }
  }

  #escape(): Item | 'skipped' {
    const { reader } = this
    const start = reader.at
    const found = readEscape(reader, false)
    if (found.type === 'byte') return this.byte(found.byte)
    if (found.type === 'set') return set(found.set)
    if (found.type === 'back') {
      reader.requireGroup(found.group, reader.at - 1)
      return this.back([found.group])
    }
    switch (found.letter) {
      case 'A':
      case 'G':
        return assertion('start')
      case 'Z':
        return assertion('end')
      case 'z':
        return assertion('very end')
      case 'b':
        return assertion('word boundary')
      case 'B':
        return assertion('no word boundary')
      case 'C':
        return set(ALL)
      case 'E':
        return 'skipped'
      case 'Q':
        reader.quoting = true
        return 'skipped'
      case 'K':
        if (this.looks > 0) this.#refuseKeep(reader.at)
        return { node: { type: 'keep' }, repeatable: false }
      case 'R':
        return { node: newline(), repeatable: true }
      case 'g':
      case 'k':
        return readNamedReference(this, found.letter, start)
      default:
        throw new UnsupportedPattern(`\\${found.letter}`)
    }
  }

  /** PCRE2 finds this when all else is right. */
  #refuseKeep(at: number): void {
    this.reader.checks.push(() => this.reader.fail(99, at))
  }

  back(groups: number[]): Item {
    return { node: { type: 'back', groups, ignoreCase: this.reader.flags.ignoreCase }, repeatable: true }
  }
}

function set(bytes: ByteSet): Item {
  return { node: { type: 'set', set: bytes }, repeatable: true }
}

function assertion(kind: Extract<Node, { type: 'assert' }>['kind']): Item {
  return { node: { type: 'assert', kind }, repeatable: false }
}

/** `\R`: one of the line ends, CRLF as one. */
function newline(): Node {
  const crlf: Node[] = [13, 10].map((byte) => ({ type: 'set', set: byteSet([byte, byte]) }))
  return {
    type: 'atomic',
    body: {
      type: 'choice',
      branches: [
        { type: 'sequence', items: crlf },
        { type: 'set', set: VERTICAL },
      ],
    },
  }
}

function wordEdge(start: boolean): Node {
  const look: Node = { type: 'look', ahead: start, negative: false, body: { type: 'set', set: WORD } }
  return { type: 'sequence', items: [{ type: 'assert', kind: 'word boundary' }, look] }
}
