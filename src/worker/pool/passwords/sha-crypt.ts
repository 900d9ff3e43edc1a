// crypt's SHA-256 and SHA-512 forms, `$5$` and `$6$`, as Ulrich Drepper's specification has them. The steps' numbers are
// the specification's.

import { createHash, hash } from 'node:crypto'
import { hashDigits } from './digits.ts'

const MIN_ROUNDS = 1000
const MAX_ROUNDS = 999_999_999
const DEFAULT_ROUNDS = 5000

interface Form {
  algorithm: 'sha256' | 'sha512'
  size: number
  order: readonly number[]
}

const SHA256: Form = { algorithm: 'sha256', size: 32, order: [...order(10, 10, 0, 21), 31, 30] }
const SHA512: Form = { algorithm: 'sha512', size: 64, order: [...order(21, 21, 0, 22), 63] }

/** `groups` triples of bytes, a `stride` apart in turn; each triple starts `step` further on, round the circle. */
function order(groups: number, stride: number, from: number, step: number): number[] {
  const circle = stride * 3
  return Array.from({ length: groups }, (_, group) => (from + group * step) % circle).flatMap((first) => [
    first,
    (first + stride) % circle,
    (first + 2 * stride) % circle,
  ])
}

/** The whole form for `password`, with the rounds and salt that `setting` begins with; null when it is none. */
export function shaCrypt(password: Buffer, setting: string): string | null {
  const match = /^\$([56])\$(?:rounds=(\d{1,10})\$)?([^$]{0,16})/.exec(setting)
  if (match === null) return null
  const [, name, rounds, salt] = match
  const count = rounds === undefined ? DEFAULT_ROUNDS : Number(rounds)
  if (count < MIN_ROUNDS || count > MAX_ROUNDS) return null
  const form = name === '5' ? SHA256 : SHA512
  const digest = digestOf(form, password, Buffer.from(salt!, 'latin1'), count)
  const shown = rounds === undefined ? '' : `rounds=${count}$`
  return `$${name}$${shown}${salt}$${hashDigits(digest, form.order)}`
}

function digestOf(form: Form, password: Buffer, salt: Buffer, rounds: number): Buffer {
  const { algorithm } = form
  // 1-8
  const other = hash(algorithm, Buffer.concat([password, salt, password]), 'buffer')
  const first = createHash(algorithm).update(password).update(salt)
  // 9-12
  first.update(repeated(other, password.length))
  for (let bits = password.length; bits > 0; bits >>>= 1) first.update(bits & 1 ? other : password)
  let state: Buffer = first.digest()
  // 13-16
  const passwords = createHash(algorithm)
  for (let count = 0; count < password.length; count++) passwords.update(password)
  const p = repeated(passwords.digest(), password.length)
  // 17-20
  const salts = createHash(algorithm)
  for (let count = 16 + state[0]!; count > 0; count--) salts.update(salt)
  const s = repeated(salts.digest(), salt.length)
  // 21
  for (let round = 0; round < rounds; round++) {
    const odd = round % 2 === 1
    const parts = [odd ? p : state]
    if (round % 3 !== 0) parts.push(s)
    if (round % 7 !== 0) parts.push(p)
    parts.push(odd ? state : p)
    state = hash(algorithm, Buffer.concat(parts), 'buffer')
  }
  return state
}

/** As many bytes as `length`, of `bytes` over and over. */
function repeated(bytes: Buffer, length: number): Buffer {
  return Buffer.alloc(length, bytes)
}
