// What can be wrong with a frame of a backend whatever has come before it (RFC 9113 section 6), in nginx's words.

import {
  ACK,
  DEFAULT_FRAME_SIZE,
  GOAWAY,
  LARGEST_FRAME_SIZE,
  LARGEST_WINDOW,
  PING,
  PUSH_PROMISE,
  RST_STREAM,
  readStreamId,
  SETTINGS,
  SETTINGS_ENABLE_PUSH,
  SETTINGS_INITIAL_WINDOW_SIZE,
  SETTINGS_MAX_FRAME_SIZE,
  WINDOW_UPDATE,
} from '../../http2/frames.ts'

/** Goes behind `upstream sent `; '' for a frame that is in order. The payload of the frame is `bytes[start, end)`. */
export function frameFault(
  type: number,
  flags: number,
  streamId: number,
  bytes: Buffer,
  start: number,
  end: number,
): string {
  const length = end - start
  switch (type) {
    case SETTINGS:
      return settingsFault(flags, streamId, length)
    case PUSH_PROMISE:
      return 'unexpected push promise frame'
    case PING:
      if (streamId !== 0) return `ping frame with non-zero stream id: ${streamId}`
      if (length !== 8) return `ping frame with invalid length: ${length}`
      // Nobody has asked.
      return flags & ACK ? 'ping frame with ack flag' : ''
    case GOAWAY:
      if (streamId !== 0) return `goaway frame with non-zero stream id: ${streamId}`
      return length < 8 ? `goaway frame with invalid length: ${length}` : ''
    case WINDOW_UPDATE:
      if (length !== 4) return `window update frame with invalid length: ${length}`
      return readStreamId(bytes, start) === 0 ? 'window update frame with zero increment' : ''
    case RST_STREAM:
      return length !== 4 ? `rst stream frame with invalid length: ${length}` : ''
    default:
      return ''
  }
}

function settingsFault(flags: number, streamId: number, length: number): string {
  if (streamId !== 0) return `settings frame with non-zero stream id: ${streamId}`
  if (flags & ACK) {
    return length > 0 ? `settings frame with ack flag and non-zero length: ${length}` : ''
  }
  return length % 6 !== 0 ? `settings frame with invalid length: ${length}` : ''
}

/** The same of one setting of a backend (section 6.5.2). */
export function settingFault(id: number, value: number): string {
  if (id === SETTINGS_ENABLE_PUSH && value !== 0) return `settings frame with push enabled: ${value}`
  if (id === SETTINGS_MAX_FRAME_SIZE && (value < DEFAULT_FRAME_SIZE || value > LARGEST_FRAME_SIZE)) {
    return `settings frame with invalid frame size: ${value}`
  }
  if (id === SETTINGS_INITIAL_WINDOW_SIZE && value > LARGEST_WINDOW) return tooLargeWindow(value)
  return ''
}

/** The words for a SETTINGS_INITIAL_WINDOW_SIZE of `value`. */
export function tooLargeWindow(value: number): string {
  return `settings frame with too large initial window size: ${value}`
}

/** What is wrong with a header block, as the decoder has it, in the words that nginx has for backends. */
export function blockFault(error: string): string {
  if (error === 'zero hpack table index') return 'invalid http2 table index: 0'
  if (error === 'header block with incorrect length') return 'truncated http2 header'
  if (error === 'invalid encoded header field') return 'invalid encoded header'
  return error
    .replace('hpack table index ', 'http2 table index: ')
    .replace('table size update: ', 'http2 dynamic table size update: ')
}
