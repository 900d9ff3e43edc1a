// Header fields of a message as they were received: one block of text and where each name and value stands in it.
// Nothing is copied until somebody asks for a value; fields that pass through unchanged are taken as they stand.

/** Numbers each field takes in `bounds`: start and end of the name, start and end of the value, hash of the name. */
const STRIDE = 5
/** Fields whose room is worth keeping. */
const KEPT = 100

/** Hash of a lower-case field name, as `nextHash` gives it over each character. */
export function hashName(name: string): number {
  let hash = 0
  for (let index = 0; index < name.length; index++) hash = nextHash(hash, name.charCodeAt(index))
  return hash
}

/** Adds one character of a name to its hash; upper and lower case give the same. */
export function nextHash(hash: number, code: number): number {
  return (Math.imul(hash, 31) + (code | 32)) | 0
}

/** Whether `text[start, end)` is `name` (lower case; letters, digits and `-` only) in any case. */
export function sameName(text: string, start: number, end: number, name: string): boolean {
  if (end - start !== name.length) return false
  for (let index = 0; index < name.length; index++) {
    if ((text.charCodeAt(start + index) | 32) !== (name.charCodeAt(index) | 32)) return false
  }
  return true
}

const nameSets = new Map<string, NameSet>()

/** A set of field names, asked with a hash that is known already. */
export class NameSet {
  readonly #names = new Map<number, string[]>()

  /** The same names give the same set: what thousands of locations share stays in the processor's caches. */
  static of(names: readonly string[]): NameSet {
    const key = names.join('\n')
    let set = nameSets.get(key)
    if (set === undefined) nameSets.set(key, (set = new NameSet(names)))
    return set
  }

  constructor(names: Iterable<string>) {
    for (const name of names) {
      const lower = name.toLowerCase()
      const hash = hashName(lower)
      this.#names.set(hash, [...(this.#names.get(hash) ?? []), lower])
    }
  }

  has(hash: number, text: string, start: number, end: number): boolean {
    const names = this.#names.get(hash)
    if (names === undefined) return false
    for (const name of names) if (sameName(text, start, end, name)) return true
    return false
  }
}

export class Fields {
  /** latin1 text the bounds point into. */
  text = ''
  count = 0
  readonly #bounds: number[] = []

  /** There is room for so many fields that it should not be kept for later. */
  get grown(): boolean {
    return this.#bounds.length > KEPT * STRIDE
  }

  /** Forgets all fields; the new ones will stand in `text`. */
  reset(text: string): void {
    this.text = text
    this.count = 0
  }

  /** The same fields, to keep after these are reset. */
  copy(): Fields {
    const copy = new Fields()
    copy.text = this.text
    copy.count = this.count
    for (let at = 0; at < this.count * STRIDE; at++) copy.#bounds.push(this.#bounds[at]!)
    return copy
  }

  /** Adds a field at the end of the list. */
  add(nameStart: number, nameEnd: number, valueStart: number, valueEnd: number, hash: number): void {
    const at = this.count * STRIDE
    this.#bounds[at] = nameStart
    this.#bounds[at + 1] = nameEnd
    this.#bounds[at + 2] = valueStart
    this.#bounds[at + 3] = valueEnd
    this.#bounds[at + 4] = hash
    this.count++
  }

  hash(index: number): number {
    return this.#bounds[index * STRIDE + 4]!
  }

  name(index: number): string {
    return this.text.slice(this.#bounds[index * STRIDE], this.#bounds[index * STRIDE + 1])
  }

  value(index: number): string {
    return this.text.slice(this.#bounds[index * STRIDE + 2], this.#bounds[index * STRIDE + 3])
  }

  /** Whether field `index` is in `set`. */
  in(set: NameSet, index: number): boolean {
    const at = index * STRIDE
    return set.has(this.#bounds[at + 4]!, this.text, this.#bounds[at]!, this.#bounds[at + 1]!)
  }

  /** Whether field `index` is called `name` (lower case). */
  is(index: number, name: string): boolean {
    const at = index * STRIDE
    return sameName(this.text, this.#bounds[at]!, this.#bounds[at + 1]!, name)
  }

  /** Where field `index` starts in `text`; it ends where its line does. */
  start(index: number): number {
    return this.#bounds[index * STRIDE]!
  }

  end(index: number): number {
    return this.#bounds[index * STRIDE + 3]!
  }

  /** Whether the field stands as `name: value`, so that its text can be sent on as it is. */
  canonical(index: number): boolean {
    const at = index * STRIDE
    const gap = this.#bounds[at + 2]! - this.#bounds[at + 1]!
    const end = this.#bounds[at + 3]!
    return (
      gap === 2 && this.text.charCodeAt(this.#bounds[at + 1]! + 1) === 32 && this.text.charCodeAt(end) === 13
    )
  }

  /** Position of the first field called `name` (lower case) from `from` on; -1 where there is none. */
  indexOf(name: string, hash: number, from = 0): number {
    for (let index = from; index < this.count; index++) {
      if (this.#bounds[index * STRIDE + 4] === hash && this.is(index, name)) return index
    }
    return -1
  }

  /** Value of the first field called `name` (lower case), or null. */
  get(name: string): string | null {
    const index = this.indexOf(name, hashName(name))
    return index < 0 ? null : this.value(index)
  }

  /** All values of `name` (lower case, with its hash) joined as RFC 9110 section 5.3 allows, or null. */
  join(name: string, hash: number, separator: string): string | null {
    let joined: string | null = null
    for (let index = this.indexOf(name, hash); index >= 0; index = this.indexOf(name, hash, index + 1)) {
      joined = joined === null ? this.value(index) : joined + separator + this.value(index)
    }
    return joined
  }

  /** All values of the fields that `$http_NAME` means: case does not count, nor `-` where `name` has `_`. */
  joinVariable(name: string, separator: string): string | null {
    let joined: string | null = null
    for (let index = 0; index < this.count; index++) {
      if (!this.#isVariable(index, name)) continue
      joined = joined === null ? this.value(index) : joined + separator + this.value(index)
    }
    return joined
  }

  #isVariable(index: number, name: string): boolean {
    const start = this.#bounds[index * STRIDE]!
    if (this.#bounds[index * STRIDE + 1]! - start !== name.length) return false
    for (let at = 0; at < name.length; at++) {
      const code = this.text.charCodeAt(start + at)
      const wanted = name.charCodeAt(at)
      if (wanted === 95 ? code !== 45 && code !== 95 : (code | 32) !== wanted) return false
    }
    return true
  }

  /**
   * The fields that `skip` does not name, as `Name: value\r\n` lines. Neighbours that stand as they should are taken
   * in one piece.
   */
  lines(skip: NameSet): string {
    let lines = ''
    let from = -1
    let to = 0
    for (let index = 0; index < this.count; index++) {
      const pass = !this.in(skip, index)
      const asItStands = pass && this.canonical(index)
      if (from >= 0 && !(asItStands && this.start(index) === to)) {
        lines += this.text.slice(from, to)
        from = -1
      }
      if (asItStands) {
        if (from < 0) from = this.start(index)
        to = this.end(index) + 2
      } else if (pass) {
        lines += `${this.name(index)}: ${this.value(index)}\r\n`
      }
    }
    if (from >= 0) lines += this.text.slice(from, to)
    return lines
  }
}

/**
 * `text` fit to be a field value. A decoded URI may hold line ends, which would begin another field: unlike nginx,
 * they become spaces.
 */
export function fieldValue(text: string): string {
  return text.includes('\r') || text.includes('\n') || text.includes('\0')
    ? text.replace(/[\r\n\0]/g, ' ')
    : text
}
