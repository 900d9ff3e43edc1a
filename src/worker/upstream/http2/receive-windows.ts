// The windows that a backend has for its responses (RFC 9113 section 5.2): as large as they can be, and opened again
// long before they are used up. They are no brake, but nobody may run through them.

import { LARGEST_WINDOW, windowUpdateFrame } from '../../http2/frames.ts'

/** A window with less left is opened again. */
const LOW = LARGEST_WINDOW >> 2

export class ReceiveWindows {
  #connection = LARGEST_WINDOW
  #stream = LARGEST_WINDOW

  /** Another stream begins. */
  beginStream(): void {
    this.#stream = LARGEST_WINDOW
  }

  /** A frame of `length` bytes of DATA has come. What is wrong, in nginx's words; ''. */
  take(length: number): string {
    if (length > this.#stream) return violation('stream', length, this.#stream)
    if (length > this.#connection) return violation('connection', length, this.#connection)
    this.#stream -= length
    this.#connection -= length
    return ''
  }

  /** Frames that open the windows; '' where there is no need. */
  open(streamId: number): string {
    if (this.#stream >= LOW && this.#connection >= LOW) return ''
    const frames =
      windowUpdateFrame(0, LARGEST_WINDOW - this.#connection) +
      windowUpdateFrame(streamId, LARGEST_WINDOW - this.#stream)
    this.#stream = this.#connection = LARGEST_WINDOW
    return frames
  }
}

function violation(whose: string, length: number, window: number): string {
  return `upstream violated ${whose} flow control, received ${length} data frame with window ${window}`
}
