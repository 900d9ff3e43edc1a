// WebSocket frames (RFC 6455 section 5.2) as the bench needs them: one frame a message, payloads below 126 bytes.

import { createHash } from 'node:crypto'

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const TEXT = 0x81
const MASKED = 0x80

/** What a server answers `Sec-WebSocket-Key` with. */
export function acceptKey(key: string): string {
  return createHash('sha1')
    .update(key + GUID)
    .digest('base64')
}

/** A text frame as clients send it. */
export function clientFrame(payload: Buffer, mask: Buffer): Buffer {
  const masked = Buffer.from(payload)
  for (let index = 0; index < masked.length; index++) masked[index]! ^= mask[index & 3]!
  return Buffer.concat([Buffer.from([TEXT, MASKED | payload.length]), mask, masked])
}

/** The same as servers send it. */
export function serverFrame(payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from([TEXT, payload.length]), payload])
}

/** The echoes of all whole client frames at the start of `bytes`, and how many bytes those frames take. */
export function echoes(bytes: Buffer): { frames: Buffer; used: number } {
  const frames: Buffer[] = []
  let used = 0
  while (used + 6 <= bytes.length) {
    const length = bytes[used + 1]! & 0x7f
    const end = used + 6 + length
    if (end > bytes.length) break
    const frame = Buffer.allocUnsafe(2 + length)
    frame[0] = bytes[used]!
    frame[1] = length
    for (let index = 0; index < length; index++) {
      frame[2 + index] = bytes[used + 6 + index]! ^ bytes[used + 2 + (index & 3)]!
    }
    frames.push(frame)
    used = end
  }
  return { frames: frames.length === 1 ? frames[0]! : Buffer.concat(frames), used }
}
