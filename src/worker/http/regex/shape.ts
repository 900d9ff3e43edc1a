// Questions about a pattern's shape that both ways of matching ask: may it be empty, what can it begin with, which
// groups does it always set.

import type { Node } from './ast.ts'
import { ALL, addSet, type ByteSet, emptySet, setOf } from './bytes.ts'

/** Whether `node` may match without taking a character. */
export function nullable(node: Node): boolean {
  switch (node.type) {
    case 'set':
      return false
    case 'sequence':
      return node.items.every(nullable)
    case 'choice':
      return node.branches.some(nullable)
    case 'capture':
    case 'atomic':
      return nullable(node.body)
    case 'repeat':
      return node.min === 0 || nullable(node.body)
    case 'condition':
      return nullable(node.yes) || nullable(node.no)
    default:
      return true
  }
}

/** The least number of characters `node` takes; calls count as none. */
export function shortest(node: Node): number {
  switch (node.type) {
    case 'set':
      return 1
    case 'sequence':
      return node.items.reduce((sum, item) => sum + shortest(item), 0)
    case 'choice':
      return Math.min(...node.branches.map(shortest))
    case 'capture':
    case 'atomic':
      return shortest(node.body)
    case 'repeat':
      return node.min * shortest(node.body)
    case 'condition':
      return node.test.type === 'never' ? 0 : Math.min(shortest(node.yes), shortest(node.no))
    default:
      return 0
  }
}

/** What can come next where `node` is to match and, once it has, a character of `follow` or the end of the text. */
export function first(node: Node, follow: ByteSet): ByteSet {
  switch (node.type) {
    case 'set':
      return node.set
    case 'sequence':
      return node.items.reduceRight((after, item) => first(item, after), follow)
    case 'choice':
      return either(node.branches, follow)
    case 'capture':
    case 'atomic':
      return first(node.body, follow)
    case 'repeat':
      return node.min === 0 || nullable(node.body)
        ? either([node.body, null], follow)
        : first(node.body, follow)
    case 'assert':
      if (node.kind === 'very end') return emptySet()
      return node.kind === 'end' || node.kind === 'line end' ? setOf('\n') : follow
    case 'look':
    case 'keep':
      return follow
    case 'fail':
      return emptySet()
    default:
      return ALL
  }
}

function either(nodes: readonly (Node | null)[], follow: ByteSet): ByteSet {
  const set = emptySet()
  for (const node of nodes) addSet(set, node === null ? follow : first(node, follow))
  return set
}

/** Whether every match begins at the start of the text. */
export function anchored(node: Node): boolean {
  switch (node.type) {
    case 'assert':
      return node.kind === 'start'
    case 'sequence':
      return node.items.some((item, index) => anchored(item) && node.items.slice(0, index).every(noCharacter))
    case 'choice':
      return node.branches.every(anchored)
    case 'capture':
    case 'atomic':
      return anchored(node.body)
    case 'repeat':
      return node.min > 0 && anchored(node.body)
    default:
      return false
  }
}

function noCharacter(node: Node): boolean {
  return node.type === 'assert' || node.type === 'look'
}

/** Numbers of the groups inside of `node`. */
export function groupsIn(node: Node, into = new Set<number>()): Set<number> {
  if (node.type === 'capture') into.add(node.index)
  if (node.type === 'condition') {
    if (node.test.type === 'look') groupsIn(node.test.look, into)
    groupsIn(node.yes, into)
    groupsIn(node.no, into)
  } else if (node.type === 'sequence') for (const item of node.items) groupsIn(item, into)
  else if (node.type === 'choice') for (const branch of node.branches) groupsIn(branch, into)
  else if ('body' in node) groupsIn(node.body, into)
  return into
}

/** Numbers of the groups that every match of `node` sets. */
export function alwaysSet(node: Node): Set<number> {
  switch (node.type) {
    case 'sequence':
      return new Set(node.items.flatMap((item) => [...alwaysSet(item)]))
    case 'choice': {
      const [head, ...others] = node.branches.map(alwaysSet)
      return new Set([...head!].filter((index) => others.every((set) => set.has(index))))
    }
    case 'capture':
      return alwaysSet(node.body).add(node.index)
    case 'atomic':
      return alwaysSet(node.body)
    case 'repeat':
      return node.min > 0 ? alwaysSet(node.body) : new Set()
    case 'look':
      return node.negative ? new Set() : alwaysSet(node.body)
    default:
      return new Set()
  }
}
