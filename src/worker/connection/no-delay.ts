// TCP_NODELAY of one client connection. It is on from the start, which costs nothing: accepted sockets inherit it. A
// response from where `tcp_nodelay` is off turns it off; as in nginx it is on for good once a connection has been kept
// where it is on.

import type { Transport } from '../transport/transport.ts'

export class NoDelay {
  #state: 'on' | 'off' | 'settled' = 'on'

  turnOff(transport: Transport): void {
    if (this.#state !== 'on') return
    this.#state = 'off'
    transport.setNoDelay(false)
  }

  settle(transport: Transport): void {
    if (this.#state === 'off') transport.setNoDelay(true)
    this.#state = 'settled'
  }
}
