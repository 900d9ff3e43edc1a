// The last step of a log line: the write, and what is said when it fails.

import { writeSync } from 'node:fs'
import { errnoText } from '../../../shared/errno.ts'
import type { ErrorLog } from '../../../shared/error-log.ts'
import { now } from '../../tick.ts'

/** nginx's: failures of one log are reported once in this time. */
const REPORT_INTERVAL = 60_000

/**
 * Characters gathered in a turn of the event loop before they are written: clients that send thousands of requests at
 * once make a turn long, and lines hold on to the texts they were put together from.
 */
export const MOST_GATHERED = 65_536

/** Where a failed write is reported, and what was being done. */
export interface WriteContext {
  errorLog: ErrorLog | null
  doing: '' | ' while logging request'
}

/** Writes to one log file. Lines that cannot be written are lost, as in nginx; requests go on. */
export class LogWriter {
  /** As the error log calls it. */
  readonly #name: string
  /** The second in which the disk was full: nothing is tried in the rest of it. */
  #fullSecond = 0
  #reported = Number.NEGATIVE_INFINITY

  constructor(name: string) {
    this.#name = name
  }

  /** One write of whole lines to a file opened for appending: lines of several threads do not mix. */
  write(fd: number, bytes: Buffer, context: WriteContext): void {
    const second = Math.floor(now() / 1000)
    if (second === this.#fullSecond) return
    try {
      const written = writeSync(fd, bytes)
      if (written === bytes.length) return
      this.#report(`was incomplete: ${written} of ${bytes.length}`, context)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOSPC') this.#fullSecond = second
      this.#report(`failed (${errnoText(error)})`, context)
    }
  }

  #report(what: string, { errorLog, doing }: WriteContext): void {
    const moment = now()
    if (moment - this.#reported < REPORT_INTERVAL) return
    this.#reported = moment
    errorLog?.alert(`write() to "${this.#name}" ${what}${doing}`)
  }
}
