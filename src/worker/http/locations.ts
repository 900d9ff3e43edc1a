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

/** A node of the prefix tree: one character on the way. */
class TrieNode {
  readonly next = new Map<number, TrieNode>()
  location: PrefixLocation | null = null
}

/** The request is to be redirected to its URI with a slash at the end. */
export const APPEND_SLASH = 'append slash'

export class LocationTree {
  readonly #exact = new Map<string, Choice>()
  readonly #prefixes: TrieNode | null
  readonly #regexes: (Choice & { regex: Regex })[] = []
  readonly #named = new Map<string, LocationPlan>()
  /** Prefix locations ending in a slash that proxy: without the slash they answer 301. */
  readonly #slashed = new Set<string>()

  /** `plan` makes the plan of a location scope; called once for each. */
  constructor(scopes: readonly Scope[], plan: (scope: Scope, name: string) => LocationPlan) {
    let prefixes: TrieNode | null = null
    for (const scope of scopes) {
      const { modifier, pattern, regex, redirectSlash } = locationConf(scope)
      const location = plan(scope, pattern)
      if (modifier === '=') this.#exact.set(pattern, { plan: location, settled: true })
      else if (modifier === '@') this.#named.set(pattern, location)
      else if (regex !== null) this.#regexes.push({ regex, plan: location, settled: true })
      else
        addPrefix((prefixes ??= new TrieNode()), {
          prefix: pattern,
          plan: location,
          settled: false,
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
    const choice = this.#choose(r)
    return choice === null || choice === APPEND_SLASH ? choice : choice.plan
  }

  #choose(r: Request): Choice | typeof APPEND_SLASH | null {
    const uri = r.uri
    if (this.#exact.size > 0) {
      const exact = this.#exact.get(uri)
      if (exact !== undefined) return exact
    }
    const prefix = this.#longestPrefix(uri)
    if (this.#slashed.size > 0 && prefix?.prefix !== uri && this.#slashed.has(`${uri}/`)) return APPEND_SLASH
    let found: Choice | null = prefix
    if (prefix !== null && !prefix.plan.locations.empty) {
      const nested = prefix.plan.locations.#choose(r)
      if (nested === APPEND_SLASH || nested?.settled) return nested
      found = nested ?? prefix
    }
    if (prefix?.final) return found
    for (const choice of this.#regexes) {
      if (matchRegex(r, choice.regex, uri)) return nestedInRegex(r, choice)
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

/** What a location given by a regular expression has inside does not change that it is settled. */
function nestedInRegex(r: Request, choice: Choice): Choice | typeof APPEND_SLASH {
  const nested = choice.plan.locations.empty ? null : choice.plan.locations.find(r)
  if (nested === null || nested === APPEND_SLASH) return nested ?? choice
  return { plan: nested, settled: true }
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
