// What goes wrong in TLS once the handshake is over: what the other side sent cannot be read, or it has sent an alert.

import type { Level } from '../../shared/error-log.ts'
import { isExpected, opensslText } from './openssl-error.ts'

export class TlsError extends Error {
  /** nginx's: `crit` for what somebody has to look into. */
  readonly level: Level

  /** `error` is Node's; the message becomes OpenSSL's reason as nginx writes it: `SSL: error:0A000418:SSL routines::...`. */
  constructor(error: Error) {
    const text = opensslText(error) ?? error.message
    super(text)
    this.level = isExpected(text) ? 'info' : 'crit'
  }
}
