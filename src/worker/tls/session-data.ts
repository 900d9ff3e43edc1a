// What OpenSSL keeps of a TLS session, in the form it stores one in (SSL_SESSION, DER): the only place where Node tells
// of the group of a server's key exchange, and of why a client's certificate is not trusted by its number.

import {
  children,
  content,
  context,
  integer,
  OCTET_STRING,
  only,
  readDer,
  SEQUENCE,
} from '../../shared/der.ts'

/** What is read of a session. */
export interface SessionData {
  /** 0x0303 for TLS 1.2, 0x0304 for 1.3. */
  readonly version: number
  /** Empty where the client keeps the session in a ticket. */
  readonly id: Buffer
  /** OpenSSL's X509_V_...; 0: the certificate is trusted, or there is none. Not 0 where there is nothing to be read. */
  readonly verifyResult: number
  /** Number of the group of the key exchange; 0: there was none. */
  readonly group: number
}

const VERIFY_RESULT = context(5)
const GROUP = context(19)
/** X509_V_ERR_UNSPECIFIED */
const UNSPECIFIED = 1
/** Nobody is to be trusted for want of an answer. */
const NOTHING: SessionData = { version: 0, id: Buffer.alloc(0), verifyResult: UNSPECIFIED, group: 0 }

/** Reads `data`, as `tlsSocket.getSession()` and the event `newSession` give it. */
export function readSession(data: Buffer | null | undefined): SessionData {
  const outer = data ? readDer(data) : null
  const fields = outer?.tag === SEQUENCE ? children(outer) : null
  if (fields === null) return NOTHING
  /** One that is 0 is left out. */
  const numberIn = (tag: number, unread: number): number => {
    const field = fields.find((element) => element.tag === tag)
    if (field === undefined) return 0
    const inner = only(field)
    return (inner === null ? null : integer(inner)) ?? unread
  }
  const id = fields[3]
  return {
    version: (fields[1] === undefined ? null : integer(fields[1])) ?? 0,
    id: id?.tag === OCTET_STRING ? content(id) : NOTHING.id,
    verifyResult: numberIn(VERIFY_RESULT, UNSPECIFIED),
    group: numberIn(GROUP, 0),
  }
}
