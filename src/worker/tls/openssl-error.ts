// What OpenSSL says of a failure, as nginx writes it into its logs: `SSL: error:0A00010B:SSL routines::wrong version
// number`. Node gives it in two forms, with and without the place in OpenSSL's sources.

/** One error of a connection: thread, code, library, function, reason, file, line, and what more there is to say. */
const WITH_PLACE = /^[0-9A-F]+:error:([0-9A-F]{8}):([^:]*):[^:]*:([^:]*):[^:]*:\d+:(.*)$/
/** How the text begins; an error may have it already. */
const SHOWN = 'SSL: error:'
/** One error of a call; of number 0 is what Node makes up where there is none. */
const WITHOUT_PLACE = /^error:(?!00000000)[0-9A-F]{8}:/

/** The text between nginx's parentheses, `SSL: error:...`; null where the error is not one of OpenSSL's. */
export function opensslText({ message }: Error): string | null {
  if (message.startsWith(SHOWN)) return message
  const errors: string[] = []
  for (const line of message.trimEnd().split('\n')) {
    const [, code, library, reason, data] = WITH_PLACE.exec(line) ?? []
    if (code !== undefined) errors.push(`error:${code}:${library}::${reason}${data === '' ? '' : `:${data}`}`)
    else if (WITHOUT_PLACE.test(line)) errors.push(line)
  }
  return errors.length === 0 ? null : `SSL: ${errors.join(' ')}`
}

/** Number of the last reason among OpenSSL's `SSL_R_...`; 0 where it is none of these. */
export function sslReason(text: string): number {
  const code = lastCode(text)
  // The upper bits name the library: 20 is SSL.
  return code >>> 23 === 20 ? code & 0x7fffff : 0
}

function lastCode(text: string): number {
  return Number.parseInt(/.*error:([0-9A-F]{8}):/s.exec(text)?.[1] ?? '0', 16)
}

/** What nginx takes for the other side's mistake, not for one that somebody has to look into. */
const EXPECTED = new Set([
  101, 102, 103, 108, 110, 111, 112, 115, 118, 122, 129, 133, 137, 145, 146, 149, 150, 151, 152, 154, 155,
  156, 159, 160, 182, 183, 186, 187, 193, 198, 213, 220, 226, 227, 234, 235, 244, 245, 246, 252, 253, 256,
  258, 266, 267, 270, 271, 281, 291, 292, 293, 298, 300, 306, 335, 336, 337, 338, 345, 373, 376, 377, 396,
  409, 443,
])
/** Alerts of the other side: those that there were before TLS 1.3. */
const [FIRST_ALERT, LAST_ALERT] = [1000, 1100]

/**
 * What stands before one of the expected in OpenSSL's queue, of which Node tells the first one only: keys that are not on
 * the curve (bad ecpoint), and records that AEAD refuses (decryption failed or bad record mac).
 */
const BEFORE_EXPECTED = new Set([0x0800006b, 0x1c800066])

/** Whether nginx logs the failure at the connection's own level; else it is `crit`. */
export function isExpected(text: string): boolean {
  const reason = sslReason(text)
  if (EXPECTED.has(reason) || (reason >= FIRST_ALERT && reason <= LAST_ALERT)) return true
  return BEFORE_EXPECTED.has(lastCode(text))
}
