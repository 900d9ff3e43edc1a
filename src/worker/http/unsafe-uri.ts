// URIs that a backend names for a redirect within weir: taken apart, unescaped, and refused where they would lead out
// of where they point to, by nginx's rules.

/** Path, unescaped, and query (null: none); a URI that is not to be followed as `unsafe`, as far as it was unescaped. */
export function parseUnsafeUri(uri: string): { path: string; args: string | null } | { unsafe: string } {
  const question = uri.indexOf('?')
  const raw = question < 0 ? uri : uri.slice(0, question)
  if (raw === '' || leadsOut(raw)) return { unsafe: uri }
  const path = raw.includes('%') ? withoutEscapes(raw) : raw
  if (leadsOut(path)) return { unsafe: path }
  return { path, args: question < 0 ? null : uri.slice(question + 1) }
}

/** Holds a NUL, or `..` as a segment. */
function leadsOut(path: string): boolean {
  return path.includes('\0') || /(?:^|\/)\.\.(?:\/|$)/.test(path)
}

/** As nginx, which drops what is no escape: the percent sign, and a digit behind it with whatever follows that. */
function withoutEscapes(text: string): string {
  return text.replace(/%(?:([0-9a-f]{2})|[0-9a-f][\s\S]?|)/gi, (_, digits: string | undefined) =>
    digits === undefined ? '' : String.fromCharCode(Number.parseInt(digits, 16)),
  )
}
