// DER, as much of it as certificates, OCSP responses and TLS sessions are read for: elements of definite length, one
// byte of tag. What does not fit its surroundings is not read at all.

export const INTEGER = 0x02
export const BIT_STRING = 0x03
export const OCTET_STRING = 0x04
export const OBJECT_IDENTIFIER = 0x06
export const SEQUENCE = 0x30
export const SET = 0x31

/** One element: `bytes[start, end)`, whose content is `bytes[from, end)`. */
export interface DerElement {
  readonly bytes: Buffer
  /** The identifier octet: class, constructed and number. */
  readonly tag: number
  readonly start: number
  readonly from: number
  readonly end: number
}

/** The tag of the context-specific, constructed element `[number]`. */
export function context(number: number): number {
  return 0xa0 | number
}

/** The element at `at`, which may not reach beyond `limit`; null: there is none that can be read. */
export function readDer(bytes: Buffer, at = 0, limit = bytes.length): DerElement | null {
  if (at + 2 > limit) return null
  const tag = bytes[at]!
  // Tags above 30 take more bytes.
  if ((tag & 0x1f) === 0x1f) return null
  const first = bytes[at + 1]!
  let from = at + 2
  let length = first
  if (first >= 0x80) {
    const octets = first & 0x7f
    if (octets === 0 || octets > 4 || from + octets > limit) return null
    length = bytes.readUIntBE(from, octets)
    from += octets
  }
  const end = from + length
  return end > limit ? null : { bytes, tag, start: at, from, end }
}

/** The elements that `parent` consists of; null: it does not consist of elements. */
export function children(parent: DerElement): DerElement[] | null {
  const list: DerElement[] = []
  for (let at = parent.from; at < parent.end; ) {
    const child = readDer(parent.bytes, at, parent.end)
    if (child === null) return null
    list.push(child)
    at = child.end
  }
  return list
}

/** The only element inside of `parent`; null: there is none, or there are more. */
export function only(parent: DerElement): DerElement | null {
  const list = children(parent)
  return list?.length === 1 ? list[0]! : null
}

/** The content of an element. */
export function content({ bytes, from, end }: DerElement): Buffer {
  return bytes.subarray(from, end)
}

/** An INTEGER of up to six bytes; null: it is none. */
export function integer(element: DerElement): number | null {
  const { bytes, tag, from, end } = element
  if (tag !== INTEGER || end === from || end - from > 6) return null
  return bytes.readIntBE(from, end - from)
}

/** An OBJECT IDENTIFIER in its dotted form; null: it is none. */
export function objectIdentifier({ bytes, tag, from, end }: DerElement): string | null {
  if (tag !== OBJECT_IDENTIFIER || end === from || bytes[end - 1]! >= 0x80) return null
  const arcs: bigint[] = []
  let arc = 0n
  for (let at = from; at < end; at++) {
    const octet = bytes[at]!
    arc = (arc << 7n) | BigInt(octet & 0x7f)
    if (octet >= 0x80) continue
    if (arcs.length > 0) arcs.push(arc)
    else {
      const top = arc < 40n ? 0n : arc < 80n ? 1n : 2n
      arcs.push(top, arc - top * 40n)
    }
    arc = 0n
  }
  return arcs.join('.')
}
