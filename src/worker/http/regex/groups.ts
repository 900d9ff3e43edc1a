// What stands in parentheses: groups, options, lookaround, conditions, calls, verbs; and references by name.

import { type Condition, EMPTY, type Node } from './ast.ts'
import { UnsupportedPattern } from './errors.ts'
import type { Item, Parser } from './parser.ts'
import type { Flags, Reader } from './reader.ts'

const MAX_GROUP = 65535
/** Verbs before a pattern that change how PCRE2 goes about it, not what it finds. */
const WITHOUT_EFFECT = /^\(\*(NO_AUTO_POSSESS|NO_DOTSTAR_ANCHOR|NO_JIT|NO_START_OPT|BSR_UNICODE|LF)\)/
/** Those that change what it finds. */
const AT_START =
  /^\(\*(UTF8?|UCP|NOTEMPTY|NOTEMPTY_ATSTART|CR|CRLF|ANYCRLF|ANY|NUL|BSR_ANYCRLF|LIMIT_(?:MATCH|DEPTH|HEAP|RECURSION)=\d+)\)/
const VERBS = /^(?:ACCEPT|COMMIT|PRUNE|SKIP|THEN|MARK)$/
/** `(*pla:` and its like, in words. */
const LOOKS: Readonly<Record<string, string>> = {
  pla: '=',
  positive_lookahead: '=',
  nla: '!',
  negative_lookahead: '!',
  plb: '<=',
  positive_lookbehind: '<=',
  nlb: '<!',
  negative_lookbehind: '<!',
  atomic: '>',
}
const OTHER_WORDS = new Set([
  'napla',
  'non_atomic_positive_lookahead',
  'naplb',
  'non_atomic_positive_lookbehind',
  'sr',
  'script_run',
  'asr',
  'atomic_script_run',
])

/** Takes the verbs in front of a pattern. */
export function readStart(reader: Reader): void {
  for (;;) {
    const rest = reader.text.slice(reader.at)
    const skipped = WITHOUT_EFFECT.exec(rest)
    if (skipped === null) {
      const known = AT_START.exec(rest)
      if (known !== null) throw new UnsupportedPattern(known[0])
      return
    }
    reader.at += skipped[0].length
  }
}

/** Reads what begins with the parenthesis just taken. */
export function readGroup(parser: Parser): Item | 'skipped' {
  const { reader } = parser
  if (reader.ended) reader.fail(14)
  if (reader.peek() === '*' && reader.peek(1) !== '') return verb(parser)
  if (!reader.skip('?')) return reader.flags.noCapture ? plain(parser) : capture(parser)
  if (reader.ended) reader.fail(14)
  switch (reader.peek()) {
    case ':':
      reader.at++
      return plain(parser)
    case '|':
      reader.at++
      reader.sharedNumbers = true
      return plain(parser, true)
    case '>':
      reader.at++
      return repeatable({ type: 'atomic', body: body(parser) })
    case '=':
    case '!':
      return look(parser, reader.take(), true)
    case '*':
      throw new UnsupportedPattern('(?*')
    case '<':
      if (reader.peek(1) === '=' || reader.peek(1) === '!') {
        const start = reader.at - 2
        reader.at++
        return look(parser, reader.take(), false, start)
      }
      if (reader.peek(1) === '*') throw new UnsupportedPattern('(?<*')
      return named(parser, '>')
    case "'":
      return named(parser, "'")
    case 'P':
      return pythonGroup(parser)
    case 'R':
      reader.at++
      if (reader.peek() !== ')') reader.fail(58)
      return call(parser, 0)
    case '&':
      return callByName(parser)
    case 'C':
      throw new UnsupportedPattern('(?C')
    case '(':
      return condition(parser)
    case '+':
      if (!reader.isDigit(1)) reader.fail(29)
      return callByNumber(parser)
    default:
      if (reader.isDigit() || (reader.peek() === '-' && reader.isDigit(1))) return callByNumber(parser)
      return options(parser)
  }
}

function repeatable(node: Node): Item {
  return { node, repeatable: true }
}

/** A group's content and its closing parenthesis. */
function body(parser: Parser, reset = false): Node {
  const node = parser.alternatives(reset)
  parser.close()
  return node
}

function plain(parser: Parser, reset = false): Item {
  // A node of its own: a quantifier behind it takes all of it, and its branches are not those of a group around it.
  const node = body(parser, reset)
  return repeatable({ type: 'sequence', items: node.type === 'sequence' ? [...node.items] : [node] })
}

function capture(parser: Parser): Item {
  const index = ++parser.reader.groups
  return repeatable({ type: 'capture', index, body: body(parser) })
}

