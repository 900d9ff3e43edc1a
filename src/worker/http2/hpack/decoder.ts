// Header blocks into fields (RFC 7541), for either side of HTTP/2: a table of what the peer has said before, kept from
// block to block. What it is given is hostile: a block is refused at the first thing that is wrong, and costs time and
// memory in proportion to its own length only, as fields out of the tables are handed on without being copied.

import { latin1 } from '../../../shared/latin1.ts'
import { DynamicTable } from './dynamic-table.ts'
import { internedName } from './field-names.ts'
import { huffmanDecode } from './huffman.ts'
import { STATIC_COUNT, STATIC_NAMES, STATIC_VALUES } from './static-table.ts'

/** Where the fields of a block go to. */
export interface FieldTarget {
  /**
   * A field, as it came: latin1 texts that nobody has looked into. `neverIndexed`: whoever passes it on has to keep it out
   * of tables, too (RFC 7541 section 6.2.3). Returns whether more is wanted; the fields after a false are not told, but
   * the block is read to its end all the same, or the next one could not be.
   */
  field(name: string, value: string, neverIndexed: boolean): boolean
}

/**
 * Why a block was refused: COMPRESSION_ERROR, and nothing more can be read from the connection. Goes behind
 * `client sent ` or `upstream sent `.
 */
export type HpackError = string

const EMPTY = Buffer.alloc(0)

const INCORRECT_LENGTH = 'header block with incorrect length'
const TOO_LONG_VALUE = 'header block with too long value'
const ZERO_INDEX = 'zero hpack table index'
const BAD_ENCODING = 'invalid encoded header field'

/** Octets of an integer behind its prefix: 28 bits are more than anything here may be. */
const MAX_OCTETS = 4

/** Size updates at the start of a block: the smallest size there was in between, and the final one (RFC 7541 section 4.2). */
const MAX_UPDATES = 2

export class HpackDecoder {
  readonly #table: DynamicTable
  #limit: number
  /** The table is larger than the peer may have it by now: its next block has to begin with an update. */
  #mustShrink = false
  #bytes: Buffer = EMPTY
  #at = 0
  #end = 0
  #error: HpackError | null = null

  /** `maxTableSize`: bytes, as announced by SETTINGS_HEADER_TABLE_SIZE, whose default is 4096. */
  constructor(maxTableSize: number) {
    this.#limit = maxTableSize
    this.#table = new DynamicTable(maxTableSize)
  }

  /** Another SETTINGS_HEADER_TABLE_SIZE of ours is in force: the peer has acknowledged it. */
  limit(size: number): void {
    this.#limit = size
    this.#mustShrink = this.#table.maxSize > size
  }

  /**
   * Reads the whole block `bytes[start, end)`. null: all is well, also where `target` wanted less than there was. What it
   * may be long is for the caller to bound.
   */
  decode(bytes: Buffer, start: number, end: number, target: FieldTarget): HpackError | null {
    this.#bytes = bytes
    this.#at = start
    this.#end = end
    this.#error = null
    this.#updates()
    let wanted = true
    while (this.#at < this.#end && this.#error === null) {
      const first = bytes[this.#at]!
      if (first >= 128) wanted = this.#indexed(first, target, wanted)
      else if (first >= 64) wanted = this.#literal(first, 63, true, target, wanted)
      else if (first < 32) wanted = this.#literal(first, 15, false, target, wanted)
      else this.#error = 'table size update behind header fields'
    }
    this.#bytes = EMPTY
    return this.#error
  }

  #updates(): void {
    for (let count = 0; this.#at < this.#end && this.#bytes[this.#at]! >> 5 === 1; count++) {
      const size = this.#integer(31)
      if (this.#error !== null) return
      if (count === MAX_UPDATES) {
        this.#error = 'too many table size updates'
        return
      }
      if (size > this.#limit) {
        this.#error = `invalid table size update: ${size}`
        return
      }
      this.#mustShrink = false
      this.#table.resize(size)
    }
    if (this.#mustShrink && this.#at < this.#end) this.#error = 'no table size update'
  }

  #indexed(first: number, target: FieldTarget, wanted: boolean): boolean {
    let index = first & 127
    if (index < 127) this.#at++
    else index = this.#integer(127)
    if (this.#error !== null) return wanted
    if (index <= STATIC_COUNT) {
      if (index > 0) return wanted && target.field(STATIC_NAMES[index]!, STATIC_VALUES[index]!, false)
      this.#error = ZERO_INDEX
      return wanted
    }
    const table = this.#table
    const behind = index - STATIC_COUNT - 1
    if (behind < table.count) return wanted && target.field(table.name(behind), table.value(behind), false)
    this.#error = `invalid hpack table index ${index}`
    return wanted
  }

  #literal(first: number, mask: number, keep: boolean, target: FieldTarget, wanted: boolean): boolean {
    const index = this.#integer(mask)
    if (this.#error !== null) return wanted
    const name = index === 0 ? internedName(this.#text()) : this.#nameOf(index)
    if (this.#error !== null) return wanted
    const value = this.#text()
    if (this.#error !== null) return wanted
    if (keep) this.#table.insert(name, value)
    return wanted && target.field(name, value, !keep && first >= 16)
  }

  #nameOf(index: number): string {
    if (index <= STATIC_COUNT) return STATIC_NAMES[index]!
    const behind = index - STATIC_COUNT - 1
    if (behind < this.#table.count) return this.#table.name(behind)
    this.#error = `invalid hpack table index ${index}`
    return ''
  }

  /** A string literal (RFC 7541 section 5.2). */
  #text(): string {
    if (this.#at === this.#end) {
      this.#error = INCORRECT_LENGTH
      return ''
    }
    const encoded = this.#bytes[this.#at]! >= 128
    const length = this.#integer(127)
    if (this.#error !== null) return ''
    if (length > this.#end - this.#at) {
      this.#error = INCORRECT_LENGTH
      return ''
    }
    const start = this.#at
    this.#at += length
    if (!encoded) return latin1(this.#bytes, start, this.#at)
    const text = huffmanDecode(this.#bytes, start, this.#at)
    if (text === null) this.#error = BAD_ENCODING
    return text ?? ''
  }

  /** An integer (RFC 7541 section 5.1) whose prefix is `mask` of the octet it begins with. */
  #integer(mask: number): number {
    const bytes = this.#bytes
    let value = bytes[this.#at++]! & mask
    if (value < mask) return value
    for (let octets = 0; octets < MAX_OCTETS; octets++) {
      if (this.#at === this.#end) {
        this.#error = INCORRECT_LENGTH
        return 0
      }
      const octet = bytes[this.#at++]!
      value += (octet & 127) << (octets * 7)
      if (octet < 128) return value
    }
    this.#error = TOO_LONG_VALUE
    return 0
  }
}
