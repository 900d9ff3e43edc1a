// What `Accept-Encoding` says of a coding, read as nginx reads it for gzip: no coding but those named counts, and what
// is not well formed refuses it.

const NAME_BEFORE = new Set([44, 32])

/** Quality of `coding` (lower case) in the value, in thousandths; 0: it is not accepted. */
export function qualityOf(value: string, coding: string): number {
  const at = find(value, coding)
  return at < 0 ? 0 : qualityBehind(value, at + coding.length)
}

/** Where the name begins a word: at the start, or behind a comma or blank. */
function find(value: string, coding: string): number {
  const lower = value.toLowerCase()
  let from = 0
  for (;;) {
    const at = lower.indexOf(coding, from)
    if (at < 0 || at === from || NAME_BEFORE.has(lower.charCodeAt(at - 1))) return at
    from = at + coding.length
  }
}

function qualityBehind(value: string, start: number): number {
  let at = skipBlanks(value, start)
  if (at === value.length || value[at] === ',') return 1000
  if (value[at] !== ';') return 0
  at = skipBlanks(value, at + 1)
  if (at === value.length) return 1000
  if (value[at] !== 'q' && value[at] !== 'Q') return 0
  return value[at + 1] === '=' ? number(value, at + 2) : 0
}

function skipBlanks(value: string, start: number): number {
  let at = start
  while (value[at] === ' ') at++
  return at
}

/** `0` to `1.000`. As in nginx what follows a one may only be zeros, and `1.` and `0.` are numbers. */
function number(value: string, start: number): number {
  const match = /^([01])(?:\.(\d{0,3}))?(?:[, ]|$)/.exec(value.slice(start))
  if (match === null) return 0
  const [, whole, decimals = ''] = match
  if (whole === '1') return /[1-9]/.test(decimals) ? 0 : 1000
  return Number(decimals.padEnd(3, '0'))
}
