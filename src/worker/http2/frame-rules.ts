// What can be said against a client's frame by its head alone: lengths and stream identifiers (RFC 9113 section 6), in
// nginx's words.

import {
  ACK,
  CONTINUATION,
  DATA,
  FRAME_SIZE_ERROR,
  GOAWAY,
  HEADERS,
  PING,
  PRIORITY,
  PROTOCOL_ERROR,
  PUSH_PROMISE,
  RST_STREAM,
  SETTINGS,
  WINDOW_UPDATE,
} from './frames.ts'
import type { ConnectionError } from './settings.ts'

const NAMES: readonly string[] = [
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
]

/** Name of a frame type; of an unknown one its number. */
export function frameName(type: number): string {
  return NAMES[type] ?? `type ${type}`
}

/** Payload lengths that may not be other than this. */
const LENGTHS: Readonly<Record<number, number>> = {
  [PRIORITY]: 5,
  [RST_STREAM]: 4,
  [PING]: 8,
  [WINDOW_UPDATE]: 4,
}

const PUSHED: ConnectionError = { code: PROTOCOL_ERROR, reason: 'client sent PUSH_PROMISE frame' }
const LONG_ACK: ConnectionError = {
  code: FRAME_SIZE_ERROR,
  reason: 'client sent SETTINGS frame with the ACK flag and nonzero length',
}

function incorrectLength(type: number, length: number): ConnectionError {
  return {
    code: FRAME_SIZE_ERROR,
    reason: `client sent ${NAMES[type]} frame with incorrect length ${length}`,
  }
}

/** Why a frame ends the connection whatever is in it; null: it does not. */
export function frameFault(
  type: number,
  flags: number,
  streamId: number,
  length: number,
): ConnectionError | null {
  const expected = LENGTHS[type]
  if (expected !== undefined && length !== expected) return incorrectLength(type, length)
  if (type === GOAWAY && length < 8) return incorrectLength(type, length)
  if (type === PUSH_PROMISE) return PUSHED
  if (type === SETTINGS) {
    if ((flags & ACK) !== 0 && length > 0) return LONG_ACK
    if (length % 6 !== 0) return incorrectLength(type, length)
  }
  const aboutStream = type === DATA || type === RST_STREAM || type === PRIORITY
  const aboutConnection = type === SETTINGS || type === PING || type === GOAWAY
  if ((aboutStream && streamId === 0) || (aboutConnection && streamId !== 0)) {
    return { code: PROTOCOL_ERROR, reason: `client sent ${NAMES[type]} frame with incorrect identifier` }
  }
  return null
}

/** Whether frames of a type carry neither requests nor content. */
export function isUseless(type: number): boolean {
  return type !== DATA && type !== HEADERS && type !== CONTINUATION
}
