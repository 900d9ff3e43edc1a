// The second argument of `rewrite`: text, variables and captures, with a query behind its first `?`.

import type { BuildContext } from '../../../shared/conf/build.ts'
import { splitVariables, type VariablePart } from '../../http/complex-value.ts'
import type { Request } from '../../http/request.ts'

/** What a replacement gives for a request. */
export interface Rewritten {
  uri: string
  /** null: the replacement has none of its own. */
  args: string | null
}

export interface Replacement {
  /** The query of the request is kept, behind the replacement's own: it does not end in `?`. */
  readonly keepsArgs: boolean
  evaluate(r: Request): Rewritten
}

/** A piece and whether it is a capture, which is escaped where it is part of a query or of a redirect. */
type Piece = string | (VariablePart & { capture: boolean })

/** Compiles a replacement that changes the URI. */
export function compileReplacement(text: string, context: BuildContext): Replacement {
  const keepsArgs = !text.endsWith('?')
  const pieces = split(keepsArgs ? text : text.slice(0, -1), context)
  const at = pieces.findIndex((piece) => typeof piece === 'string' && piece.includes('?'))
  if (at < 0) return { keepsArgs, evaluate: (r) => ({ uri: join(r, pieces, false), args: null }) }
  const piece = pieces[at] as string
  const question = piece.indexOf('?')
  const path = [...pieces.slice(0, at), piece.slice(0, question)]
  const query = [piece.slice(question + 1), ...pieces.slice(at + 1)]
  return { keepsArgs, evaluate: (r) => ({ uri: join(r, path, false), args: join(r, query, true) }) }
}

/** Compiles a replacement that the client is redirected to. */
export function compileRedirect(text: string, context: BuildContext): (r: Request) => string {
  const keepsArgs = !text.endsWith('?')
  const pieces = split(keepsArgs ? text : text.slice(0, -1), context)
  const separator = pieces.some((piece) => typeof piece === 'string' && piece.includes('?')) ? '&' : '?'
  return (r) => {
    const url = unescapePath(join(r, pieces, true))
    return keepsArgs && r.args !== '' ? url + separator + r.args : url
  }
}

function split(text: string, context: BuildContext): Piece[] {
  return splitVariables(text, context).map((part) =>
    typeof part === 'string' ? part : { ...part, capture: /^[1-9]$/.test(part.name) },
  )
}

function join(r: Request, pieces: readonly Piece[], quote: boolean): string {
  const escapes = quote && isQuoted(r)
  let text = ''
  for (const piece of pieces) {
    if (typeof piece === 'string') text += piece
    else {
      const value = piece.read(r) ?? ''
      text += escapes && piece.capture ? escapeArgs(value) : value
    }
  }
  return text
}

/** The path of the request held %XX or `+`: what is cut from it has to be escaped again. */
function isQuoted(r: Request): boolean {
  if (r.quoted) return true
  const { target } = r.client
  const plus = target.indexOf('+')
  if (plus < 0) return false
  const question = target.indexOf('?')
  return question < 0 || plus < question
}

/** nginx's NGX_ESCAPE_ARGS. */
const UNSAFE = /[ "#%&+;<>?\\^`{|}\x00-\x1f\x7f-\xff]/g

function escapeArgs(text: string): string {
  return text.replace(UNSAFE, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)
}

/** nginx's NGX_UNESCAPE_REDIRECT: what need not be escaped is not, up to the first `?`, escaped or not. */
function unescapePath(url: string): string {
  const end = url.search(/\?|%3[Ff]/)
  const path = end < 0 ? url : url.slice(0, end)
  const query = end < 0 ? '' : url.slice(end).replace(/^%3[Ff]/, '?')
  return path.replace(/%([0-9A-Fa-f]{2})/g, unescapeOne) + query
}

function unescapeOne(escaped: string, hex: string): string {
  const code = Number.parseInt(hex, 16)
  return code > 37 && code < 127 ? String.fromCharCode(code) : escaped
}
