// Memory for reading large files in long pieces, which cost a good deal less than short ones. A thread has a few of
// them; a file for which none is left is read in short pieces.

import { keepSteady } from '../../../transport/read-buffer.ts'

/** Bytes of one piece. */
export const LARGE = 512 * 1024
/** Lent at the same time at most. */
const MOST = 16

const spare: Buffer[] = []
let lent = 0

/** A buffer for one holder; null: all are lent. */
export function borrow(): Buffer | null {
  if (lent === MOST) return null
  lent++
  const buffer = spare.pop()
  if (buffer !== undefined) return buffer
  const created = Buffer.allocUnsafeSlow(LARGE)
  keepSteady(created)
  return created
}

/** `inUse`: a connection still sends from it, so that nobody else may have it. */
export function giveBack(buffer: Buffer, inUse: boolean): void {
  lent--
  if (!inUse) spare.push(buffer)
}
