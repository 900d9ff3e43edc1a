// A gRPC service without a schema, in every kind of call, and clients of it: @grpc/grpc-js with messages that are bytes.

import {
  Client,
  type ClientOptions,
  ServerCredentials as Credentials,
  credentials,
  type handleBidiStreamingCall,
  type handleClientStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  Metadata,
  type MethodDefinition,
  Server,
  type ServerCredentials,
  type ServiceError,
  status,
} from '@grpc/grpc-js'

const identity = (bytes: Buffer) => bytes

function method(
  name: string,
  requestStream: boolean,
  responseStream: boolean,
): MethodDefinition<Buffer, Buffer> {
  return {
    path: `/weir.Test/${name}`,
    requestStream,
    responseStream,
    requestSerialize: identity,
    requestDeserialize: identity,
    responseSerialize: identity,
    responseDeserialize: identity,
  }
}

const METHODS = {
  unary: method('Unary', false, false),
  upload: method('Upload', true, false),
  download: method('Download', false, true),
  talk: method('Talk', true, true),
}

/** What a backend has seen of calls. */
export interface GrpcBackend {
  readonly port: number
  /** Metadata of calls, in their order. */
  readonly calls: Metadata[]
  /** Calls that clients have given up. */
  readonly cancelled: string[]
  /** Messages of `download` that were sent. */
  readonly sent: number
  stop(): void
}

/** `unary` says what it was told, or fails with the status it is told: `fail 5 text`; `silence` answers nothing. */
export async function startGrpcBackend(
  listen: ServerCredentials = Credentials.createInsecure(),
): Promise<GrpcBackend> {
  const calls: Metadata[] = []
  const cancelled: string[] = []
  let sentInAll = 0
  const server = new Server({ 'grpc.max_receive_message_length': -1 })
  const unary: handleUnaryCall<Buffer, Buffer> = (call, reply) => {
    calls.push(call.metadata)
    call.on('cancelled', () => cancelled.push('unary'))
    const text = call.request.toString('latin1')
    const fail = /^fail (\d+) (.*)$/.exec(text)
    if (text === 'silence') return
    if (fail === null) {
      const trailers = new Metadata()
      trailers.set('x-trailer', 'behind')
      reply(null, call.request, trailers)
    } else reply({ code: Number(fail[1]), details: fail[2]! })
  }
  const upload: handleClientStreamingCall<Buffer, Buffer> = (call, reply) => {
    let bytes = 0
    call.on('data', (part: Buffer) => (bytes += part.length))
    call.on('error', () => {})
    call.on('cancelled', () => cancelled.push('upload'))
    call.on('end', () => reply(null, Buffer.from(String(bytes))))
  }
  const download: handleServerStreamingCall<Buffer, Buffer> = (call) => {
    call.on('cancelled', () => cancelled.push('download'))
    const count = Number(call.request.toString())
    let sent = 0
    const send = (): void => {
      while (sent < count && !call.cancelled) {
        sentInAll++
        if (!call.write(Buffer.alloc(1000, 65 + (sent++ % 26)))) return void call.once('drain', send)
      }
      call.end()
    }
    send()
  }
  const talk: handleBidiStreamingCall<Buffer, Buffer> = (call) => {
    call.on('data', (part: Buffer) => call.write(Buffer.concat([Buffer.from('re: '), part])))
    call.on('error', () => {})
    call.on('cancelled', () => cancelled.push('talk'))
    call.on('end', () => call.end())
  }
  server.addService(METHODS, { unary, upload, download, talk })
  const port = await new Promise<number>((done, failed) => {
    server.bindAsync('127.0.0.1:0', listen, (error, bound) => (error === null ? done(bound) : failed(error)))
  })
  return {
    port,
    calls,
    cancelled,
    get sent() {
      return sentInAll
    },
    stop: () => server.forceShutdown(),
  }
}

/** What came of a call. */
export interface Outcome {
  readonly code: number
  readonly details: string
  readonly messages: string[]
  readonly trailers: Record<string, unknown>
}

export class GrpcClient extends Client {
  constructor(address: string, secure = credentials.createInsecure(), options: ClientOptions = {}) {
    super(address, secure, { 'grpc.enable_retries': 0, 'grpc.max_receive_message_length': -1, ...options })
  }

  unary(text: string, milliseconds = 10_000, metadata = new Metadata()): Promise<Outcome> {
    return new Promise((done) => {
      let trailers = {}
      const { path } = METHODS.unary
      const options = { deadline: Date.now() + milliseconds }
      const call = this.makeUnaryRequest(
        path,
        identity,
        identity,
        Buffer.from(text, 'latin1'),
        metadata,
        options,
        (error, reply) =>
          setImmediate(() =>
            done({
              ...codeOf(error),
              messages: reply === undefined ? [] : [reply.toString('latin1')],
              trailers,
            }),
          ),
      )
      call.on('status', (ended) => (trailers = ended.metadata.getMap()))
    })
  }

  upload(parts: readonly Buffer[]): Promise<Outcome> {
    return new Promise((done) => {
      const call = this.makeClientStreamRequest(METHODS.upload.path, identity, identity, (error, reply) =>
        done({ ...codeOf(error), messages: reply === undefined ? [] : [reply.toString()], trailers: {} }),
      )
      for (const part of parts) call.write(part)
      call.end()
    })
  }

  download(count: number) {
    return this.makeServerStreamRequest(METHODS.download.path, identity, identity, Buffer.from(String(count)))
  }

  talk() {
    return this.makeBidiStreamRequest(METHODS.talk.path, identity, identity)
  }
}

function codeOf(error: ServiceError | null): { code: number; details: string } {
  return error === null ? { code: status.OK, details: '' } : { code: error.code, details: error.details }
}
