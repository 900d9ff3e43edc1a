// `health_check type=tcp`: a peer that takes a connection is well.

import { connect, type Socket } from 'node:net'
import type { HealthCheck } from '../../worker/upstream/health/health-check.ts'
import type { PeerAddress } from '../../worker/upstream/peers.ts'
import { CONNECTING, connectVerdict, delay, type Prober, placeOf, TIMED_OUT, type Verdict } from './probe.ts'

export class TcpProber implements Prober {
  readonly #check: HealthCheck
  readonly #peer: PeerAddress
  #socket: Socket | null = null
  #timer: NodeJS.Timeout | null = null

  constructor(check: HealthCheck, peer: PeerAddress) {
    this.#check = check
    this.#peer = peer
  }

  start(done: (verdict: Verdict) => void): void {
    const end = (verdict: Verdict) => {
      this.stop()
      done(verdict)
    }
    const socket = connect(placeOf(this.#check, this.#peer))
    this.#socket = socket
    this.#timer = setTimeout(
      () => end({ passed: false, doing: CONNECTING, error: TIMED_OUT }),
      delay(this.#check.settings.connectTimeout),
    )
    socket.once('connect', () => end({ passed: true, doing: CONNECTING, error: '' }))
    socket.once('error', (error) => end(connectVerdict(error, this.#peer)))
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    const socket = this.#socket
    this.#timer = this.#socket = null
    if (socket === null) return
    socket.removeAllListeners()
    socket.on('error', () => {})
    socket.destroy()
  }
}
