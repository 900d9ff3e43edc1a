// The frames of HTTP/2 (RFC 9113 section 6) as bytes for tests, right or wrong as the test likes, and their names.
// Shares nothing with the sources.

import { block, type Field } from './http2-hpack.ts'

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

export const TYPES = [
  'DATA',
  'HEADERS',
  'PRIORITY',
  'RST_STREAM',
  'SETTINGS',
  'PUSH_PROMISE',
  'PING',
  'GOAWAY',
  'WINDOW_UPDATE',
  'CONTINUATION',
] as const
export const CODES = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY',
  'HTTP_1_1_REQUIRED',
] as const
export type TypeName = (typeof TYPES)[number]
export type CodeName = (typeof CODES)[number]

export const END_STREAM = 1
export const ACK = 1
export const END_HEADERS = 4
export const PADDED = 8
export const PRIORITY = 0x20

export const HEADER_TABLE_SIZE = 1
export const ENABLE_PUSH = 2
export const MAX_CONCURRENT_STREAMS = 3
export const INITIAL_WINDOW_SIZE = 4
export const MAX_FRAME_SIZE = 5
export const MAX_HEADER_LIST_SIZE = 6

/** A frame; a type may be a number that no RFC knows, `length` a lie about the payload. */
export function frame(
  type: TypeName | number,
  flags: number,
  stream: number,
  payload: Buffer | string = '',
  length = payload.length,
): Buffer {
  const bytes = typeof payload === 'string' ? Buffer.from(payload, 'latin1') : payload
  const head = Buffer.alloc(9)
  head.writeUIntBE(length, 0, 3)
  head[3] = typeof type === 'number' ? type : TYPES.indexOf(type)
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, bytes])
}

export function uint32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length)
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, 4 * index)
  return bytes
}

export function settings(...values: (readonly [id: number, value: number])[]): Buffer {
  const payload = values.map(([id, value]) =>
    Buffer.concat([Buffer.from([id >> 8, id & 255]), uint32(value)]),
  )
  return frame('SETTINGS', 0, 0, Buffer.concat(payload))
}

export const settingsAck = (): Buffer => frame('SETTINGS', ACK, 0)
export const ping = (data = '12345678', flags = 0): Buffer => frame('PING', flags, 0, data)
export const windowUpdate = (stream: number, increment: number): Buffer =>
  frame('WINDOW_UPDATE', 0, stream, uint32(increment))
export const rstStream = (stream: number, code: CodeName = 'CANCEL'): Buffer =>
  frame('RST_STREAM', 0, stream, uint32(CODES.indexOf(code)))
export const goaway = (last: number, code: CodeName = 'NO_ERROR', debug = ''): Buffer =>
  frame('GOAWAY', 0, 0, Buffer.concat([uint32(last, CODES.indexOf(code)), Buffer.from(debug)]))
export const data = (stream: number, payload: Buffer | string, flags = END_STREAM): Buffer =>
  frame('DATA', flags, stream, payload)
export const headers = (stream: number, payload: Buffer, flags = END_HEADERS | END_STREAM): Buffer =>
  frame('HEADERS', flags, stream, payload)
export const continuation = (stream: number, payload: Buffer, flags = END_HEADERS): Buffer =>
  frame('CONTINUATION', flags, stream, payload)
export const priority = (stream: number, dependency = 0, weight = 15): Buffer =>
  frame('PRIORITY', 0, stream, Buffer.concat([uint32(dependency), Buffer.from([weight])]))

/** The payload of a frame that is padded; the flag is not set here. */
export function padded(payload: Buffer | string, padding: number): Buffer {
  const bytes = typeof payload === 'string' ? Buffer.from(payload, 'latin1') : payload
  return Buffer.concat([Buffer.from([padding]), bytes, Buffer.alloc(padding)])
}

/** Pseudo-fields and others of a request. */
export function fieldsOf(method: string, path: string, ...others: Field[]): Field[] {
  return [[':method', method], [':scheme', 'http'], [':authority', 'test'], [':path', path], ...others]
}

/** A GET request in one HEADERS frame. */
export const get = (stream: number, path = '/', ...others: Field[]): Buffer =>
  headers(stream, block(...fieldsOf('GET', path, ...others)))

/** The HEADERS frame of a POST request, whose body follows. */
export const post = (stream: number, path = '/', ...others: Field[]): Buffer =>
  headers(stream, block(...fieldsOf('POST', path, ...others)), END_HEADERS)
