// The known word that a mistyped one is nearest to, for "did you mean".

/** The first candidate with the fewest slips from `word`, if they are few for its length; else null. */
export function nearest(word: string, candidates: Iterable<string>): string | null {
  const typed = word.toLowerCase().replaceAll('-', '_')
  let best: string | null = null
  let allowed = word.length < 3 ? 0 : Math.max(1, Math.floor(word.length / 4))
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - typed.length) > allowed) continue
    const slips = distance(typed, candidate)
    if (slips > allowed || (slips === allowed && best !== null)) continue
    best = candidate
    allowed = slips
  }
  return best
}

/** Insertions, deletions, replacements and swaps of neighbours that lead from `from` to `to`. */
export function distance(from: string, to: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let i = 1; i <= from.length; i++) {
    const row = [i]
    for (let j = 1; j <= to.length; j++) {
      const replaced = last[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1)
      let slips = Math.min(replaced, last[j]! + 1, row[j - 1]! + 1)
      if (i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]) {
        slips = Math.min(slips, beforeLast[j - 2]! + 1)
      }
      row.push(slips)
    }
    beforeLast = last
    last = row
  }
  return last[to.length]!
}
