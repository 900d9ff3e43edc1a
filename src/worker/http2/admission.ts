// Which of the streams that a client begins are taken. Those that are not are reset as refused, which lets the client try
// again; one that tries on and on is done with. The words for the log are nginx's.

import { type Http2SwitchConf, limitsFirstContent } from '../modules/http2.ts'

/** Refused streams that a client may try at least. */
const LEAST_REFUSED = 100

export class Admission {
  /** Content may be refused until the client knows how little of it may come. */
  readonly #limitsFirstContent: boolean
  /** Streams begun in what is being read. */
  #begun = 0
  #refused = 0

  /** `conf`: what the client was told as the connection began. */
  constructor(conf: Http2SwitchConf) {
    this.#limitsFirstContent = limitsFirstContent(conf)
  }

  /** More bytes are being read. */
  readBegins(): void {
    this.#begun = 0
  }

  /**
   * Why the stream that begins is not taken; '': it is. `open`: streams there are, of `most` that there may be; `unaware`:
   * content will follow, and the client has not acknowledged our settings.
   */
  refusal(open: number, most: number, unaware: boolean): string {
    if (open >= most) return `concurrent streams exceeded ${open}`
    if (this.#begun++ >= 2 * most) return 'client sent too many streams at once'
    return unaware && this.#limitsFirstContent
      ? 'client sent stream with data before settings were acknowledged'
      : ''
  }

  /** A stream has been refused. false: it was one too many. */
  refused(most: number): boolean {
    return this.#refused++ <= Math.max(most, LEAST_REFUSED)
  }
}