function named(parser: Parser, terminator: string): Item {
  const { reader } = parser
  const name = reader.name(terminator)
  const index = ++reader.groups
  reader.declareName(name, index)
  return repeatable({ type: 'capture', index, body: body(parser) })
}

/** `ahead`, or behind; `sign` is `=` or `!`; `at`: where PCRE2 sees a lookbehind. */
function look(parser: Parser, sign: string, ahead: boolean, at = 0): Item {
  if (ahead && sign === '!' && parser.reader.skip(')')) return repeatable({ type: 'fail' })
  const node: Node = { type: 'look', ahead, negative: sign === '!', body: EMPTY }
  if (!ahead) parser.lookbehinds.set(node, at)
  parser.looks++
  node.body = body(parser)
  parser.looks--
  return repeatable(node)
}

function pythonGroup(parser: Parser): Item {
  const { reader } = parser
  reader.at++
  if (reader.ended) reader.fail(14)
  if (reader.peek() === '<') return named(parser, '>')
  if (reader.peek() === '>') return callByName(parser)
  if (reader.peek() !== '=') reader.fail(41)
  const at = reader.at + 1
  return parser.back(reader.groupsNamed(reader.name(')'), at))
}

function callByName(parser: Parser): Item {
  const { reader } = parser
  const at = reader.at + 1
  return callNamed(reader, reader.name(')'), at)
}

function callNamed(reader: Reader, name: string, at: number): Item {
  const node: Node = { type: 'call', group: 0 }
  const groups = reader.groupsNamed(name, at)
  reader.checks.push(() => {
    node.group = groups[0]!
  })
  return repeatable(node)
}

function callByNumber(parser: Parser): Item {
  const { reader } = parser
  const group = reader.number(reader.groups, MAX_GROUP, 61)!
  if (reader.peek() !== ')') reader.fail(14)
  return call(parser, group)
}

function call({ reader }: Parser, group: number): Item {
  reader.requireGroup(group, reader.at)
  reader.at++
  return repeatable({ type: 'call', group })
}

/** `(?i)` and `(?i:...)`. */
function options(parser: Parser): Item | 'skipped' {
  const { reader } = parser
  const before = reader.flags
  const flags: { -readonly [Name in keyof Flags]: Flags[Name] } = { ...before }
  let value = true
  let hyphen = true
  if (reader.skip('^')) {
    flags.ignoreCase =
      flags.multiline =
      flags.dotAll =
      flags.extended =
      flags.extendedMore =
      flags.noCapture =
        false
    hyphen = false
  }
  while (!reader.ended && reader.peek() !== ')' && reader.peek() !== ':') {
    const letter = reader.take()
    if (letter === '-') {
      if (!hyphen) reader.fail(94, reader.at - 1)
      value = hyphen = false
    } else if (letter === 'x') {
      const more = reader.skip('x')
      flags.extended = value
      flags.extendedMore = value && more
    } else if (letter === 'i') flags.ignoreCase = value
    else if (letter === 'm') flags.multiline = value
    else if (letter === 's') flags.dotAll = value
    else if (letter === 'n') flags.noCapture = value
    else if (letter === 'U') flags.ungreedy = value
    else if (letter === 'J') flags.duplicates = value
    else reader.fail(11, reader.at - 1)
  }
  if (reader.ended) reader.fail(14)
  reader.flags = flags
  // To the end of the group around it.
  if (reader.take() === ')') return { node: { type: 'sequence', items: [] }, repeatable: false }
  const item = plain(parser)
  reader.flags = before
  return item
}

function condition(parser: Parser): Item {
  const { reader } = parser
  const offset = reader.at
  reader.at++
  if (reader.ended) reader.fail(14)
  const test = conditionTest(parser)
  const branches = parser.branches()
  const at = reader.at
  parser.close()
  const define = test === 'define'
  const most = define ? 1 : 2
  if (branches.length > most) reader.checks.push(() => reader.fail(define ? 54 : 27, define ? at : offset))
  const [yes, no] = branches
  return repeatable({
    type: 'condition',
    test: define ? { type: 'never' } : test,
    yes: yes!,
    no: no ?? EMPTY,
  })
}

function conditionTest(parser: Parser): Condition | 'define' {
  const { reader } = parser
  if (reader.peek() === '?' || reader.peek() === '*') return lookCondition(parser)
  const number = reader.number(reader.groups, MAX_GROUP, 61)
  let test: Condition | 'define'
  if (number !== null) {
    if (number === 0) reader.fail(15)
    reader.requireGroup(number, reader.at - 2)
    test = { type: 'groups', groups: [number] }
  } else test = namedCondition(reader)
  if (reader.peek() !== ')') reader.fail(24)
  reader.at++
  return test
}

