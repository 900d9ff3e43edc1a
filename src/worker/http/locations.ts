// URI -> location, with nginx's rules: exact match, then the longest prefix (and its nested locations), then regular
// expressions in the order they stand unless the prefix says `^~`, then that prefix. A nested prefix does not settle
// the matter: regular expressions of the levels around it still come first.

import type { Scope } from '../../shared/conf/build.ts'
import { locationConf } from './location-conf.ts'
import type { LocationPlan } from './plan.ts'
import { matchRegex, type Regex } from './regex.ts'
import type { Request } from './request.ts'

/** A location as its level knows it. */
interface Choice {
  plan: LocationPlan
  /** Given by exact match or regular expression: no outer level is asked any more. */
  settled: boolean
}

interface PrefixLocation extends Choice {
  prefix: string
  /** `^~` */
  final: boolean
}

/**
 * A node of the prefix tree: the characters from its parent to it, whole pieces instead of a node for each, because
 * with thousands of locations every object on the way is one that the processor does not have at hand.
 */
interface PrefixNode {
  piece: string
  location: PrefixLocation | null
  /** Their pieces begin with different characters. */
  readonly next: PrefixNode[]
}

/** The request is redirected to its URI with a slash at the end, by `plan`: the location it would come to there. */
export class AppendSlash {
  readonly plan: LocationPlan

  constructor(plan: LocationPlan) {
    this.plan = plan
  }
}

export class LocationTree {
  readonly #exact = new Map<string, Choice>()
  readonly #prefixes: PrefixNode | null
  readonly #regexes: (Choice & { regex: Regex })[] = []
  readonly #named = new Map<string, LocationPlan>()
  /** Locations ending in a slash that proxy, by their text without it, which is answered with 301. */
  readonly #slashed = new Map<string, AppendSlash>()

  /** `plan` makes the plan of a location scope; called once for each. */
  constructor(scopes: readonly Scope[], plan: (scope: Scope, name: string) => LocationPlan) {
    let prefixes: PrefixNode | null = null
    const slashed = new Set<string>()
    for (const scope of scopes) {
      const { modifier, pattern, regex, redirectSlash } = locationConf(scope)
      const location = plan(scope, pattern)
      if (modifier === '=') this.#exact.set(pattern, { plan: location, settled: true })
      else if (modifier === '@') this.#named.set(pattern, location)
      else if (regex !== null) this.#regexes.push({ regex, plan: location, settled: true })
      else
        addPrefix((prefixes ??= { piece: '', location: null, next: [] }), {
          prefix: pattern,
          plan: location,
          settled: false,
          final: modifier === '^~',
        })
      // No URI is shorter than `/`: a look-up for every request would be for nothing.
      if (redirectSlash && regex === null && pattern !== '/') slashed.add(pattern)
    }
    this.#prefixes = prefixes
    for (const pattern of slashed) {
      // As in nginx the settings of `= pattern/` count where both are there, whichever of them proxies.
      const { plan } = this.#exact.get(pattern) ?? this.#longestPrefix(pattern)!
      this.#slashed.set(pattern.slice(0, -1), new AppendSlash(plan))
    }
  }

  get empty(): boolean {
    return this.#prefixes === null && this.#exact.size === 0 && this.#regexes.length === 0
  }

  /** The location `@name`, or null. */
  named(name: string): LocationPlan | null {
    return this.#named.get(name) ?? null
  }

  /** The location for `r.uri`; null: none of this level. */
  find(r: Request): LocationPlan | AppendSlash | null {
    const choice = this.#choose(r)
    return choice === null || choice instanceof AppendSlash ? choice : choice.plan
  }

  #choose(r: Request): Choice | AppendSlash | null {
    const uri = r.uri
    if (this.#exact.size > 0) {
      const exact = this.#exact.get(uri)
      if (exact !== undefined) return exact
    }
    const prefix = this.#longestPrefix(uri)
    if (this.#slashed.size > 0 && prefix?.prefix !== uri) {
      const redirect = this.#slashed.get(uri)
      if (redirect !== undefined) return redirect
    }
    let found: Choice | null = prefix
    if (prefix !== null && !prefix.plan.locations.empty) {
      const nested = prefix.plan.locations.#choose(r)
      if (nested instanceof AppendSlash || nested?.settled) return nested
      found = nested ?? prefix
    }
    if (prefix?.final) return found
    for (const choice of this.#regexes) {
      if (matchRegex(r, choice.regex, uri)) return nestedInRegex(r, choice)
    }
    return found
  }

  #longestPrefix(uri: string): PrefixLocation | null {
    let node = this.#prefixes
    let longest: PrefixLocation | null = null
    for (let at = 0; node !== null && uri.startsWith(node.piece, at); ) {
      at += node.piece.length
      if (node.location !== null) longest = node.location
      node = nextNode(node, uri, at)
    }
    return longest
  }
}

/** The node below `node` whose piece begins as `text` does at `at`. */
function nextNode(node: PrefixNode, text: string, at: number): PrefixNode | null {
  const code = text.charCodeAt(at)
  for (const next of node.next) if (next.piece.charCodeAt(0) === code) return next
  return null
}

/** What a location given by a regular expression has inside does not change that it is settled. */
function nestedInRegex(r: Request, choice: Choice): Choice | AppendSlash {
  const nested = choice.plan.locations.empty ? null : choice.plan.locations.find(r)
  if (nested === null || nested instanceof AppendSlash) return nested ?? choice
  return { plan: nested, settled: true }
}

function addPrefix(root: PrefixNode, location: PrefixLocation): void {
  const { prefix } = location
  let node = root
  let at = 0
  while (at < prefix.length) {
    const next = nextNode(node, prefix, at)
    if (next === null) {
      node.next.push((node = { piece: prefix.slice(at), location: null, next: [] }))
      break
    }
    const common = commonLength(next.piece, prefix, at)
    node = common === next.piece.length ? next : split(node, next, common)
    at += common
  }
  node.location = location
}

/** How many characters `piece` and `text` from `at` on begin with alike. */
function commonLength(piece: string, text: string, at: number): number {
  let length = 0
  while (length < piece.length && piece[length] === text[at + length]) length++
  return length
}

/** Puts a node between `parent` and `node`, after the first `length` characters of its piece. */
function split(parent: PrefixNode, node: PrefixNode, length: number): PrefixNode {
  const middle = { piece: node.piece.slice(0, length), location: null, next: [node] }
  parent.next[parent.next.indexOf(node)] = middle
  node.piece = node.piece.slice(length)
  return middle
}
