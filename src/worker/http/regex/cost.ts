// How much work a backtracking engine may have with a pattern at worst. V8's cannot be stopped, so it only gets texts
// for which this is little; the others go to our own matcher, which counts.

import type { Node, Pattern } from './ast.ts'
import { ALL, type ByteSet, disjoint, union } from './bytes.ts'
import { anchored, first, nullable, shortest } from './shape.ts'

/** Steps V8 may take for one match: at most some 10 milliseconds. */
const MOST_STEPS = 8_000_000
const LONGEST = 1 << 24
/** Shorter texts than these are not worth a decision for each match. */
const SHORTEST = 64

/** Ways to match, and steps to try them all. */
interface Cost {
  ways: number
  steps: number
}

/** The longest text that `pattern` can be tried on without stopping the worker for long; 0: none. */
export function longestSafeText({ root }: Pattern): number {
  const mayFail = withoutTail(root)
  const starts = (length: number): number => (anchored(root) ? 1 : length)
  let longest = 0
  for (let length = SHORTEST; length <= LONGEST; length *= 2) {
    const { steps } = cost(mayFail, ALL, length)
    if (steps * starts(length) > MOST_STEPS) break
    longest = length
  }
  return longest
}

/** Without a `.*` at the end: once it is reached the match is made. */
function withoutTail(root: Node): Node {
  if (root.type !== 'sequence') return root
  let last = root.items.at(-1)
  if (last?.type === 'capture') last = last.body
  const tail = last?.type === 'repeat' && last.body.type === 'set' && last.min === 0
  return tail ? { type: 'sequence', items: root.items.slice(0, -1) } : root
}

/** For a text of `length` in which a character of `follow`, or the end, comes after `node`. */
function cost(node: Node, follow: ByteSet, length: number): Cost {
  switch (node.type) {
    case 'sequence':
      return sequenceCost(node.items, follow, length)
    case 'choice':
      return choiceCost(node.branches, follow, length)
    case 'capture':
      return cost(node.body, follow, length)
    case 'repeat':
      return repeatCost(node, follow, length)
    case 'look': {
      const { steps } = cost(node.body, ALL, length)
      return { ways: 1, steps: steps + 1 }
    }
    default:
      return { ways: 1, steps: 1 }
  }
}

function sequenceCost(items: readonly Node[], follow: ByteSet, length: number): Cost {
  const follows: ByteSet[] = []
  let after = follow
  for (let index = items.length - 1; index >= 0; index--) {
    follows[index] = after
    after = first(items[index]!, after)
  }
  let ways = 1
  let steps = 0
  items.forEach((item, index) => {
    const one = cost(item, follows[index]!, length)
    steps += ways * one.steps
    ways *= one.ways
  })
  return { ways, steps }
}

function choiceCost(branches: readonly Node[], follow: ByteSet, length: number): Cost {
  const all = branches.map((branch) => cost(branch, follow, length))
  const steps = all.reduce((sum, one) => sum + one.steps, branches.length)
  // The next character decides: only one branch gets further than that.
  let seen: ByteSet = new Uint8Array(256)
  let clear = true
  for (const branch of branches) {
    const start = first(branch, follow)
    clear &&= !nullable(branch) && disjoint(seen, start)
    seen = union(seen, start)
  }
  const ways = clear ? Math.max(...all.map((one) => one.ways)) : all.reduce((sum, one) => sum + one.ways, 0)
  return { ways, steps }
}

function repeatCost(node: Extract<Node, { type: 'repeat' }>, follow: ByteSet, length: number): Cost {
  const { body, min } = node
  const start = first(body, follow)
  const once = cost(body, union(start, follow), length)
  const turns = Math.min(
    node.max,
    nullable(body) ? node.max : Math.floor(length / Math.max(shortest(body), 1)),
  )
  if (turns === Number.POSITIVE_INFINITY) return { ways: turns, steps: turns }
  const clear = !nullable(body) && disjoint(start, follow)
  if (once.ways <= 1) {
    return { ways: clear ? 1 : Math.max(turns - min, 0) + 1, steps: (once.steps + 1) * (turns + 1) }
  }
  let ways = 0
  let steps = 1
  let reached = 1
  for (let turn = 0; turn <= turns && steps <= MOST_STEPS; turn++) {
    if (turn >= min) ways += reached
    steps += reached * once.steps
    reached *= once.ways
  }
  return { ways, steps }
}
