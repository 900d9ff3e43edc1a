// What a pattern means, as the parser hands it to the translation to JavaScript and to our own matcher. Inline options
// are resolved: a node says by itself what it matches.

import type { ByteSet } from './bytes.ts'

export type Assertion =
  /** `^` and `\A` */
  | 'start'
  /** `^` under (?m) */
  | 'line start'
  /** `$` and `\Z`: at the end or before a newline that is the last character */
  | 'end'
  /** `$` under (?m) */
  | 'line end'
  /** `\z` */
  | 'very end'
  | 'word boundary'
  | 'no word boundary'

export type Node =
  | { type: 'set'; set: ByteSet }
  | { type: 'sequence'; items: Node[] }
  | { type: 'choice'; branches: Node[] }
  | { type: 'capture'; index: number; body: Node }
  | { type: 'repeat'; body: Node; min: number; max: number; mode: 'greedy' | 'lazy' | 'possessive' }
  | { type: 'assert'; kind: Assertion }
  | { type: 'look'; ahead: boolean; negative: boolean; body: Node }
  | { type: 'atomic'; body: Node }
  /** What a group matched; of several groups (a name given twice) the first that is set. */
  | { type: 'back'; groups: number[]; ignoreCase: boolean }
  /** `(?1)`; 0: the whole pattern. */
  | { type: 'call'; group: number }
  | { type: 'condition'; test: Condition; yes: Node; no: Node }
  /** `\K` */
  | { type: 'keep' }
  | { type: 'fail' }

export type Condition =
  /** One of these groups is set. */
  | { type: 'groups'; groups: number[] }
  /** Inside of a call of one of these groups; null: of any. */
  | { type: 'calls'; groups: number[] | null }
  | { type: 'never' }
  | { type: 'look'; look: Node }

export interface Pattern {
  root: Node
  /** Highest group number. */
  groups: number
  /** Named groups in the order nginx sets their variables. */
  names: [name: string, index: number][]
  /** A group number that stands for several groups: `(?|(a)|(b))`. */
  sharedNumbers: boolean
}

export const EMPTY: Node = { type: 'sequence', items: [] }

/** What a node holds directly inside of it, in order. */
export function parts(node: Node): readonly Node[] {
  switch (node.type) {
    case 'sequence':
      return node.items
    case 'choice':
      return node.branches
    case 'capture':
    case 'repeat':
    case 'look':
    case 'atomic':
      return [node.body]
    case 'condition':
      return node.test.type === 'look' ? [node.test.look, node.yes, node.no] : [node.yes, node.no]
    default:
      return []
  }
}

/** Whether `node` or anything inside of it is `wanted`. */
export function some(node: Node, wanted: (node: Node) => boolean): boolean {
  return wanted(node) || parts(node).some((part) => some(part, wanted))
}