function namedCondition(reader: Reader): Condition | 'define' {
  if (reader.text.startsWith('VERSION', reader.at)) throw new UnsupportedPattern('(?(VERSION')
  if (reader.skip('R&')) {
    reader.at--
    const at = reader.at + 1
    const groups = reader.groupsNamed(reader.name(')'), at)
    reader.at--
    return { type: 'calls', groups }
  }
  const quote = reader.peek()
  if (quote === '<' || quote === "'") {
    const at = reader.at + 1
    return { type: 'groups', groups: reader.groupsNamed(reader.name(quote === '<' ? '>' : "'"), at) }
  }
  const at = reader.at
  reader.at--
  const name = reader.name(')')
  reader.at--
  if (name === 'DEFINE') return 'define'
  if (!/^R\d*$/.test(name)) return { type: 'groups', groups: reader.groupsNamed(name, at) }
  const test: Condition = { type: 'calls', groups: name === 'R' ? null : [Number(name.slice(1))] }
  // A group may be called R1, too.
  const groups: Condition = { type: 'groups', groups: [] }
  reader.checks.push(() => {
    const found = reader.names.get(name)
    if (found !== undefined) Object.assign(test, groups, { groups: found })
    else if (name !== 'R' && Number(name.slice(1)) > reader.groups) reader.fail(15, at)
  })
  return test
}

function lookCondition(parser: Parser): Condition {
  const { reader } = parser
  if (!/^(\?<?[=!]|\*(positive|negative|[pn]l[ab]))/.test(reader.text.slice(reader.at))) {
    reader.fail(28, reader.at - 1)
  }
  const item = readGroup(parser)
  if (item === 'skipped') return { type: 'never' }
  return { type: 'look', look: item.node }
}

/** `(*FAIL)` and the words for lookaround. */
function verb(parser: Parser): Item {
  const { reader } = parser
  reader.at++
  const lower = /^[a-z]/.test(reader.peek())
  const word = /^\w*/.exec(reader.text.slice(reader.at))![0]
  if (lower) return lookInWords(parser, word)
  reader.at += word.length
  if (word === 'MARK' || (word === '' && reader.peek() === ':')) {
    if (reader.peek() !== ':' || /[:)]/.test(reader.peek(1))) reader.fail(66)
    throw new UnsupportedPattern(`(*${word}:`)
  }
  if (VERBS.test(word)) throw new UnsupportedPattern(`(*${word})`)
  if (word !== 'F' && word !== 'FAIL') reader.fail(60)
  if (reader.peek() !== ')') reader.fail(60)
  reader.at++
  return { node: { type: 'fail' }, repeatable: false }
}

function lookInWords(parser: Parser, word: string): Item {
  const { reader } = parser
  reader.at += word.length
  if (reader.peek() !== ':') reader.fail(95)
  if (OTHER_WORDS.has(word)) throw new UnsupportedPattern(`(*${word}:`)
  const kind = LOOKS[word] ?? reader.fail(95)
  const at = reader.at
  reader.at++
  if (kind === '>') return repeatable({ type: 'atomic', body: body(parser) })
  return look(parser, kind.at(-1)!, kind.length === 1, at)
}

/** `\k<name>`, `\g{1}` and `\g<name>`; `start` is where the letter stands. */
export function readNamedReference(parser: Parser, letter: string, start: number): Item {
  const { reader } = parser
  const open = reader.peek()
  if (letter === 'k') {
    const close = { '{': '}', '<': '>', "'": "'" }[open] ?? reader.fail(69)
    const at = reader.at + 1
    return parser.back(reader.groupsNamed(reader.name(close), at))
  }
  if (open === '<' || open === "'") return subroutine(reader, open === '<' ? '>' : "'")
  const braced = reader.skip('{')
  if (reader.peek() === '-' && Number.parseInt(reader.text.slice(reader.at + 1), 10) > reader.groups) {
    reader.fail(15, start + 1)
  }
  const number = reader.number(reader.groups, MAX_GROUP, 61)
  if (number === null) {
    if (!braced) reader.fail(57)
    reader.at--
    const at = reader.at + 1
    return parser.back(reader.groupsNamed(reader.name('}'), at))
  }
  if (number === 0) reader.fail(15)
  if (braced && !reader.skip('}')) reader.fail(57, start + 1)
  reader.requireGroup(number, reader.at - 1)
  return parser.back([number])
}

function subroutine(reader: Reader, close: string): Item {
  const start = reader.at + 1
  reader.at = start
  const group = reader.number(reader.groups, MAX_GROUP, 61)
  if (group === null) {
    reader.at = start - 1
    return callNamed(reader, reader.name(close), start)
  }
  if (!reader.skip(close)) reader.fail(57)
  reader.requireGroup(group, reader.at - 1)
  return repeatable({ type: 'call', group })
}
