// Whether a password fits what a user file holds for a user. Cheap forms are compared at once; those made to take long
// go to the thread pool, once for all requests with the same password within a while.

import { createHmac, hash, randomBytes } from 'node:crypto'
import type { PasswordCheck } from '../../pool/passwords/check.ts'
import { sameText } from '../../pool/passwords/same-text.ts'
import { inPool, job, type Task } from '../../pool/pool.ts'
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

/** An answer that takes long. */
export interface Pending {
  /** Rejects when the pool is full. */
  readonly verdict: Promise<boolean>
  /** Whoever asked does not wait for it any more. */
  leave(): void
}

/** Both latin1. `asker`: who takes turns with others at the pool. */
export function verify(password: string, stored: string, asker: string): Verdict | Pending {
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
  return remembered(text, stored, asker)
}

/** Base64 of the hash with its salt behind it. */
function sha1(password: string, salt: Buffer): string {
  const salted = Buffer.concat([Buffer.from(password, 'latin1'), salt])
  return Buffer.concat([hash('sha1', salted, 'buffer'), salt]).toString('base64')
}

interface Answer {
  /** null: the pool is at it. */
  verdict: boolean | null
  expires: number
  task: Task<boolean>
  /** How many wait for it. */
  waiting: number
}

/** Makes keys of passwords that say nothing about them outside of this thread. */
const secret = randomBytes(32)
/** By stored form and password; the one asked for the longest time ago first. */
const answers = new Map<string, Answer>()

function remembered(password: string, stored: string, asker: string): Pending | boolean {
  const key = createHmac('sha256', secret).update(`${stored}\0${password}`, 'latin1').digest('latin1')
  const known = answers.get(key)
  answers.delete(key)
  const valid = known !== undefined && known.expires > monotonicNow()
  const answer = valid ? known : ask(key, password, stored, asker)
  answers.set(key, answer)
  if (answer.verdict !== null) return answer.verdict
  answer.waiting++
  return { verdict: answer.task.result, leave: () => leave(key, answer) }
}

function ask(key: string, password: string, stored: string, asker: string): Answer {
  if (answers.size >= MAX_REMEMBERED) answers.delete(answers.keys().next().value!)
  const task = inPool(check, { password, stored }, asker)
  const answer: Answer = { verdict: null, expires: monotonicNow() + REMEMBERED, task, waiting: 0 }
  task.result.then(
    (fits) => (answer.verdict = fits),
    () => forget(key, answer),
  )
  return answer
}

/** A password that nobody waits to hear about is not worth the work. */
function leave(key: string, answer: Answer): void {
  if (--answer.waiting > 0 || answer.verdict !== null) return
  if (answer.task.giveUp()) forget(key, answer)
}

function forget(key: string, answer: Answer): void {
  if (answers.get(key) === answer) answers.delete(key)
}
