// crypt's first form: two characters of salt and 25 runs of DES over zeros, with the first eight characters of the
// password as the key. Bits stand in arrays, a number each, counted from 1 as the tables of FIPS 46-3 do.

import { DIGITS } from './digits.ts'

const RUNS = 25
const ROUNDS = 16

/** Expansion of the right half to 48 bits. */
const E = [
  32, 1, 2, 3, 4, 5, 4, 5, 6, 7, 8, 9, 8, 9, 10, 11, 12, 13, 12, 13, 14, 15, 16, 17, 16, 17, 18, 19, 20, 21,
  20, 21, 22, 23, 24, 25, 24, 25, 26, 27, 28, 29, 28, 29, 30, 31, 32, 1,
]
/** Permutation of what the S-boxes give. */
const P = [
  16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10, 2, 8, 24, 14, 32, 27, 3, 9, 19, 13, 30, 6, 22,
  11, 4, 25,
]
/** Final permutation. The initial one, its inverse, leaves the zeros and meets the final one of the run before. */
const FP = [
  40, 8, 48, 16, 56, 24, 64, 32, 39, 7, 47, 15, 55, 23, 63, 31, 38, 6, 46, 14, 54, 22, 62, 30, 37, 5, 45, 13,
  53, 21, 61, 29, 36, 4, 44, 12, 52, 20, 60, 28, 35, 3, 43, 11, 51, 19, 59, 27, 34, 2, 42, 10, 50, 18, 58, 26,
  33, 1, 41, 9, 49, 17, 57, 25,
]
/** Choice of the key's bits, two halves of 28. */
const PC1 = [
  57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18, 10, 2, 59, 51, 43, 35, 27, 19, 11, 3, 60, 52, 44, 36,
  63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22, 14, 6, 61, 53, 45, 37, 29, 21, 13, 5, 28, 20, 12, 4,
]
/** Choice of a round's key. */
const PC2 = [
  14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10, 23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2, 41, 52, 31, 37, 47,
  55, 30, 40, 51, 45, 33, 48, 44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32,
]
const SHIFTS = [1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1]
/** Four rows of sixteen for each box. */
const S = [
  `e4d12fb83a6c5907 0f74e2d1a6cb9538 41e8d62bfc973a50 fc8249175b3ea06d`,
  `f18e6b34972dc05a 3d47f28ec01a69b5 0e7ba4d158c6932f d8a13f42b67c05e9`,
  `a09e63f51dc7b428 d709346a285ecbf1 d6498f30b12c5ae7 1ad069874fe3b52c`,
  `7de3069a1285bc4f d8b56f03472c1ae9 a690cb7df13e5284 3f06a1d8945bc72e`,
  `2c417ab6853fd0e9 eb2c47d150fa3986 421bad78f9c5630e b8c71e2d6f09a453`,
  `c1af92680d34e75b af427c9561de0b38 9ef528c3704a1db6 432c95fabe17608d`,
  `4b2ef08d3c975a61 d0b7491ae35c2f86 14bdc37eaf680592 6bd814a7950fe23c`,
  `d2846fb1a93e50c7 1fd8a374c56b0e92 7b419ce206adf358 21e74a8dfc90356b`,
].map((rows) => [...rows.replaceAll(' ', '')].map((digit) => Number.parseInt(digit, 16)))

/** The whole form for `password`, with the salt that `setting` begins with; null when it has none. */
export function desCrypt(password: Buffer, setting: string): string | null {
  const salt = [DIGITS.indexOf(setting.charAt(0)), DIGITS.indexOf(setting.charAt(1))]
  if (setting.length < 2 || salt.includes(-1)) return null
  const keys = roundKeys(keyBits(password))
  const expansion = salted(salt)
  let left = new Array<number>(32).fill(0)
  let right = left
  for (let run = 0; run < RUNS; run++) {
    for (const key of keys)
      [left, right] = [right, mixed(left, right, key, expansion)]
      // The halves change places before the final permutation.
    ;[left, right] = [right, left]
  }
  return setting.slice(0, 2) + textOf(pick([...left, ...right], FP))
}

function pick(bits: readonly number[], table: readonly number[]): number[] {
  return table.map((place) => bits[place - 1]!)
}

/** Seven bits of each character, and one that does not count. */
function keyBits(password: Buffer): number[] {
  const bits: number[] = []
  for (let index = 0; index < 8; index++) {
    const code = password[index] ?? 0
    for (let bit = 6; bit >= 0; bit--) bits.push((code >> bit) & 1)
    bits.push(0)
  }
  return bits
}

function roundKeys(key: readonly number[]): number[][] {
  const bits = pick(key, PC1)
  let high = bits.slice(0, 28)
  let low = bits.slice(28)
  const keys: number[][] = []
  for (let round = 0; round < ROUNDS; round++) {
    const shift = SHIFTS[round]!
    high = [...high.slice(shift), ...high.slice(0, shift)]
    low = [...low.slice(shift), ...low.slice(0, shift)]
    keys.push(pick([...high, ...low], PC2))
  }
  return keys
}

/** Each bit of the salt swaps two places of the expansion. */
function salted(salt: readonly number[]): number[] {
  const table = [...E]
  for (let index = 0; index < 12; index++) {
    if (((salt[Math.floor(index / 6)]! >> (index % 6)) & 1) === 0) continue
    ;[table[index], table[index + 24]] = [table[index + 24]!, table[index]!]
  }
  return table
}

/** The new right half of a round. */
function mixed(
  left: readonly number[],
  right: readonly number[],
  key: readonly number[],
  expansion: readonly number[],
): number[] {
  const chosen: number[] = []
  for (let box = 0; box < 8; box++) {
    let value = 0
    for (let bit = box * 6; bit < box * 6 + 6; bit++)
      value = (value << 1) | (right[expansion[bit]! - 1]! ^ key[bit]!)
    const row = ((value >> 4) & 2) | (value & 1)
    const digit = S[box]![row * 16 + ((value >> 1) & 15)]!
    for (let bit = 3; bit >= 0; bit--) chosen.push((digit >> bit) & 1)
  }
  return P.map((place, index) => left[index]! ^ chosen[place - 1]!)
}

/** Here the highest of six bits comes first, and two zeros fill the last digit. */
function textOf(bits: readonly number[]): string {
  const all = [...bits, 0, 0]
  let text = ''
  for (let index = 0; index < all.length; index += 6) {
    text += DIGITS[all.slice(index, index + 6).reduce((value, bit) => (value << 1) | bit, 0)]
  }
  return text
}
