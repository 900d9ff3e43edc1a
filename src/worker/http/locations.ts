// URI -> location, with nginx's rules: exact match, then the longest prefix (and its nested locations), then regular
// expressions in the order they stand unless the prefix says `^~`, then that prefix.

import type { Scope } from '../../shared/conf/build.ts'
import { locationConf } from './location-conf.ts'
import type { LocationPlan } from './plan.ts'
import { matchRegex } from './regex.ts'
import type { Request } from './request.ts'

interface PrefixLocation {
  prefix: string
  plan: LocationPlan
  /** `^~` */
  final: boolean
}

/** A node of the prefix tree: one character on the way. */
class TrieNode {
  readonly next = new Map<number, TrieNode>()
  location: PrefixLocation | null = null
}

/** The request is to be redirected to its URI with a slash at the end. */
export const APPEND_SLASH = 'append slash'

export class LocationTree {
  readonly #exact = new Map<string, LocationPlan>()
  readonly #prefixes: TrieNode | null
  readonly #regexes: { regex: RegExp; plan: LocationPlan }[] = []
  readonly #named = new Map<string, LocationPlan>()
  /** Prefix locations ending in a slash that proxy: without the slash they answer 301. */
  readonly #slashed = new Set<string>()

  /** `plan` makes the plan of a location scope; called once for each. */
  constructor(scopes: readonly Scope[], plan: (scope: Scope, name: string) => LocationPlan) {
    let prefixes: TrieNode | null = null
    for (const scope of scopes) {
      const { modifier, pattern, regex, redirectSlash } = locationConf(scope)
      const location = plan(scope, pattern)
      if (modifier === '=') this.#exact.set(pattern, location)
      else if (modifier === '@') this.#named.set(pattern, location)
      else if (regex !== null) this.#regexes.push({ regex, plan: location })
      else
        addPrefix((prefixes ??= new TrieNode()), {
          prefix: pattern,
          plan: location,
          final: modifier === '^~',
        })
      if (redirectSlash && regex === null) this.#slashed.add(pattern)
    }
    this.#prefixes = prefixes
  }

  get empty(): boolean {
    return this.#prefixes === null && this.#exact.size === 0 && this.#regexes.length === 0
  }

  /** The location `@name`, or null. */
  named(name: string): LocationPlan | null {
    return this.#named.get(name) ?? null
  }

  /** The location for `r.uri`; null: none of this level. */
  find(r: Request): LocationPlan | typeof APPEND_SLASH | null {
    const uri = r.uri
    if (this.#exact.size > 0) {
      const exact = this.#exact.get(uri)
      if (exact !== undefined) return exact
    }
    const prefix = this.#longestPrefix(uri)
    if (this.#slashed.size > 0 && this.#slashed.has(`${uri}/`)) return APPEND_SLASH
    let final = false
    let found: LocationPlan | null = null
    if (prefix !== null) {
      final = prefix.final
      found = prefix.plan
      const nested = found.locations.empty ? null : found.locations.find(r)
      if (nested === APPEND_SLASH) return nested
      if (nested !== null) return nested
    }
    if (!final) {
      for (const { regex, plan } of this.#regexes) {
        if (!matchRegex(r, regex, uri)) continue
        return (plan.locations.empty ? null : plan.locations.find(r)) ?? plan
      }
    }
    return found
  }

  #longestPrefix(uri: string): PrefixLocation | null {
    let node = this.#prefixes ?? undefined
    let longest: PrefixLocation | null = null
    for (let index = 0; node !== undefined; index++) {
      if (node.location !== null) longest = node.location
      if (index === uri.length) break
      node = node.next.get(uri.charCodeAt(index))
    }
    return longest
  }
}

function addPrefix(root: TrieNode, location: PrefixLocation): void {
  let node = root
  for (let index = 0; index < location.prefix.length; index++) {
    const code = location.prefix.charCodeAt(index)
    let next = node.next.get(code)
    if (next === undefined) node.next.set(code, (next = new TrieNode()))
    node = next
  }
  node.location = location
}
