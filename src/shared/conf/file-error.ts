// What nginx, through OpenSSL, says of a file that it cannot open.

import { errnoText } from '../errno.ts'

/** ENOENT and ENXIO have a reason of their own in OpenSSL's files. */
const MISSING = [2, 6]

/** `BIO_new_file("path") failed (SSL: ...)` without its first words, for a file that reading failed with `error`. */
export function openFailure(path: string, error: unknown): string {
  const [number, text] = errnoText(error).split(/: (.*)/s) as [string, string]
  const code = (0x80000000 + Number(number)).toString(16).toUpperCase()
  const reason = MISSING.includes(Number(number))
    ? '10000080:BIO routines::no such file'
    : '10080002:BIO routines::system lib'
  return `SSL: error:${code}:system library::${text}:calling fopen(${path}, r) error:${reason}`
}
