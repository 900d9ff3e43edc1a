// The head of the response being made, in the groups nginx sends it: the fields weir itself writes as members, all
// others as ready `Name: value` lines.

export class Response {
  /** 0 until one is decided. */
  status = 0
  /** Code and reason phrase of a backend, passed on as they were; '' to use weir's own phrase. */
  statusLine = ''
  contentType: string | null = null
  /** Bytes of content; -1 when not known. */
  contentLength = -1
  lastModified: string | null = null
  /** Location, absolute or starting with a slash. */
  location: string | null = null
  /** All other fields as complete lines. */
  lines = ''
  /** The response has no content whatever its head says: HEAD, 204, 304. */
  headerOnly = false

  /** Adds a field. The caller has seen to it that name and value hold no control characters. */
  add(name: string, value: string): void {
    this.lines += `${name}: ${value}\r\n`
  }

  /** First value among `lines` of the field called `name` (lower case), or null. */
  get(name: string): string | null {
    const match = this.#pattern(name).exec(this.lines)
    return match === null ? null : match[1]!
  }

  /** Removes every field called `name` (lower case) from `lines`. */
  remove(name: string): void {
    if (this.lines !== '') this.lines = this.lines.replace(this.#pattern(name, 'g'), '')
  }

  /** Forgets all that has been decided, for a special response in its place. */
  clear(): void {
    this.statusLine = ''
    this.contentType = null
    this.contentLength = -1
    this.lastModified = null
    this.location = null
    this.lines = ''
  }

  #pattern(name: string, flags = ''): RegExp {
    const key = name + flags
    let pattern = patterns.get(key)
    if (pattern === undefined) {
      pattern = new RegExp(`^${name.replace(/[^a-z0-9-]/g, '\\$&')}: (.*)\\r\\n`, `mi${flags}`)
      if (patterns.size < 1000) patterns.set(key, pattern)
    }
    pattern.lastIndex = 0
    return pattern
  }
}

const patterns = new Map<string, RegExp>()
