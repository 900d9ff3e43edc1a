// Where an HTTP/1 message ends in a run of bytes: lenient on purpose, for the tests' own client and backend only.

const HEAD_END = '\r\n\r\n'

/** Bytes of the first request in `bytes`, or null while it is incomplete. */
export function requestLength(bytes: Buffer): number | null {
  const end = bytes.indexOf(HEAD_END)
  if (end < 0) return null
  const head = bytes.toString('latin1', 0, end)
  return bodyEnd(bytes, end + HEAD_END.length, head, 0)
}

/** The method of the request that `bytes` begin with. */
export function requestMethod(bytes: Buffer): string {
  return bytes.toString('latin1', 0, Math.max(0, bytes.indexOf(' ')))
}

/** Bytes of the first final response in `bytes` (with the 1xx before it), or null while more is to come (or the end of the connection is the end of the message). */
export function responseLength(bytes: Buffer, method: string): number | null {
  const end = bytes.indexOf(HEAD_END)
  if (end < 0) return null
  const start = end + HEAD_END.length
  const head = bytes.toString('latin1', 0, end)
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1])
  if (status === 101) return start
  if (status < 200) {
    const rest = responseLength(bytes.subarray(start), method)
    return rest === null ? null : start + rest
  }
  if (method === 'HEAD' || status === 204 || status === 304) return start
  return bodyEnd(bytes, start, head, null)
}

function bodyEnd(bytes: Buffer, start: number, head: string, unframed: 0 | null): number | null {
  if (/\r\ntransfer-encoding:.*chunked/i.test(head)) return chunkedEnd(bytes, start)
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  if (length === undefined) return unframed === null ? null : start
  const end = start + Number(length)
  return bytes.length >= end ? end : null
}

function chunkedEnd(bytes: Buffer, start: number): number | null {
  let position = start
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', position)
    if (lineEnd < 0) return null
    const size = Number.parseInt(bytes.toString('latin1', position, lineEnd), 16)
    if (!(size > 0)) return trailersEnd(bytes, lineEnd + 2)
    position = lineEnd + 2 + size + 2
    if (position > bytes.length) return null
  }
}

function trailersEnd(bytes: Buffer, start: number): number | null {
  if (bytes.toString('latin1', start, start + 2) === '\r\n') return start + 2
  const end = bytes.indexOf(HEAD_END, start)
  return end < 0 ? null : end + HEAD_END.length
}
