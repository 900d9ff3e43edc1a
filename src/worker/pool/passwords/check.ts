// A job of the pool: whether a password is the one that a stored hash was made from. For the forms that are made to
// take long; see modules/access/auth-basic-verify.ts for the others.

import { hashSync } from 'bcryptjs'
import { desCrypt } from './des-crypt.ts'
import { md5Crypt } from './md5-crypt.ts'
import { sameText } from './same-text.ts'
import { shaCrypt } from './sha-crypt.ts'

/** Both latin1, the password without the byte 0. */
export interface PasswordCheck {
  password: string
  stored: string
}

/** Makes the form anew, with the salt of the stored one, and compares: what is no form of a hash fits no password. */
export default function check({ password, stored }: PasswordCheck): boolean {
  const made = crypt(password, stored)
  return made !== null && sameText(made, stored)
}

function crypt(password: string, stored: string): string | null {
  const bytes = Buffer.from(password, 'latin1')
  if (/^\$(1|apr1)\$/.test(stored)) return md5Crypt(bytes, stored)
  if (/^\$[56]\$/.test(stored)) return shaCrypt(bytes, stored)
  if (/^\$2[aby]\$/.test(stored)) return bcrypt(bytes, stored)
  return desCrypt(bytes, stored)
}

/** bcryptjs takes text: bytes that are none fit no hash. */
function bcrypt(password: Buffer, stored: string): string | null {
  const setting = /^\$2[aby]\$\d\d\$[./A-Za-z0-9]{22}/.exec(stored)?.[0]
  const text = password.toString()
  if (setting === undefined || !Buffer.from(text).equals(password)) return null
  try {
    return hashSync(text, setting)
  } catch {
    // A cost out of range.
    return null
  }
}
