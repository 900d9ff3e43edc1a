// What a backend of HTTP/2 may send that it may not send, by path: for weir's own tests, and to compare with nginx.

import type { MakeScript } from './http2-backend.ts'
import {
  continuation,
  data,
  END_HEADERS,
  END_STREAM,
  frame,
  goaway,
  headers,
  PADDED,
  PRIORITY,
  padded,
  ping,
  rstStream,
  settings,
  uint32,
  windowUpdate,
} from './http2-bytes.ts'
import { block, type Field, huffmanString, indexed, indexing, literal, sizeUpdate } from './http2-hpack.ts'

const OPEN = END_HEADERS

/** A head with content to come. */
const head = (stream: number, ...fields: Field[]) =>
  headers(stream, block([':status', '200'], ...fields), OPEN)
const whole = (stream: number, ...fields: Field[]) => headers(stream, block([':status', '200'], ...fields))

/** Sent in place of a head; each ends a request with 502, in nginx too. */
export const HEAD_LIES: Record<string, MakeScript> = {
  '/not-http2': () => ({ bytes: Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), bare: true }),
  '/too-large-frame': (stream) => frame('HEADERS', OPEN, stream, '', 20_000),
  '/data-first': (stream) => data(stream, 'hello'),
  '/unknown-stream': (stream) => whole(stream + 2),
  '/even-stream': (stream) => whole(stream + 1),
  '/continuation-first': (stream) => continuation(stream, block([':status', '200'])),
  '/not-continued': (stream) =>
    Buffer.concat([headers(stream, block([':status', '200']), 0), data(stream, 'hello')]),
  '/continued-elsewhere': (stream) =>
    Buffer.concat([headers(stream, block([':status', '200']), 0), continuation(stream + 2, block())]),
  '/push': (stream) =>
    frame('PUSH_PROMISE', OPEN, stream, Buffer.concat([uint32(2), block([':method', 'GET'])])),
  '/rst': (stream) => rstStream(stream, 'INTERNAL_ERROR'),
  '/rst-no-error': (stream) => rstStream(stream, 'NO_ERROR'),
  '/rst-short': (stream) => frame('RST_STREAM', 0, stream, 'abc'),
  '/goaway-short': () => frame('GOAWAY', 0, 0, 'abcdefg'),
  '/goaway-stream': (stream) => frame('GOAWAY', 0, stream, uint32(1, 0)),
  '/settings-stream': (stream) => frame('SETTINGS', 0, stream),
  '/settings-length': () => frame('SETTINGS', 0, 0, 'abc'),
  '/settings-ack-long': () => frame('SETTINGS', 1, 0, 'abcdef'),
  '/settings-window': () => settings([4, 2 ** 31]),
  '/ping-stream': (stream) => frame('PING', 0, stream, '12345678'),
  '/ping-length': () => ping('1234567'),
  '/ping-ack': () => ping('12345678', 1),
  '/window-length': () => frame('WINDOW_UPDATE', 0, 0, 'abc'),
  '/window-overflow': () => windowUpdate(0, 2 ** 31 - 1),
  '/no-status': (stream) => headers(stream, block(['a', 'b'])),
  '/two-statuses': (stream) => headers(stream, block([':status', '200'], [':status', '200'])),
  '/bad-status': (stream) => headers(stream, block([':status', '2x0'])),
  '/other-pseudo': (stream) => headers(stream, block([':status', '200'], [':path', '/'])),
}

