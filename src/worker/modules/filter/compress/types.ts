// `gzip_types` and its like: which content types a filter is for.

import type { Setter } from '../../../../shared/conf/command.ts'

/** Content types, lower case; null: all. */
export type Types = ReadonlySet<string> | null

const HTML = 'text/html'
export const HTML_ONLY: Types = new Set([HTML])

/** `*` has been seen. */
const ALL = Symbol('*')

/** Setter of a list of types, with `text/html` always among them; the command needs `repeat`. */
export const types: Setter = (directive, context, previous) => {
  if (previous === ALL) return ALL
  const set = new Set((previous as Set<string> | undefined) ?? [HTML])
  for (const word of directive.args) {
    if (word === '*') return ALL
    const type = word.toLowerCase()
    if (set.has(type)) context.warn(`duplicate MIME type "${type}"`)
    set.add(type)
  }
  return set
}

/** What the setter gave, as Types. */
export function typesOf(value: unknown): Types {
  return value === ALL ? null : (value as Types)
}

/** The type in a `Content-Type`: as nginx, only a charset is not part of it. Lower case; '' for none. */
export function mediaType(value: string | null): string {
  if (value === null) return ''
  const at = value.indexOf(';')
  if (at < 0) return value.toLowerCase()
  const charset = /; *charset=/i.exec(value)
  return (charset === null ? value : value.slice(0, charset.index)).toLowerCase()
}
