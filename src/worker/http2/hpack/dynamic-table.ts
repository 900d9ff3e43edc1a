// The dynamic table of RFC 7541 section 2.3.2, as both decoder and encoder keep one: a ring of entries, the newest of
// which has the lowest index.

/** What an entry takes besides its texts (RFC 7541 section 4.1). */
const OVERHEAD = 32

/** What SETTINGS_HEADER_TABLE_SIZE is where nobody has said otherwise (RFC 9113 section 6.5.2). */
export const DEFAULT_TABLE_SIZE = 4096

/** Bytes that a field counts for in a table (RFC 7541 section 4.1). */
export function entrySize(name: string, value: string): number {
  return name.length + value.length + OVERHEAD
}

export class DynamicTable {
  #names: string[] = []
  #values: string[] = []
  /** The rings' length less one; -1: there are none yet. */
  #mask = -1
  /** Entries added so far: the newest stands at this position less one. */
  #added = 0
  #count = 0
  #size = 0
  #maxSize: number

  constructor(maxSize: number) {
    this.#maxSize = maxSize
  }

  get maxSize(): number {
    return this.#maxSize
  }

  get count(): number {
    return this.#count
  }

  /** Entries added so far, those that have gone included. */
  get added(): number {
    return this.#added
  }

  /** Of the entry `index` behind the newest, 0 being that one; there has to be one. */
  name(index: number): string {
    return this.#names[(this.#added - 1 - index) & this.#mask]!
  }

  value(index: number): string {
    return this.#values[(this.#added - 1 - index) & this.#mask]!
  }

  /** Changes how much there may be; entries that are too many go. */
  resize(maxSize: number): void {
    this.#maxSize = maxSize
    this.#evict(maxSize)
  }

  /** Adds an entry; one that is larger than the table empties it and is not kept (RFC 7541 section 4.4). */
  insert(name: string, value: string): boolean {
    const size = entrySize(name, value)
    this.#evict(this.#maxSize - size)
    if (size > this.#maxSize) return false
    if (this.#count > this.#mask) this.#grow()
    const at = this.#added++ & this.#mask
    this.#names[at] = name
    this.#values[at] = value
    this.#count++
    this.#size += size
    return true
  }

  /** The oldest entry, added as number `turn`, has gone. */
  protected evicted(_name: string, _value: string, _turn: number): void {}

  #evict(limit: number): void {
    while (this.#size > limit && this.#count > 0) {
      const turn = this.#added - this.#count
      const at = turn & this.#mask
      const name = this.#names[at]!
      const value = this.#values[at]!
      this.#size -= entrySize(name, value)
      this.#names[at] = this.#values[at] = ''
      this.#count--
      this.evicted(name, value, turn)
    }
  }

  /** Twice the room; the number of entries is bounded by the size of the table. */
  #grow(): void {
    const length = this.#mask < 0 ? 16 : (this.#mask + 1) * 2
    const names = new Array<string>(length).fill('')
    const values = new Array<string>(length).fill('')
    for (let turn = this.#added - this.#count; turn < this.#added; turn++) {
      names[turn & (length - 1)] = this.#names[turn & this.#mask]!
      values[turn & (length - 1)] = this.#values[turn & this.#mask]!
    }
    this.#names = names
    this.#values = values
    this.#mask = length - 1
  }
}
