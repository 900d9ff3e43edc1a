// The body of a request that has been read: in memory, or in a file where it is large. It belongs to its request
// until that ends, and may be sent any number of times: to the next peer, to another location's, to a mirror.

import { latin1 } from '../../shared/latin1.ts'
import type { TempFile } from './temp-file.ts'

export class BufferedBody {
  /** Bytes so far. */
  length = 0
  /** All of it is there. Otherwise it is being read still, or will never be whole. */
  complete = false
  /** It will never be whole: the client broke it off, it was too large, or its file could not be written. */
  failed = false
  /** Of one that is passed on as it comes: some that is not here has been. */
  spent = false
  /** What is in memory; null: nothing, or all is in the file. It does not change any more once it is complete. */
  bytes: Buffer | null = null
  /** Where all of it is, or will be; null: in memory. */
  file: TempFile | null = null

  /** `$request_body`: as in nginx nothing of one that is in a file. */
  get text(): string | null {
    const { bytes } = this
    if (this.file !== null) return null
    return bytes === null ? (this.complete ? '' : null) : latin1(bytes, 0, this.length)
  }

  /** `$request_body_file`. */
  get fileName(): string | null {
    return this.file === null || this.file.name === '' ? null : this.file.name
  }

  /** The request has ended. */
  release(): void {
    this.file?.close()
    this.bytes = null
  }
}
