// Host names with wildcards, as `map ... hostnames` has them: `*.example.com`, `.example.com`, `mail.*`. Names are
// lower case; the longest wildcard in front decides, then the longest at the end.

export class HostNames<V> {
  /** Names without a wildcard; the owner looks them up. */
  readonly #exact: Map<string, V>
  /** Names that `.example.com` stands for: taken, though not in `#exact`. */
  readonly #taken = new Set<string>()
  /** `*.example.com` and `.example.com` by `example.com`; `self`: the name itself is meant too. */
  readonly #leading = new Map<string, { value: V; self: boolean }>()
  /** `mail.*` by `mail`. */
  readonly #trailing = new Map<string, V>()

  constructor(exact: Map<string, V>) {
    this.#exact = exact
  }

  /** Adds `name` unless it is none, or there already. */
  add(name: string, value: V): 'added' | 'invalid' | 'conflict' {
    const stars = name.split('*').length - 1
    if (stars > 1 || name.includes('..') || name.includes('\0')) return 'invalid'
    const self = name.length > 1 && name.startsWith('.')
    if (self || (name.length > 2 && name.startsWith('*.'))) return this.#addLeading(name, self, value)
    if (name.length > 2 && name.endsWith('.*')) {
      return addOnce(this.#trailing, name.slice(0, -2), value) ? 'added' : 'conflict'
    }
    if (stars > 0) return 'invalid'
    if (this.#taken.has(name)) return 'conflict'
    return addOnce(this.#exact, name, value) ? 'added' : 'conflict'
  }

  #addLeading(name: string, self: boolean, value: V): 'added' | 'conflict' {
    const rest = name.slice(self ? 1 : 2)
    if (self && (this.#exact.has(rest) || this.#taken.has(rest))) return 'conflict'
    if (!addOnce(this.#leading, rest, { value, self })) return 'conflict'
    if (self) this.#taken.add(rest)
    return 'added'
  }

  /** The value of the wildcard for `name`, which no exact name is. */
  find(name: string): V | null {
    if (name === '') return null
    return this.#findLeading(name) ?? this.#findTrailing(name)
  }

  #findLeading(name: string): V | null {
    if (this.#leading.size === 0) return null
    const whole = this.#leading.get(name)
    if (whole?.self) return whole.value
    for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
      const found = this.#leading.get(name.slice(dot + 1))
      if (found !== undefined) return found.value
    }
    return null
  }

  #findTrailing(name: string): V | null {
    if (this.#trailing.size === 0) return null
    for (let dot = name.lastIndexOf('.'); dot > 0; dot = name.lastIndexOf('.', dot - 1)) {
      const found = this.#trailing.get(name.slice(0, dot))
      if (found !== undefined) return found
    }
    return null
  }
}

function addOnce<V>(map: Map<string, V>, name: string, value: V): boolean {
  if (map.has(name)) return false
  map.set(name, value)
  return true
}
