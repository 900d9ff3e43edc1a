// What a client says of itself in SETTINGS (RFC 9113 section 6.5.2), and what is said to it.

import {
  DEFAULT_FRAME_SIZE,
  FLOW_CONTROL_ERROR,
  LARGEST_FRAME_SIZE,
  LARGEST_WINDOW,
  PROTOCOL_ERROR,
  readUint32,
  SETTINGS_ENABLE_PUSH,
  SETTINGS_INITIAL_WINDOW_SIZE,
  SETTINGS_MAX_CONCURRENT_STREAMS,
  SETTINGS_MAX_FRAME_SIZE,
  settingsFrame,
  windowUpdateFrame,
} from './frames.ts'

/** A reason to end the connection: the code for GOAWAY, and nginx's words for the log. */
export interface ConnectionError {
  code: number
  reason: string
}

/** Whose settings they are. */
export interface SettingsTarget {
  /** Bytes in the payload of a frame that it takes. */
  maxFrameSize(bytes: number): void
  /** The window that each of its streams begins with. An error: a stream's would become too large by it. */
  initialWindow(bytes: number): ConnectionError | null
}

const incorrect = (name: string, value: number, code: number): ConnectionError => ({
  code,
  reason: `client sent SETTINGS frame with incorrect ${name} value ${value}`,
})

/** Takes the settings in `bytes[start, end)`, a multiple of six; null: all is well. */
export function readSettings(
  bytes: Buffer,
  start: number,
  end: number,
  target: SettingsTarget,
): ConnectionError | null {
  for (let at = start; at < end; at += 6) {
    const id = bytes.readUInt16BE(at)
    const value = readUint32(bytes, at + 2)
    if (id === SETTINGS_INITIAL_WINDOW_SIZE) {
      if (value > LARGEST_WINDOW) return incorrect('INITIAL_WINDOW_SIZE', value, FLOW_CONTROL_ERROR)
      const error = target.initialWindow(value)
      if (error !== null) return error
    } else if (id === SETTINGS_MAX_FRAME_SIZE) {
      if (value < DEFAULT_FRAME_SIZE || value > LARGEST_FRAME_SIZE) {
        return incorrect('MAX_FRAME_SIZE', value, PROTOCOL_ERROR)
      }
      target.maxFrameSize(value)
    } else if (id === SETTINGS_ENABLE_PUSH && value > 1) {
      return incorrect('ENABLE_PUSH', value, PROTOCOL_ERROR)
    }
    // The others bind a side that pushes, or that compresses with a table, or are unknown: to be ignored.
  }
  return null
}

let known = ''
let knownFor = ''

/**
 * What a connection begins with: how many streams there may be, how much of each may come before it is asked for; and,
 * as in nginx, the connection itself is no limit beside its streams.
 */
export function firstFrames(maxStreams: number, window: number): string {
  const key = `${maxStreams} ${window}`
  if (key === knownFor) return known
  knownFor = key
  known =
    settingsFrame([
      [SETTINGS_MAX_CONCURRENT_STREAMS, maxStreams],
      [SETTINGS_INITIAL_WINDOW_SIZE, window],
    ]) + windowUpdateFrame(0, LARGEST_WINDOW - 65535)
  return known
}
