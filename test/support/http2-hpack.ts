// HPACK (RFC 7541) for tests: field representations written by hand, valid or not, and a decoder for what servers
// send. Shares nothing with the sources, so that neither side's mistakes are the other's.

import { unhuffman } from './http2-huffman.ts'

export type Field = [name: string, value: string]

const STATIC: Field[] =
  `:authority|:method=GET|:method=POST|:path=/|:path=/index.html|:scheme=http|:scheme=https
:status=200|:status=204|:status=206|:status=304|:status=400|:status=404|:status=500|accept-charset
accept-encoding=gzip, deflate|accept-language|accept-ranges|accept|access-control-allow-origin|age|allow
authorization|cache-control|content-disposition|content-encoding|content-language|content-length|content-location
content-range|content-type|cookie|date|etag|expect|expires|from|host|if-match|if-modified-since|if-none-match
if-range|if-unmodified-since|last-modified|link|location|max-forwards|proxy-authenticate|proxy-authorization|range
referer|refresh|retry-after|server|set-cookie|strict-transport-security|transfer-encoding|user-agent|vary|via
www-authenticate`
    .split(/[|\n]/)
    .map((entry) => {
      const [, name, value] = /^(:?[^=]*)=?(.*)$/.exec(entry)!
      return [name!, value!]
    })

/** RFC 7541 section 5.1: `first` holds the bits before the prefix. */
export function integer(first: number, prefix: number, value: number): Buffer {
  const most = 2 ** prefix - 1
  if (value < most) return Buffer.from([first | value])
  const bytes = [first | most]
  let rest = value - most
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128)
  return Buffer.from([...bytes, rest])
}

/** A string as it is (latin1), without Huffman coding. */
export function string(text: string | Buffer): Buffer {
  const bytes = typeof text === 'string' ? Buffer.from(text, 'latin1') : text
  return Buffer.concat([integer(0, 7, bytes.length), bytes])
}

/** Bytes that claim to be a Huffman-coded string. */
export function huffmanString(bytes: Buffer): Buffer {
  return Buffer.concat([integer(0x80, 7, bytes.length), bytes])
}

export const indexed = (index: number): Buffer => integer(0x80, 7, index)
export const sizeUpdate = (size: number): Buffer => integer(0x20, 5, size)

/** A literal that is not put into the table; a number names an entry of a table. */
export function literal(name: string | number, value: string): Buffer {
  return spelt(0x00, 4, name, value)
}

/** A literal that is added to the dynamic table. */
export function indexing(name: string | number, value: string): Buffer {
  return spelt(0x40, 6, name, value)
}

export function neverIndexed(name: string | number, value: string): Buffer {
  return spelt(0x10, 4, name, value)
}

function spelt(first: number, prefix: number, name: string | number, value: string): Buffer {
  if (typeof name === 'number') return Buffer.concat([integer(first, prefix, name), string(value)])
  return Buffer.concat([Buffer.from([first]), string(name), string(value)])
}

/** A block of literals without any state. */
export function block(...fields: readonly Field[]): Buffer {
  return Buffer.concat(fields.map(([name, value]) => literal(name, value)))
}

/** Decodes the blocks of one direction of a connection, in order. Throws on anything that is not right. */
export class HpackReader {
  /** Size updates seen, in order. */
  readonly updates: number[] = []
  readonly #table: Field[] = []
  #size = 0
  #limit = 4096
  #most = 4096
  #bytes: Buffer = Buffer.alloc(0)
  #at = 0

  decode(bytes: Buffer): Field[] {
    this.#bytes = bytes
    this.#at = 0
    const fields: Field[] = []
    while (this.#at < bytes.length) {
      const first = bytes[this.#at]!
      if (first >= 0x80) fields.push(this.#entry(this.#integer(7)))
      else if (first >= 0x40) this.#add(fields, this.#literal(6))
      else if (first < 0x20) fields.push(this.#literal(4))
      else if (fields.length > 0) throw new Error('a size update behind a field')
      else this.#resize(this.#integer(5))
    }
    return fields
  }

  /** The table may not be larger from now on (SETTINGS_HEADER_TABLE_SIZE, once it is acknowledged). */
  restrict(limit: number): void {
    this.#most = limit
    if (limit >= this.#limit) return
    this.#limit = limit
    this.#evict()
  }

  #literal(prefix: number): Field {
    const index = this.#integer(prefix)
    return [index === 0 ? this.#string() : this.#entry(index)[0], this.#string()]
  }

  #entry(index: number): Field {
    const entry = index <= STATIC.length ? STATIC[index - 1] : this.#table[index - STATIC.length - 1]
    if (entry === undefined) throw new Error(`no entry ${index} in the tables`)
    return entry
  }

  #add(fields: Field[], field: Field): void {
    fields.push(field)
    this.#table.unshift(field)
    this.#size += weight(field)
    this.#evict()
  }

  #resize(limit: number): void {
    if (limit > this.#most) throw new Error(`a table of ${limit} bytes`)
    this.updates.push(limit)
    this.#limit = limit
    this.#evict()
  }

  #evict(): void {
    while (this.#size > this.#limit) this.#size -= weight(this.#table.pop()!)
  }

  #integer(prefix: number): number {
    const most = 2 ** prefix - 1
    let value = this.#byte() & most
    if (value < most) return value
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#byte()
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
  }

  #string(): string {
    const packed = (this.#bytes[this.#at] ?? 0) >= 0x80
    const length = this.#integer(7)
    const bytes = this.#bytes.subarray(this.#at, this.#at + length)
    if (bytes.length < length) throw new Error('a string that is cut short')
    this.#at += length
    return packed ? unhuffman(bytes) : bytes.toString('latin1')
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++]
    if (byte === undefined) throw new Error('a field that is cut short')
    return byte
  }
}

function weight([name, value]: Field): number {
  return name.length + value.length + 32
}
