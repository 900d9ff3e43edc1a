// Lookbehinds look back a fixed number of characters, each of their branches its own.

import { EMPTY, type Node, some } from './ast.ts'
import { UnsupportedPattern } from './errors.ts'
import type { Reader } from './reader.ts'

/** Checks that every branch of each lookbehind has one length. */
export function checkLookbehinds(lookbehinds: ReadonlyMap<Node, number>, reader: Reader): void {
  for (const [node, offset] of lookbehinds) {
    if (node.type !== 'look') continue
    if (some(node.body, refersToGroup)) throw new UnsupportedPattern('(?<=\\1)')
    const branches = node.body.type === 'choice' ? node.body.branches : [node.body]
    for (const branch of branches) if (fixedLength(branch) === null) reader.fail(25, offset)
  }
}

/** Its length is that of a group elsewhere. */
function refersToGroup(node: Node): boolean {
  return node.type === 'call' || node.type === 'back'
}

/** How many characters `node` always takes; null: that varies. */
export function fixedLength(node: Node): number | null {
  switch (node.type) {
    case 'set':
      return 1
    case 'sequence':
      return sequenceLength(node.items)
    case 'choice': {
      const [first, ...others] = node.branches.map(fixedLength)
      return others.every((length) => length === first) ? first! : null
    }
    case 'capture':
    case 'atomic':
      return fixedLength(node.body)
    case 'repeat': {
      if (node.body.type === 'look') return 0
      const length = fixedLength(node.body)
      return node.min === node.max && length !== null ? length * node.min : null
    }
    case 'condition': {
      if (node.test.type === 'never') return 0
      const length = fixedLength(node.yes)
      // PCRE2 asks no more of a condition with one branch.
      if (node.no === EMPTY) return length
      return length === fixedLength(node.no) ? length : null
    }
    case 'back':
    case 'call':
      return null
    default:
      return 0
  }
}

function sequenceLength(items: readonly Node[]): number | null {
  let sum = 0
  for (const item of items) {
    // What comes after is never reached.
    if (item.type === 'fail') break
    const length = fixedLength(item)
    if (length === null) return null
    sum += length
  }
  return sum
}