/** Blocks and frames that cannot be read, with nginx's words, behind which it says `upstream sent invalid header` too. */
export const BLOCK_LIES: Record<string, [MakeScript, string]> = {
  '/padding': [
    (stream) => frame('HEADERS', OPEN | PADDED, stream, Buffer.from([200, 0x88])),
    'upstream sent http2 frame with too long padding: 200 in frame 1',
  ],
  '/priority-short': [
    (stream) => frame('HEADERS', OPEN | PRIORITY, stream, 'abc'),
    'upstream sent headers frame with invalid length: 3',
  ],
  '/upper-case': [(stream) => whole(stream, ['X-Upper', 'a']), 'upstream sent invalid header: "X-Upper: a"'],
  '/line-end': [
    (stream) => whole(stream, ['x-split', 'a\r\nb: c']),
    'upstream sent invalid header: "x-split: a\\x0d\\x0ab: c"',
  ],
  '/index-0': [(stream) => headers(stream, indexed(0)), 'upstream sent invalid http2 table index: 0'],
  '/index-dynamic': [
    (stream) => headers(stream, Buffer.concat([block([':status', '200']), indexed(62)])),
    'upstream sent invalid http2 table index: 62',
  ],
  '/truncated': [
    (stream) => headers(stream, literal(':status', '200').subarray(0, 8)),
    'upstream sent truncated http2 header',
  ],
  '/huffman': [
    (stream) =>
      headers(
        stream,
        Buffer.concat([indexed(8), Buffer.from([0, 1, 97]), huffmanString(Buffer.alloc(4, 255))]),
      ),
    'upstream sent invalid encoded header',
  ],
  '/table-size': [
    (stream) => headers(stream, Buffer.concat([sizeUpdate(4096), indexed(8)])),
    'upstream sent invalid http2 dynamic table size update: 4096',
  ],
}

/** Behind a head: the client's response breaks off. */
export const BODY_LIES: Record<string, MakeScript> = {
  '/body/rst': (stream) =>
    Buffer.concat([head(stream), data(stream, 'hel', 0), rstStream(stream, 'INTERNAL_ERROR')]),
  '/body/too-long': (stream) =>
    Buffer.concat([head(stream, ['content-length', '3']), data(stream, 'hello', 0)]),
  '/body/too-short': (stream) =>
    Buffer.concat([head(stream, ['content-length', '9']), data(stream, 'hello')]),
  '/body/padding': (stream) =>
    Buffer.concat([head(stream), frame('DATA', PADDED, stream, Buffer.from([9, 97]))]),
  '/body/no-padding': (stream) => Buffer.concat([head(stream), frame('DATA', PADDED, stream, '')]),
  '/body/other-stream': (stream) => Buffer.concat([head(stream), data(stream + 2, 'hello')]),
  '/body/open-trailers': (stream) =>
    Buffer.concat([head(stream), data(stream, 'hello', 0), headers(stream, block(['a', 'b']), OPEN)]),
  '/body/pseudo-trailer': (stream) =>
    Buffer.concat([head(stream), data(stream, 'hello', 0), headers(stream, block([':status', '200']))]),
  '/body/push': (stream) =>
    Buffer.concat([head(stream), frame('PUSH_PROMISE', OPEN, stream, Buffer.concat([uint32(2), block()]))]),
  '/body/closed': (stream) => ({
    bytes: Buffer.concat([head(stream), data(stream, 'hel', 0)]),
    after: 'end',
  }),
}

/** What weir refuses and nginx puts up with; the words are weir's. */
export const STRICTER: Record<string, [MakeScript, string]> = {
  '/stream-0': [() => whole(0), 'upstream sent frame for unknown stream 0'],
  '/no-settings': [
    (stream) => ({ bytes: whole(stream), bare: true }),
    'upstream sent unexpected http2 frame: 1',
  ],
  '/connection-field': [
    (stream) => whole(stream, ['connection', 'close']),
    'upstream sent invalid header "connection: close"',
  ],
  '/control-character': [
    (stream) => whole(stream, ['x-bell', 'a\x07b']),
    'upstream sent invalid header: "x-bell: a\\x07b"',
  ],
  '/space-in-name': [(stream) => whole(stream, ['x y', 'a']), 'upstream sent invalid header: "x y: a"'],
  '/late-status': [
    (stream) => headers(stream, block(['a', 'b'], [':status', '200'])),
    'upstream sent invalid header ":status: 200"',
  ],
  '/two-lengths': [
    (stream) => whole(stream, ['content-length', '0'], ['content-length', '5']),
    'upstream sent duplicate header line: "content-length: 5", previous value: "content-length: 0"',
  ],
  '/bad-length': [
    (stream) => whole(stream, ['content-length', '-5']),
    'upstream sent invalid "Content-Length" header: "content-length: -5"',
  ],
  '/short-length': [(stream) => whole(stream, ['content-length', '5']), 'upstream prematurely closed stream'],
  '/upgrade': [
    (stream) => headers(stream, block([':status', '101']), OPEN),
    'upstream sent unexpected :status "101"',
  ],
  '/only-interim': [
    (stream) => headers(stream, block([':status', '103'])),
    'upstream prematurely closed stream',
  ],
  '/window-zero': [() => windowUpdate(0, 0), 'upstream sent window update frame with zero increment'],
  '/enable-push': [() => settings([2, 1]), 'upstream sent settings frame with push enabled: 1'],
  '/frame-size': [() => settings([5, 100]), 'upstream sent settings frame with invalid frame size: 100'],
  '/indexing': [
    (stream) => headers(stream, Buffer.concat([indexed(8), indexing('a', 'b'), indexed(62)])),
    'upstream sent invalid http2 table index: 62',
  ],
  '/empty-continuations': [
    (stream) =>
      Buffer.concat([headers(stream, block([':status', '200']), 0), continuation(stream, block(), 0)]),
    'upstream sent too short http2 frame',
  ],
  '/large-head': [(stream) => whole(stream, ['x-large', 'a'.repeat(5000)]), 'upstream sent too big header'],
  '/bomb': [
    (stream) => headers(stream, Buffer.concat([indexed(8), Buffer.alloc(3000, 0x90)])),
    'upstream sent too big header',
  ],
  '/many-fields': [
    (stream) =>
      headers(stream, Buffer.concat([indexed(8), ...Array.from({ length: 1001 }, () => literal('a', ''))])),
    'upstream sent too big header',
  ],
  '/many-interims': [
    (stream) =>
      Buffer.concat(Array.from({ length: 40 }, () => headers(stream, block([':status', '100']), OPEN))),
    'upstream sent too many interim responses',
  ],
}

