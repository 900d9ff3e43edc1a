// The head of the response being made, in the groups nginx sends it: the fields weir itself writes as members, all
// others as ready `Name: value` lines.

import type { HeldContent, MadeContent } from './held-content.ts'
import type { Request } from './request.ts'

/** A part of the content, and what is sent in front of it. */
export interface ContentPart {
  /** Latin1. */
  head: string
  start: number
  /** Behind the last byte; may be `start`. */
  end: number
}

export class Response {
  /** 0 until one is decided. */
  status = 0
  /** Code and reason phrase of a backend, passed on as they were; '' to use weir's own phrase. */
  statusLine = ''
  contentType: string | null = null
  /** Bytes of content; -1 when not known. */
  contentLength = -1
  lastModified: string | null = null
  /** Seconds since the epoch that `lastModified` stands for; -1: nothing that a condition could be held against. */
  modifiedTime = -1
  /** A part of the content may be asked for. */
  allowRanges = false
  /** ... one only, and the whole where several are asked for. */
  singleRange = false
  /**
   * Sent in place of the whole content, in this order, which is not always that of the content; null: the whole. Only
   * ever set, when the head is sent, where `allowRanges` was.
   */
  parts: readonly ContentPart[] | null = null
  /** The content as its sender holds it for other requests too; null, too, once a filter makes other content of it. */
  held: HeldContent | null = null
  /** Set by a header filter in place of a sink: what has been made of `held` before, to be sent instead. */
  made: MadeContent | null = null
  /** Set by a header filter: another response takes the place of this one, that for this status. */
  refusal = 0
  /** `Content-Encoding` as a backend or a file has it, which stands among `lines`; not what `add_header` adds. */
  contentEncoding = ''
  /** The charset that a backend asks for by `X-Accel-Charset`; '' for none. */
  overrideCharset = ''
  /** The first Expires among `lines` is one that `add_header` has added: it says nothing of the response. */
  expiresAdded = false
  /** The content depends on `Accept-Encoding`, and `gzip_vary` has the client told so. */
  varies = false
  /** Location, absolute or starting with a slash. */
  location: string | null = null
  /** Made by a backend, which has tested the request's conditions itself. */
  fromBackend = false
  /** All other fields as complete lines. */
  lines = ''
  /** Those of `lines` that a special response has, too. */
  lasting = ''
  /** The response has no content whatever its head says: HEAD, 204, 304. */
  headerOnly = false
  /** `lines` holds the Server field, or the Date field: weir's own is not sent. */
  ownServer = true
  ownDate = true
  /**
   * Gives the trailer section's lines, asked when the content is complete. Once it is set, the content goes to HTTP/1.1
   * clients in chunks, whatever its length.
   */
  trailers: ((r: Request) => string) | null = null
  /** The backend's trailers are passed on, should it send any behind its chunks. */
  passesTrailers = false
  /** Trailers of the backend that are passed on; behind them, once the content is complete, what `trailers` gave. */
  trailerLines = ''
  /** The content is sent in chunks; known once the head has been sent. */
  chunked = false

  /** Adds a field. The caller has seen to it that name and value hold no control characters. */
  add(name: string, value: string): void {
    this.lines += `${name}: ${value}\r\n`
  }

  /** Adds a complete line that stays with special responses; `instead`: the one whose place it takes, '' for none. */
  addLasting(line: string, instead: string): void {
    if (instead === '') {
      this.lines += line
      this.lasting += line
    } else if (instead !== line) {
      this.lines = this.lines.replace(instead, () => line)
      this.lasting = this.lasting.replace(instead, () => line)
    }
  }

  /** First value among `lines` of the field called `name` (lower case), or null. */
  get(name: string): string | null {
    const match = pattern(name).exec(this.lines)
    return match === null ? null : match[1]!
  }

  /** All lines of the field called `name` (lower case), as they stand; '' without any. */
  linesOf(name: string): string {
    return this.lines === '' ? '' : (this.lines.match(pattern(name, 'g'))?.join('') ?? '')
  }

  /** Removes every field called `name` (lower case) from `lines`. */
  remove(name: string): void {
    if (this.lines !== '') this.lines = this.lines.replace(pattern(name, 'g'), '')
  }

  /** Puts `name: value` in the place of the first field called `lower` (lower case); false where there is none. */
  replace(lower: string, name: string, value: string): boolean {
    const match = pattern(lower).exec(this.lines)
    if (match === null) return false
    const end = match.index + match[0].length
    this.lines = `${this.lines.slice(0, match.index)}${name}: ${value}\r\n${this.lines.slice(end)}`
    return true
  }

  /** Gives the first field called `lower` (lower case) another value and removes the others; false where there is none. */
  setValue(lower: string, value: string): boolean {
    if (this.get(lower) === null) return false
    let first = true
    this.lines = this.lines.replace(pattern(lower, 'g'), (line: string) => {
      if (!first) return ''
      first = false
      return `${line.slice(0, lower.length)}: ${value}\r\n`
    })
    return true
  }

  /** Forgets all that has been decided, for a special response in its place. */
  clear(): void {
    this.statusLine = ''
    this.contentType = null
    this.contentLength = -1
    this.lastModified = null
    this.modifiedTime = -1
    this.allowRanges = this.singleRange = false
    this.parts = null
    this.held = null
    this.made = null
    this.refusal = 0
    this.contentEncoding = ''
    this.overrideCharset = ''
    this.expiresAdded = false
    this.location = null
    this.fromBackend = false
    this.passesTrailers = false
    this.trailerLines = ''
    this.lines = ''
    this.ownServer = this.ownDate = true
  }
}

/**
 * All values in `lines` of the fields that a variable's suffix names, joined; null without any. `_` in the suffix
 * stands for `-` too.
 */
export function valuesOf(lines: string, suffix: string): string | null {
  if (lines === '') return null
  let joined: string | null = null
  for (const match of lines.matchAll(pattern(suffix, 'g'))) {
    joined = joined === null ? match[1]! : `${joined}, ${match[1]!}`
  }
  return joined
}

const patterns = new Map<string, RegExp>()

/** Finds a field's line in `lines`. */
function pattern(name: string, flags = ''): RegExp {
  const key = name + flags
  let found = patterns.get(key)
  if (found === undefined) {
    const source = name.replace(/[^a-z0-9_-]/g, '\\$&').replaceAll('_', '[_-]')
    found = new RegExp(`^${source}: (.*)\\r\\n`, `mi${flags}`)
    if (patterns.size < 1000) patterns.set(key, found)
  }
  found.lastIndex = 0
  return found
}
