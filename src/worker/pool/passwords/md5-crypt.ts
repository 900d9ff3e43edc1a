// crypt's MD5 form `$1$`, and Apache's `$apr1$`, which differs by its name alone.

import { createHash, hash } from 'node:crypto'
import { hashDigits } from './digits.ts'

const ROUNDS = 1000
const SIZE = 16
const ORDER = [0, 6, 12, 1, 7, 13, 2, 8, 14, 3, 9, 15, 4, 10, 5, 11]

/** The whole form for `password`, with the name and salt that `setting` begins with; null when it is none. */
export function md5Crypt(password: Buffer, setting: string): string | null {
  const match = /^(\$1\$|\$apr1\$)([^$]{0,8})/.exec(setting)
  if (match === null) return null
  const name = match[1]!
  const salt = Buffer.from(match[2]!, 'latin1')
  let state = firstState(password, Buffer.from(name), salt)
  for (let round = 0; round < ROUNDS; round++) {
    const odd = round % 2 === 1
    const parts = [odd ? password : state]
    if (round % 3 !== 0) parts.push(salt)
    if (round % 7 !== 0) parts.push(password)
    parts.push(odd ? state : password)
    state = hash('md5', Buffer.concat(parts), 'buffer')
  }
  return `${name}${match[2]}$${hashDigits(state, ORDER)}`
}

function firstState(password: Buffer, name: Buffer, salt: Buffer): Buffer {
  const other = hash('md5', Buffer.concat([password, salt, password]), 'buffer')
  const digest = createHash('md5').update(password).update(name).update(salt)
  for (let left = password.length; left > 0; left -= SIZE)
    digest.update(other.subarray(0, Math.min(SIZE, left)))
  // A bit of the length decides between a zero byte and the password's first.
  for (let bits = password.length; bits > 0; bits >>>= 1) {
    digest.update(bits & 1 ? Buffer.of(0) : password.subarray(0, 1))
  }
  return digest.digest()
}
