// A backend of the chaos: its mood changes at random, or it is well for ever. It counts the requests it has at a time,
// and holds the proxy to its max_conns.

import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { Connection } from './connection.ts'
import type { Exchange } from './exchange.ts'
import { type Mood, moods, stopped, well } from './moods.ts'
import type { Random } from './random.ts'
import type { Trials } from './trials.ts'

/** A request that the proxy has given up counts no more, but it takes a moment until that is seen here, if ever. */
const SEEN_WITHIN = 200

export class ChaosBackend {
  readonly host: string
  readonly random: Random
  readonly trials: Trials
  /** 0: any number. */
  readonly maxConns: number
  port = 0
  mood: Mood = well
  /** How often it has been in which mood. */
  readonly moodCounts = new Map<string, number>()
  /** Requests it has seen. */
  requests = 0
  /** Most at a time. */
  peak = 0
  readonly #open = new Set<Exchange>()
  readonly #connections = new Set<Connection>()
  #server: Server | null = null
  #timer: NodeJS.Timeout | null = null

  constructor(host: string, maxConns: number, random: Random, trials: Trials) {
    this.host = host
    this.maxConns = maxConns
    this.random = random
    this.trials = trials
  }

  get name(): string {
    return `${this.host}:${this.port}`
  }

  async start(): Promise<void> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket))
    server.listen({ port: this.port, host: this.host })
    await once(server, 'listening')
    this.port = (server.address() as AddressInfo).port
    this.#server = server
  }

  /** Changes its mood now and then, until `stop`. */
  beMoody(): void {
    const mood = this.random.pick(moods)
    const before = this.mood
    this.mood = mood
    this.moodCounts.set(mood.name, (this.moodCounts.get(mood.name) ?? 0) + 1)
    if (mood === stopped && before !== stopped) this.#die()
    // Should its port be taken, it stays away for one more round.
    if (mood !== stopped && before === stopped) this.start().catch(() => (this.mood = stopped))
    this.#timer = setTimeout(() => this.beMoody(), this.random.between(...mood.lasts))
  }

  /** Is well again, for ever. */
  async calm(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer)
    if (this.mood === stopped) await this.start()
    this.mood = well
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#server?.close()
    for (const connection of this.#connections) connection.destroy()
  }

  begun(exchange: Exchange): void {
    this.requests++
    this.#open.add(exchange)
    this.peak = Math.max(this.peak, this.maxConns > 0 ? 0 : this.#open.size)
    if (this.maxConns === 0) return
    const now = Date.now()
    const counted = [...this.#open]
    if (counted.length <= this.maxConns) this.peak = Math.max(this.peak, counted.length)
    else setTimeout(() => this.#recount(counted, now), SEEN_WITHIN)
  }

  ended(exchange: Exchange): void {
    this.#open.delete(exchange)
  }

  #recount(counted: readonly Exchange[], when: number): void {
    const there = counted.filter(
      ({ gone, left }) => !left && (gone === 0 || gone - when > SEEN_WITHIN / 2),
    ).length
    this.peak = Math.max(this.peak, there)
    if (there > this.maxConns) {
      this.trials.offence(`${this.name} had ${there} requests at a time, with max_conns=${this.maxConns}`)
    }
  }

  #accept(socket: Socket): void {
    const connection = new Connection(this, socket)
    this.#connections.add(connection)
    socket.on('close', () => this.#connections.delete(connection))
  }

  #die(): void {
    this.#server?.close()
    this.trials.closedIdle(this.name)
    const way = this.random.pick(['end', 'reset'] as const)
    for (const connection of this.#connections) connection.die(way)
  }
}
