// Request targets: normalisation as nginx does it (decode %XX once, merge slashes, resolve dot segments), and the
// escaping nginx applies when a changed URI goes to a backend.

/** A normalised target. Both parts are latin1: one character a byte. */
export interface NormalizedTarget {
  /** Decoded path. */
  uri: string
  /** Query without `?`, as received; '' without one. */
  args: string
  /** The path held %XX: a URI made from it must be escaped again. */
  quoted: boolean
}

const SLASH = 47
const DOT = 46
const PERCENT = 37
const QUESTION = 63
const HASH = 35

/**
 * Normalises `target`; null: not a valid one (400). A path that is missing is `/`. Slashes that follow each other become
 * one with `merge`.
 */
export function normalizeTarget(target: string, merge = true): NormalizedTarget | null {
  if (target.charCodeAt(0) !== SLASH) return normalizeTarget(`/${target}`, merge)
  let previous = 0
  for (let index = 0; index < target.length; index++) {
    const code = target.charCodeAt(index)
    if (code === QUESTION) {
      return { uri: target.slice(0, index), args: queryOf(target, index), quoted: false }
    }
    if (code === PERCENT || code === HASH || (previous === SLASH && (code === SLASH || code === DOT))) {
      return normalizeComplex(target, merge)
    }
    previous = code
  }
  return { uri: target, args: '', quoted: false }
}

/** The query behind the `?` at `question`; a fragment is not part of it. */
function queryOf(target: string, question: number): string {
  const hash = target.indexOf('#', question)
  return target.slice(question + 1, hash < 0 ? target.length : hash)
}

function normalizeComplex(target: string, merge: boolean): NormalizedTarget | null {
  const end = target.search(/[?#]/)
  const path = end < 0 ? target : target.slice(0, end)
  const args = end >= 0 && target.charCodeAt(end) === QUESTION ? queryOf(target, end) : ''
  const decoded = decodePath(path)
  if (decoded === null) return null
  const uri = resolveSegments(decoded, merge)
  return uri === null ? null : { uri, args, quoted: path.includes('%') }
}

/** Decodes %XX; null for a bad escape or a NUL. */
function decodePath(path: string): string | null {
  if (!path.includes('%')) return path
  if (/%(?![0-9A-Fa-f]{2})|%00/.test(path)) return null
  return path.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

/** Resolves `.` and `..` and merges slashes; null when the path leaves the root. */
function resolveSegments(path: string, merge: boolean): string | null {
  const segments: string[] = []
  const parts = path.split('/')
  for (let index = 1; index < parts.length; index++) {
    const part = parts[index]!
    const last = index === parts.length - 1
    if (part === '..') {
      if (segments.length === 0) return null
      segments.pop()
    } else if (part !== '.' && (part !== '' || !merge)) {
      segments.push(part)
      continue
    }
    if (last) segments.push('')
  }
  return `/${segments.join('/')}`
}

/** nginx's NGX_ESCAPE_URI: what may not stand in the path of a request line. */
const unsafe = /[ #%?"<>\\^`{|}\x00-\x1f\x7f-\xff]/g

/** Escapes a decoded path for a request line. */
export function escapeUri(uri: string): string {
  return uri.replace(unsafe, percent)
}

function percent(char: string): string {
  const code = char.charCodeAt(0)
  return `%${code < 16 ? '0' : ''}${code.toString(16).toUpperCase()}`
}
