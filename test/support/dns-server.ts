// A name server for tests: UDP (and TCP on the same port, for long answers) on the loopback. It answers what it is
// told, counts what it was asked, and can misbehave.

import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { createServer, type Server } from 'node:net'

const TYPES = { A: 1, CNAME: 5, AAAA: 28, SRV: 33 } as const
export type RecordType = keyof typeof TYPES

/** `127.0.0.1`; for CNAME a name; for SRV `priority weight port target`. */
export interface DnsRecord {
  type: RecordType
  value: string
  /** Seconds; default 60. */
  ttl?: number
  /** The owner of the record; default the name asked for. */
  name?: string
}

/** What goes wrong with an answer. */
export type Mischief =
  | 'silent'
  | 'garbage'
  | 'truncated'
  /** An answer with another id comes first, then (right) the real one. */
  | 'wrong id'
  /** An answer to another question comes first. */
  | 'wrong name'

export interface DnsAnswer {
  records?: DnsRecord[]
  /** 0 none, 1 format error, 2 server failure, 3 no such name, 4 not implemented, 5 refused. */
  code?: number
  mischief?: Mischief
  /** Nothing is sent before this has resolved. */
  after?: Promise<unknown>
}

interface Question {
  id: number
  name: string
  type: RecordType | null
  bytes: Buffer
}

export class DnsServer {
  /** By name, or by `name TYPE`; names that are not here do not exist. */
  readonly names = new Map<string, DnsAnswer>()
  /** What was asked, `name TYPE`, in order. */
  readonly asked: string[] = []
  readonly port: number
  readonly #udp: Socket
  readonly #tcp: Server

  private constructor(udp: Socket, tcp: Server) {
    this.#udp = udp
    this.#tcp = tcp
    this.port = udp.address().port
    udp.on('message', (message, from) => void this.#receive(message, from))
    tcp.on('connection', (socket) => {
      socket.on('error', () => {})
      socket.on('data', (bytes: Buffer) => {
        const question = readQuestion(bytes.subarray(2))
        this.asked.push(`${question.name} ${question.type} tcp`)
        const answer = writeAnswer(question, this.#find(question))
        const length = Buffer.alloc(2)
        length.writeUInt16BE(answer.length)
        socket.write(Buffer.concat([length, answer]))
      })
    })
  }

  /** Listens on a port that is free for both protocols, or on `port`. */
  static async start(port = 0): Promise<DnsServer> {
    for (;;) {
      const udp = createSocket('udp4')
      await new Promise<void>((done, reject) => udp.once('error', reject).bind(port, '127.0.0.1', done))
      const tcp = createServer()
      const listening = await new Promise<boolean>((done) => {
        tcp.once('error', () => done(false))
        tcp.listen(udp.address().port, '127.0.0.1', () => done(true))
      })
      if (listening) return new DnsServer(udp, tcp)
      udp.close()
    }
  }

  get address(): string {
    return `127.0.0.1:${this.port}`
  }

  /** `name` has these addresses (IPv4 and IPv6) from now on. */
  set(name: string, addresses: readonly string[], ttl = 60): void {
    const records = addresses.map((value): DnsRecord => {
      return { type: value.includes(':') ? 'AAAA' : 'A', value, ttl }
    })
    this.names.set(name, { records })
  }

  /** How often `name` was asked for. */
  count(name: string): number {
    return this.asked.filter((text) => text.startsWith(`${name} `)).length
  }

  async stop(): Promise<void> {
    await new Promise<void>((done) => this.#udp.close(() => done()))
    await new Promise<void>((done) => this.#tcp.close(() => done()))
  }

  #find({ name, type }: Question): DnsAnswer {
    const { names } = this
    return names.get(`${name} ${type}`) ?? names.get(name) ?? { code: 3 }
  }

  async #receive(message: Buffer, from: RemoteInfo): Promise<void> {
    const question = readQuestion(message)
    this.asked.push(`${question.name} ${question.type}`)
    const answer = this.#find(question)
    await answer.after
    const send = (bytes: Buffer) => this.#udp.send(bytes, from.port, from.address, () => {})
    const { mischief } = answer
    if (mischief === 'silent') return
    if (mischief === 'garbage') return send(Buffer.from([message[0]!, message[1]!, 0xff, 0xff, 1, 2, 3]))
    if (mischief === 'truncated') return send(truncated(question))
    const lie = { records: [{ type: 'A', value: '127.0.0.66' }] } satisfies DnsAnswer
    if (mischief === 'wrong id') send(writeAnswer({ ...question, id: question.id ^ 1 }, lie))
    if (mischief === 'wrong name') send(writeAnswer(otherQuestion(question), lie))
    send(writeAnswer(question, answer))
  }
}

function readQuestion(message: Buffer): Question {
  const labels: string[] = []
  let at = 12
  for (let length = message[at]!; length > 0; length = message[at]!) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  const code = message.readUInt16BE(at + 1)
  const found = Object.entries(TYPES).find(([, value]) => value === code)
  const type = found === undefined ? null : (found[0] as RecordType)
  return { id: message.readUInt16BE(0), name: labels.join('.'), type, bytes: message.subarray(12, at + 5) }
}

function otherQuestion(question: Question): Question {
  const bytes = Buffer.from(question.bytes)
  bytes[1] = bytes[1]! ^ 1
  return { ...question, bytes }
}

function truncated(question: Question): Buffer {
  const bytes = writeAnswer(question, { records: [] })
  bytes[2] = bytes[2]! | 2
  return bytes
}

function writeAnswer(question: Question, { records = [], code = 0 }: DnsAnswer): Buffer {
  const fitting = records.filter(({ type }) => type === question.type || type === 'CNAME')
  const head = Buffer.alloc(12)
  head.writeUInt16BE(question.id, 0)
  head.writeUInt16BE(0x8180 | code, 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt16BE(fitting.length, 6)
  return Buffer.concat([head, question.bytes, ...fitting.map((record) => writeRecord(record, question.name))])
}

function writeRecord({ type, value, ttl = 60, name }: DnsRecord, asked: string): Buffer {
  const data = recordData(type, value)
  const fixed = Buffer.alloc(10)
  fixed.writeUInt16BE(TYPES[type], 0)
  fixed.writeUInt16BE(1, 2)
  fixed.writeUInt32BE(ttl, 4)
  fixed.writeUInt16BE(data.length, 8)
  return Buffer.concat([writeName(name ?? asked), fixed, data])
}

function recordData(type: RecordType, value: string): Buffer {
  if (type === 'A') return Buffer.from(value.split('.').map(Number))
  if (type === 'AAAA') return writeAddress(value)
  if (type === 'CNAME') return writeName(value)
  const [priority, weight, port, target] = value.split(' ')
  const numbers = Buffer.alloc(6)
  for (const [index, number] of [priority, weight, port].entries())
    numbers.writeUInt16BE(Number(number), index * 2)
  return Buffer.concat([numbers, writeName(target!)])
}

function writeAddress(text: string): Buffer {
  const [left, right] = text.split('::').map((part) => part.split(':').filter((group) => group !== ''))
  const missing = 8 - left!.length - (right?.length ?? 0)
  const groups = [...left!, ...Array<string>(missing).fill('0'), ...(right ?? [])]
  return Buffer.from(groups.map((group) => group.padStart(4, '0')).join(''), 'hex')
}

function writeName(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '')
  const parts = labels.flatMap((label) => [Buffer.from([label.length]), Buffer.from(label, 'latin1')])
  return Buffer.concat([...parts, Buffer.from([0])])
}