/** All of the above. */
export const LIES: Record<string, MakeScript> = {
  ...HEAD_LIES,
  ...BODY_LIES,
  ...Object.fromEntries(
    Object.entries({ ...BLOCK_LIES, ...STRICTER }).map(([path, [script]]) => [path, script]),
  ),
}

/** Answers that are in order, and unusual. */
export const ODDITIES: Record<string, MakeScript> = {
  '/plain': (stream) => Buffer.concat([head(stream, ['content-type', 'text/plain']), data(stream, 'hello')]),
  '/empty': (stream) => whole(stream),
  '/no-content': (stream) => headers(stream, block([':status', '204'])),
  '/padded': (stream) =>
    Buffer.concat([
      frame('HEADERS', OPEN | PADDED, stream, padded(block([':status', '200']), 20)),
      frame('DATA', END_STREAM | PADDED, stream, padded('hello', 30)),
    ]),
  '/priority': (stream) =>
    Buffer.concat([
      frame(
        'HEADERS',
        OPEN | PRIORITY,
        stream,
        Buffer.concat([uint32(0), Buffer.from([1]), block([':status', '200'])]),
      ),
      frame('PRIORITY', 0, stream, Buffer.alloc(5)),
      data(stream, 'hello'),
    ]),
  '/continued': (stream) => {
    const fields = block([':status', '200'], ['x-long', 'a'.repeat(1000)])
    return Buffer.concat([
      headers(stream, fields.subarray(0, 5), 0),
      continuation(stream, fields.subarray(5, 500), 0),
      continuation(stream, fields.subarray(500)),
      data(stream, 'hello'),
    ])
  },
  '/interrupted': (stream) =>
    Buffer.concat([
      ping(),
      settings([3, 1]),
      frame(77, 255, stream, 'unknown'),
      head(stream),
      windowUpdate(0, 5),
      data(stream, 'hel', 0),
      ping('abcdefgh'),
      windowUpdate(stream, 5),
      frame('DATA', 0, stream, ''),
      data(stream, 'lo'),
    ]),
  '/interim': (stream) =>
    Buffer.concat([headers(stream, block([':status', '100']), OPEN), head(stream), data(stream, 'hello')]),
  '/trailers': (stream) =>
    Buffer.concat([
      head(stream),
      data(stream, 'hello', 0),
      headers(stream, block(['grpc-status', '0'], ['x-checksum', 'abc'])),
    ]),
  '/early': (stream) => Buffer.concat([head(stream), data(stream, 'hello'), rstStream(stream, 'NO_ERROR')]),
  '/goaway-later': (stream) => Buffer.concat([goaway(stream), head(stream), data(stream, 'hello')]),
  '/status/404': (stream) =>
    Buffer.concat([headers(stream, block([':status', '404']), OPEN), data(stream, 'none')]),
}
