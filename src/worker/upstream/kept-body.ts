// Content of a request that has been sent to a server and is kept in case another one has to be asked, or a location
// that `error_page` leads to: as much as nginx keeps in memory by default. Of longer content the first server has what
// there was of it.

import type { Request } from '../http/request.ts'
import { errorPages } from '../modules/error-page.ts'
import { type NextSettings, repeatable } from './next.ts'

/** nginx's default `client_body_buffer_size`. */
const LIMIT = 16_384

export class KeptBody {
  #parts: Buffer[] = []
  #length = 0
  /** The client's last byte is there. */
  complete = false
  /** It was too long: it cannot be sent again. */
  lost = false

  /** For content of `r` that may have to be sent again; null: it is not worth keeping. */
  static of(r: Request, settings: NextSettings): KeptBody | null {
    if (r.client.contentLength > LIMIT) return null
    return repeatable(r, settings) || r.conf(errorPages).errorPage !== undefined ? new KeptBody() : null
  }

  /** Keeps a copy of `bytes[start, end)`, which come behind those before. */
  add(bytes: Buffer, start: number, end: number): void {
    if (this.lost) return
    this.#length += end - start
    if (this.#length <= LIMIT) return void this.#parts.push(Buffer.from(bytes.subarray(start, end)))
    this.lost = true
    this.#parts = []
  }

  /** All there is so far. */
  get bytes(): Buffer {
    if (this.#parts.length !== 1) this.#parts = [Buffer.concat(this.#parts)]
    return this.#parts[0]!
  }
}
