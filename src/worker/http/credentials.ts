// User and password of Basic authentication (RFC 7617), read as nginx reads them.

import { hashName } from './fields.ts'
import type { Request } from './request.ts'

const AUTHORIZATION = hashName('authorization')

/** Both latin1. */
export interface Credentials {
  user: string
  password: string
}

/** What the request's Authorization field says; null where it names no user. */
export function basicCredentials(r: Request): Credentials | null {
  const field = r.fields.indexOf('authorization', AUTHORIZATION)
  if (field < 0) return null
  const match = /^basic +([^=]*)/i.exec(r.fields.value(field))
  // What follows the first "=" does not matter to nginx, what stands before it does.
  if (match === null || !/^[A-Za-z0-9+/]+$/.test(match[1]!) || match[1]!.length % 4 === 1) return null
  const credentials = Buffer.from(match[1]!, 'base64').toString('latin1')
  const colon = credentials.indexOf(':')
  return colon < 1 ? null : { user: credentials.slice(0, colon), password: credentials.slice(colon + 1) }
}
