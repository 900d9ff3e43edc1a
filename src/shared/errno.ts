// System errors in the C library's words, which nginx's messages end in: `(2: No such file or directory)`.

import { getSystemErrorMessage } from 'node:util'

/** Where libuv's words differ from the C library's by more than the first letter. */
const libcWords: Record<string, string> = {
  E2BIG: 'Argument list too long',
  EADDRNOTAVAIL: 'Cannot assign requested address',
  EAFNOSUPPORT: 'Address family not supported by protocol',
  EBUSY: 'Device or resource busy',
  EEXIST: 'File exists',
  EHOSTUNREACH: 'No route to host',
  EINTR: 'Interrupted system call',
  EIO: 'Input/output error',
  EISDIR: 'Is a directory',
  ELOOP: 'Too many levels of symbolic links',
  ENAMETOOLONG: 'File name too long',
  ENFILE: 'Too many open files in system',
  ENOMEM: 'Cannot allocate memory',
  ENOTCONN: 'Transport endpoint is not connected',
  EROFS: 'Read-only file system',
}

/** `2: No such file or directory` for an error thrown by Node; the bare message for one without an errno. */
export function errnoText(error: unknown): string {
  const { errno, code, message } = error as NodeJS.ErrnoException
  if (errno === undefined || code === undefined) return message
  const words = libcWords[code] ?? capitalized(getSystemErrorMessage(-Math.abs(errno)))
  return `${Math.abs(errno)}: ${words}`
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
