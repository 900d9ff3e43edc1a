// The nginx configuration in the text of a guide: every block that stands in it, with what stands directly beside it,
// taken out of the prose, and mended where a page's way into plain text has cost it its lines or braces.

import { nginxDirectives } from '../../src/shared/conf/nginx-names.ts'

/** The configurations in `guide`, in the order they stand; comments are gone. */
export function configurationsOf(guide: string): string[] {
  const found: string[] = []
  let current: string[] = []
  const lines = guide.split('\n').flatMap(unfold)
  for (let at = 0; at < lines.length; ) {
    const length = statementLength(lines, at)
    if (length > 0 && !SENTENCE.test(lines[at]!)) {
      current.push(mended(lines.slice(at, at + length)))
      at += length
      continue
    }
    const isProse = lines[at]!.trim() !== ''
    if (isProse && current.length > 0) {
      found.push(current.join('\n'))
      current = []
    }
    at++
  }
  if (current.length > 0) found.push(current.join('\n'))
  return found
}

/** What follows a comment in a configuration that has lost its line ends: the directives these guides use. */
const AFTER_COMMENT = new RegExp(
  [
    String.raw`(?:http|server) \{`,
    String.raw`(?:location|upstream) \S+ \{`,
    String.raw`map \$`,
    String.raw`server [\d.]+:`,
    '(?:ip_hash|least_conn);',
    String.raw`keepalive \d+;`,
    String.raw`proxy_(?:pass|set_header|http_version|\w+_timeout) [^;{}#]*;`,
  ].join('|'),
)

/** A line as the lines it was made of, without comments. */
function unfold(line: string): string[] {
  const text = line.replace(/\\([$_])/g, '$1')
  const isWhole = /[{;].*[{};]/.test(text) && text.includes('# ')
  if (!isWhole) return [withoutComment(text)]
  const [code, ...comments] = text.split('# ')
  const rest = comments.map((comment) => {
    const at = comment.search(AFTER_COMMENT)
    return at < 0 ? '' : comment.slice(at)
  })
  return [[code, ...rest].join(' ').trim()]
}

/** A line that is only a comment separates nothing. */
function withoutComment(line: string): string {
  return line.replace(/(^|\s)#.*$/, '')
}

/** How many lines the statement takes that begins at a line; 0: none begins there. */
function statementLength(lines: readonly string[], at: number): number {
  const name = /^\s*([a-z_]+)(?= )/.exec(lines[at]!)?.[1]
  if (name === undefined || !nginxDirectives.has(name)) return 0
  let depth = 0
  let opened = false
  for (let index = at; index < lines.length; index++) {
    const line = lines[index]!
    // A directive has no empty line in it; a block has.
    if (!opened && line.trim() === '') return 0
    for (const char of line.replace(/"[^"]*"|'[^']*'/g, '')) {
      if (char === '{') depth++
      if (char === '}') depth--
      opened ||= char === '{'
    }
    if (depth === 0 && (opened || isEnded(line))) return index - at + 1
  }
  return 0
}

/** Behind the last semicolon is no directive that goes on in the next line. */
function isEnded(line: string): boolean {
  const at = line.lastIndexOf(';')
  return at >= 0 && !nginxDirectives.has(/^\s*([a-z_]*)/.exec(line.slice(at + 1))![1]!)
}

/** A sentence about directives is none. */
const SENTENCE = /\d[a-z]{2}/

function mended(lines: readonly string[]): string {
  const text = lines.join('\n').trim()
  if (text.includes('{')) return text
  const directives = text.slice(0, text.lastIndexOf(';') + 1)
  const block = /^((?:location|upstream) \S+) +/.exec(directives)
  return block === null ? directives : `${block[1]} { ${directives.slice(block[0].length)} }`
}
