// Setters for the common kinds of value, with nginx's words for what does not fit. A module's command table names one
// of them per directive; what they return is the field's value.

import type { Setter } from './command.ts'
import { parseInteger, parseOffset, parseSeconds, parseSize, parseTime } from './values.ts'

/** A count and a size: `proxy_buffers 8 4k`. */
export interface Buffers {
  count: number
  size: number
}

/** `on` or `off` -> boolean. */
export function flag(): Setter {
  return (directive, context) => {
    const value = directive.args[0]!
    const word = value.toLowerCase()
    if (word === 'on') return true
    if (word === 'off') return false
    return context.error(
      `invalid value "${value}" in "${directive.name}" directive, it must be "on" or "off"`,
    )
  }
}

/** The argument as it stands. */
export function string(): Setter {
  return (directive) => directive.args[0]!
}

/** As `set`; an empty argument takes back what the level around says, and stays ''. */
export function optional(set: Setter): Setter {
  return (directive, context, previous) => (directive.args[0] === '' ? '' : set(directive, context, previous))
}

/** All arguments; with `repeat`, those of all directives together. */
export function strings(): Setter {
  return (directive, _context, previous) => [...((previous as string[] | undefined) ?? []), ...directive.args]
}

/** For each directive its list of arguments, in order; the command needs `repeat`. */
export function list(): Setter {
  return (directive, _context, previous) => [...((previous as string[][] | undefined) ?? []), directive.args]
}

/** A number, between `min` and `max` where they are given. */
export function number(min = 0, max = Number.POSITIVE_INFINITY): Setter {
  return (directive, context) => {
    const value = parseInteger(directive.args[0]!)
    if (value === null) return context.error(`"${directive.name}" directive invalid number`)
    if (value >= min && value <= max) return value
    if (max === Number.POSITIVE_INFINITY)
      return context.error(`value must be equal to or greater than ${min}`)
    return context.error(`value must be between ${min} and ${max}`)
  }
}

/** Bytes, `k` or `m` -> bytes. */
export function size(): Setter {
  return parsed(parseSize)
}

/** Bytes, `k`, `m` or `g` -> bytes. */
export function offset(): Setter {
  return parsed(parseOffset)
}

/** A time in nginx's milliseconds resolution -> milliseconds. */
export function time(): Setter {
  return parsed(parseTime)
}

/** A time in nginx's seconds resolution (years and months too, no `ms`) -> milliseconds. */
export function timeSeconds(): Setter {
  return parsed(parseSeconds)
}

/** `off` -> false, else what `set` makes of it. */
export function offOr(set: Setter): Setter {
  return (directive, context, previous) =>
    directive.args[0] === 'off' ? false : set(directive, context, previous)
}

/** One of the words in `values` (in any case) -> its value. */
export function oneOf<T>(values: Record<string, T>): Setter {
  return (directive, context) => {
    const word = directive.args[0]!
    const key = word.toLowerCase()
    return Object.hasOwn(values, key) ? values[key] : context.error(`invalid value "${word}"`)
  }
}

/** Any of the words in `bits` (in any case) -> their bits together. */
export function bitmask(bits: Record<string, number>): Setter {
  return (directive, context, previous) => {
    let mask = (previous as number | undefined) ?? 0
    for (const word of directive.args) {
      const key = word.toLowerCase()
      if (!Object.hasOwn(bits, key)) context.error(`invalid value "${word}"`)
      const bit = bits[key]!
      if (mask & bit) context.warn(`duplicate value "${word}"`)
      mask |= bit
    }
    return mask
  }
}

/** Count and size of one buffer -> Buffers. */
export function buffers(): Setter {
  return (directive, context) => {
    const count = parseInteger(directive.args[0]!)
    const bytes = parseSize(directive.args[1]!)
    if (!count || !bytes) return context.error(`"${directive.name}" directive invalid value`)
    return { count, size: bytes } satisfies Buffers
  }
}

/** A file or folder, relative to the prefix -> absolute path. */
export function path(): Setter {
  return (directive, context) => context.path(directive.args[0]!)
}

/** A file read at configuration time, relative to the configuration's folder -> absolute path. */
export function confPath(): Setter {
  return (directive, context) => context.confPath(directive.args[0]!)
}

/** For a directive that only opens a block. */
export function block(): Setter {
  return () => true
}

/** A setter for values that `parse` reads from the one argument; null is nginx's `"x" directive invalid value`. */
export function parsed<T>(parse: (text: string) => T | null): Setter {
  return (directive, context) => {
    const value = parse(directive.args[0]!)
    return value === null ? context.error(`"${directive.name}" directive invalid value`) : value
  }
}
