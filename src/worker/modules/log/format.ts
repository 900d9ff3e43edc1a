// `log_format`: its text compiled to one function that puts a request's line together, with values escaped as asked.

import type { BuildContext } from '../../../shared/conf/build.ts'
import type { Directive } from '../../../shared/conf/directive.ts'
import type { Request } from '../../http/request.ts'
import { variableReader } from '../../http/variables.ts'
import { PLAIN } from '../core-variables.ts'

type Formatter = (r: Request) => string
type Escape = (text: string) => string

export interface LogFormat {
  readonly name: string
  /** A line with its line feed, for files. */
  readonly line: Formatter
  /** The same without line feed, for syslog. */
  readonly message: Formatter
}

const COMBINED =
  '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"'

/** The format every configuration has. */
export function combinedFormat(context: BuildContext): LogFormat {
  return compileFormat('combined', [COMBINED], escapeDefault, context)
}

/** What a `log_format` directive declares. */
export function declaredFormat(directive: Directive, context: BuildContext): LogFormat {
  const [name, ...texts] = directive.args as [string, ...string[]]
  if (!texts[0]?.startsWith('escape=')) return compileFormat(name, texts, escapeDefault, context)
  const word = texts[0].slice('escape='.length)
  const encode = escapes.get(word) ?? context.error(`unknown log format escaping "${word}"`)
  return compileFormat(name, texts.slice(1), encode, context)
}

function compileFormat(name: string, texts: string[], encode: Escape, context: BuildContext): LogFormat {
  // Variables do not reach over the end of an argument.
  const pieces = texts.flatMap((text) => splitFormat(text, encode, context))
  return { name, line: joiner([...pieces, '\n']), message: joiner(pieces) }
}

/** Unlike elsewhere in a configuration, `$1` is no capture here and `$12` one name. */
function splitFormat(text: string, encode: Escape, context: BuildContext): (string | Formatter)[] {
  const parts: (string | Formatter)[] = []
  const pattern = /\$(\{?)(\w*)/y
  let from = 0
  for (let dollar = text.indexOf('$'); dollar >= 0; dollar = text.indexOf('$', from)) {
    parts.push(text.slice(from, dollar))
    pattern.lastIndex = dollar
    const [, brace = '', name = ''] = pattern.exec(text)!
    from = pattern.lastIndex
    const closed = brace === '' || text[from] === '}'
    if (name === '' && (closed || from === text.length)) {
      context.error(`invalid parameter "${text.slice(dollar)}"`)
    }
    if (!closed) context.error(`the closing bracket in "${name}" variable is missing`)
    if (/^[1-9]$/.test(name)) context.error(`unknown "${name}" variable`)
    parts.push(logged(name.toLowerCase(), encode, context))
    from += brace.length
  }
  parts.push(text.slice(from))
  return parts
}

/** A variable as a log line shows it. */
function logged(name: string, encode: Escape, context: BuildContext): Formatter {
  const read = variableReader(context, name)
  const missing = encode === escapeDefault ? '-' : ''
  if (PLAIN.has(name)) return (r) => read(r) ?? missing
  return (r) => {
    const text = read(r)
    return text === null ? missing : encode(text)
  }
}

function joiner(pieces: (string | Formatter)[]): Formatter {
  // A text, possibly empty, before each variable and behind the last.
  const texts = ['']
  const readers: Formatter[] = []
  for (const piece of pieces) {
    if (typeof piece === 'string') texts[texts.length - 1] += piece
    else {
      readers.push(piece)
      texts.push('')
    }
  }
  const head = texts.shift()!
  return (r) => {
    let line = head
    for (let index = 0; index < readers.length; index++) line += readers[index]!(r) + texts[index]!
    return line
  }
}

const UNSAFE = /["\\\x00-\x1f\x7f-\xff]/
const UNSAFE_ALL = /["\\\x00-\x1f\x7f-\xff]/g

/** nginx's `escape=default`: quotes, backslashes and what is not printable as \xXX. */
function escapeDefault(text: string): string {
  if (!UNSAFE.test(text)) return text
  return text.replace(
    UNSAFE_ALL,
    (char) => `\\x${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  )
}

const JSON_ESCAPES: Record<string, string> = {
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\b': '\\b',
  '\f': '\\f',
}

/** nginx's `escape=json`: as it must stand inside a JSON string; bytes from 0x7f on stay as they are. */
function escapeJson(text: string): string {
  return text.replace(/["\\\x00-\x1f]/g, (char) => {
    if (char === '"' || char === '\\') return `\\${char}`
    return JSON_ESCAPES[char] ?? `\\u${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`
  })
}

const escapes = new Map<string, Escape>([
  ['default', escapeDefault],
  ['json', escapeJson],
  ['none', (text) => text],
])
