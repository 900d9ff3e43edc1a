// Header fields into blocks (RFC 7541), for one connection. Without a table of its own (size 0) it says only what has to
// be said of the table, and the fields themselves may come from literals.ts; with one, what repeats from block to block
// takes an octet or two.

import { flat } from '../../../shared/latin1.ts'
import { DEFAULT_TABLE_SIZE, DynamicTable, entrySize } from './dynamic-table.ts'
import { field, indexedField, integer, isSensitive, literalName, stringLiteral } from './literals.ts'
import { STATIC_COUNT, staticField, staticName } from './static-table.ts'

/** Values that hardly come twice: they would only push out others. */
const CHANGING = new Set([
  ':path',
  'age',
  'content-length',
  'etag',
  'grpc-timeout',
  'if-modified-since',
  'if-none-match',
  'last-modified',
  'location',
  'set-cookie',
])

/** The table, and where in it everything stands. */
class EncoderTable extends DynamicTable {
  /** Turns of the entries of a name by value; the newest of them last. */
  readonly #turns = new Map<string, Map<string, number>>()

  /** Index of the field in the address space of both tables; 0: it is in neither. */
  find(name: string, value: string): number {
    const turn = this.#turns.get(name)?.get(value)
    return turn === undefined ? 0 : this.#index(turn)
  }

  /** Index of some field called `name`; 0: there is none. */
  findName(name: string): number {
    for (const turn of this.#turns.get(name)?.values() ?? []) return this.#index(turn)
    return 0
  }

  add(name: string, value: string): void {
    const turn = this.added
    if (!this.insert(name, value)) return
    let values = this.#turns.get(name)
    if (values === undefined) this.#turns.set(name, (values = new Map()))
    values.set(value, turn)
  }

  #index(turn: number): number {
    return STATIC_COUNT + this.added - turn
  }

  protected override evicted(name: string, value: string, turn: number): void {
    const values = this.#turns.get(name)
    if (values?.get(value) !== turn) return
    values.delete(value)
    if (values.size === 0) this.#turns.delete(name)
  }
}

export class HpackEncoder {
  readonly #table: EncoderTable
  readonly #wanted: number
  /** What the peer believes the size of the table to be. */
  #signalled = DEFAULT_TABLE_SIZE
  /** The least the peer has allowed since then. */
  #smallest = DEFAULT_TABLE_SIZE
  #due: boolean

  /** `wanted`: bytes that the table may take where the peer allows them; 0, the default: there is no table. */
  constructor(wanted = 0) {
    this.#wanted = wanted
    this.#table = new EncoderTable(Math.min(wanted, DEFAULT_TABLE_SIZE))
    this.#due = wanted > 0 && wanted < DEFAULT_TABLE_SIZE
  }

  /** The peer's SETTINGS_HEADER_TABLE_SIZE. */
  setMaxTableSize(limit: number): void {
    const size = Math.min(limit, this.#wanted)
    this.#table.resize(size)
    if (limit < this.#smallest) this.#smallest = limit
    this.#due = this.#smallest < this.#signalled || (size !== this.#signalled && this.#wanted > 0)
  }

  /** What a block has to begin with: updates of the table's size, mostly none. */
  begin(): string {
    if (!this.#due) return ''
    this.#due = false
    const size = this.#table.maxSize
    const shrunk = this.#smallest < size ? integer(this.#smallest, 31, 32) : ''
    this.#signalled = this.#smallest = size
    return shrunk + integer(size, 31, 32)
  }

  /** The field `name` (lower case) with `value`. `sensitive`: nobody on the way may put it into a table. */
  field(name: string, value: string, sensitive = isSensitive(name, value)): string {
    const table = this.#table
    if (sensitive || table.maxSize === 0) return field(name, value, sensitive)
    const index = staticField(name, value) || table.find(name, value)
    if (index > 0) return indexedField(index)
    const known = staticName(name) || table.findName(name)
    if (CHANGING.has(name) || entrySize(name, value) > table.maxSize / 2) {
      return literalName(known, name, 15, 0) + stringLiteral(value)
    }
    const text = literalName(known, name, 63, 64) + stringLiteral(value)
    table.add(flat(name), flat(value))
    return text
  }
}
