// Whether a password fits what a user file holds for a user. Cheap forms are compared at once; those made to take long
// go to the thread pool, once for all requests with the same password within a while.

import { createHmac, hash, randomBytes } from 'node:crypto'
import type { PasswordCheck } from '../../pool/passwords/check.ts'
import { sameText } from '../../pool/passwords/same-text.ts'
import { inPool, job } from '../../pool/pool.ts'
import { monotonicNow } from '../../tick.ts'

/** Milliseconds an answer of the pool is remembered. */
const REMEMBERED = 60_000
const MAX_REMEMBERED = 1000

const check = job<PasswordCheck, boolean>('../../pool/passwords/check', import.meta.url)

/** A password that fits no form is a wrong one; `unsupported`: it may be right, for a libc that knows the form. */
export type Verdict = boolean | 'unsupported'

/** Forms of crypt that only the C library has: extended DES, yescrypt, scrypt, and older ones. */
const UNSUPPORTED = /^(?:_|\$(?:2x|3|7|y|gy|md5|sha1)\b)/

/** The known form a stored password has, as messages name it. */
export function formOf(stored: string): string {
  return /^\$[^$]*\$/.exec(stored)?.[0] ?? '_'
}

/** Both latin1. Rejects when the pool is full. */
export function verify(password: string, stored: string): Verdict | Promise<Verdict> {
  // Passwords are strings of the C library for nginx.
  const zero = password.indexOf('\0')
  const text = zero < 0 ? password : password.slice(0, zero)
  if (stored.startsWith('{PLAIN}')) return sameText(stored, `{PLAIN}${text}`)
  if (stored.startsWith('{SHA}')) return sameText(stored, `{SHA}${sha1(text, Buffer.alloc(0))}`)
  if (stored.startsWith('{SSHA}')) {
    return sameText(stored, `{SSHA}${sha1(text, Buffer.from(stored.slice(6), 'base64').subarray(20))}`)
  }
  if (UNSUPPORTED.test(stored)) return 'unsupported'
  if (!/^\$(?:1|apr1|5|6|2[aby])\$|^[./0-9A-Za-z]{13}$/.test(stored)) return false
  return remembered(text, stored)
}

/** Base64 of the hash with its salt behind it. */
function sha1(password: string, salt: Buffer): string {
  const salted = Buffer.concat([Buffer.from(password, 'latin1'), salt])
  return Buffer.concat([hash('sha1', salted, 'buffer'), salt]).toString('base64')
}

interface Answer {
  verdict: Promise<boolean> | boolean
  expires: number
}

/** Makes keys of passwords that say nothing about them outside of this thread. */
const secret = randomBytes(32)
/** By stored form and password; the oldest first. */
const answers = new Map<string, Answer>()

function remembered(password: string, stored: string): Promise<boolean> | boolean {
  const key = createHmac('sha256', secret).update(`${stored}\0${password}`, 'latin1').digest('latin1')
  const known = answers.get(key)
  if (known !== undefined && known.expires > monotonicNow()) return known.verdict
  answers.delete(key)
  if (answers.size >= MAX_REMEMBERED) answers.delete(answers.keys().next().value!)
  const verdict = inPool(check, { password, stored })
  const answer: Answer = { verdict, expires: monotonicNow() + REMEMBERED }
  answers.set(key, answer)
  verdict.then(
    (fits) => (answer.verdict = fits),
    () => answers.get(key) === answer && answers.delete(key),
  )
  return verdict
}
