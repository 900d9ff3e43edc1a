// The digits of crypt's hashes: six bits a character, the lowest bits first.

export const DIGITS = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** `count` digits of `value`. */
export function digits(value: number, count: number): string {
  let text = ''
  for (let rest = value, left = count; left > 0; left--, rest >>>= 6) text += DIGITS[rest & 63]
  return text
}

/** The bytes of `hash` that `order` names, three to four digits, with what is left over at the end in fewer. */
export function hashDigits(hash: Buffer, order: readonly number[]): string {
  let text = ''
  let index = 0
  for (; index + 3 <= order.length; index += 3) {
    const [high, middle, low] = [hash[order[index]!]!, hash[order[index + 1]!]!, hash[order[index + 2]!]!]
    text += digits((high << 16) | (middle << 8) | low, 4)
  }
  const rest = order.slice(index).map((at) => hash[at]!)
  if (rest.length === 1) text += digits(rest[0]!, 2)
  if (rest.length === 2) text += digits((rest[0]! << 8) | rest[1]!, 3)
  return text
}
