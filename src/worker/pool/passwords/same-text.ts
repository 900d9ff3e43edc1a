// Comparing secrets.

import { timingSafeEqual } from 'node:crypto'

/** Whether two latin1 texts are equal, in a time that does not tell where two of one length differ. */
export function sameText(left: string, right: string): boolean {
  return (
    left.length === right.length && timingSafeEqual(Buffer.from(left, 'latin1'), Buffer.from(right, 'latin1'))
  )
}
