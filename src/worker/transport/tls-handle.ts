// Node's handle of a TLS connection, as far as it is used here: with handle-transport.ts the place where the worker uses
// private members of Node (`tlsSocket._handle`, the stream_wrap binding).

import type { TLSSocket } from 'node:tls'
import type { Transport } from './transport.ts'

/** Writes return 0 or a negative errno. */
export interface TlsHandle {
  readonly _parent?: RawHandle
  /** Encrypted bytes that no write to the connection has finished with. */
  readonly writeQueueSize: number
  onread: () => Buffer | undefined
  onerror: (error: Error) => void
  useUserBuffer(buffer: Buffer): void
  readStart(): number
  readStop(): number
  writeLatin1String(request: WriteRequest, text: string): number
  writeBuffer(request: WriteRequest, bytes: Uint8Array): number
  /** Texts are each followed by their encoding, pieces of memory by 'buffer'. */
  writev(request: WriteRequest, pieces: (Uint8Array | string)[], allBuffers: false): number
  shutdown(request: ShutdownRequest): number
}

/** The connection beneath it. */
export interface RawHandle {
  readonly writeQueueSize: number
}

/** Whose writes they are. */
export interface WriteOwner extends Transport {
  /** The handle, and the kernel, are done with a write: 0, or a negative errno. */
  written(status: number): void
}

export interface WriteRequest {
  /** Called at the end if it is there by then. */
  oncomplete: ((this: WriteRequest, status: number) => void) | undefined
  transport: WriteOwner | null
  /** -1 before a write and when it is done. */
  getAsyncId(): number
}

export interface ShutdownRequest {
  oncomplete: (() => void) | undefined
}

export interface StreamBinding {
  WriteWrap: new () => WriteRequest
  ShutdownWrap: new () => ShutdownRequest
  streamBaseState: Int32Array
  kReadBytesOrError: number
}

function loadBinding(): StreamBinding | null {
  try {
    const binding = (process as unknown as { binding(name: string): StreamBinding }).binding('stream_wrap')
    const complete =
      typeof binding.WriteWrap?.prototype?.getAsyncId === 'function' &&
      typeof binding.ShutdownWrap === 'function' &&
      binding.streamBaseState instanceof Int32Array &&
      typeof binding.kReadBytesOrError === 'number'
    return complete ? binding : null
  } catch {
    return null
  }
}

/** null where it is not as expected, or not wanted. */
export const binding = process.env.WEIR_TRANSPORT === 'socket' ? null : loadBinding()

/** The handles of `socket`; null where they are not as expected. */
export function tlsHandles(socket: TLSSocket): { handle: TlsHandle; raw: RawHandle } | null {
  const handle = (socket as unknown as { _handle?: TlsHandle | null })._handle
  const raw = handle?._parent
  return typeof handle?.useUserBuffer === 'function' &&
    typeof handle.writeLatin1String === 'function' &&
    typeof handle.writeQueueSize === 'number' &&
    typeof raw?.writeQueueSize === 'number'
    ? { handle, raw }
    : null
}
