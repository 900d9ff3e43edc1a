// The reader that cuts the bytes of a connection into frames, cut anywhere itself, and the writers.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  DATA,
  END_STREAM,
  FrameReader,
  type FrameTarget,
  goAwayFrame,
  headerFrames,
  NO_ERROR,
  PADDED,
  PROTOCOL_ERROR,
  pingFrame,
  resetFrame,
  settingsFrame,
  windowUpdateFrame,
} from '../../../src/worker/http2/frames.ts'
import * as raw from '../../support/http2-bytes.ts'

/** Writes down what a reader finds. */
class Recorder implements FrameTarget {
  readonly events: string[] = []
  /** Frames of this type are refused. */
  refuses = -1
  #content = ''

  frameBegins(type: number, flags: number, streamId: number, length: number): number {
    this.events.push(`begin ${type} ${flags} ${streamId} ${length}`)
    this.#content = ''
    return type === this.refuses ? PROTOCOL_ERROR : NO_ERROR
  }

  frame(type: number, flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    this.events.push(`frame ${type} ${flags} ${streamId} ${bytes.toString('latin1', start, end)}`)
  }

  data(streamId: number, flags: number, bytes: Buffer, start: number, end: number, last: boolean): void {
    this.#content += bytes.toString('latin1', start, end)
    if (last) this.events.push(`data ${flags} ${streamId} ${this.#content}`)
  }

  badPadding(length: number, padding: number): void {
    this.events.push(`bad padding ${length} ${padding}`)
  }

  tooLong(type: number, streamId: number, length: number): void {
    this.events.push(`too long ${type} ${streamId} ${length}`)
  }
}

function read(bytes: Buffer, cuts: number[] = []): string[] {
  const recorder = new Recorder()
  const reader = new FrameReader(recorder)
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)
  let start = 0
  for (const end of ends) {
    // In the middle of a larger buffer, as a transport's is.
    const copy = Buffer.concat([Buffer.from('??'), bytes.subarray(start, end), Buffer.from('??')])
    reader.read(copy, 2, copy.length - 2)
    copy.fill(0x7e)
    start = end
  }
  return recorder.events
}

const FRAMES = Buffer.concat([
  raw.settings([3, 100]),
  raw.data(1, 'content', 0),
  raw.frame('DATA', PADDED | END_STREAM, 3, raw.padded('padded', 5)),
  raw.frame('DATA', PADDED, 3, raw.padded('', 3)),
  raw.data(5, ''),
  raw.frame('HEADERS', 4, 0x80000007, 'block'),
  raw.frame(77, 9, 9, 'unknown'),
  raw.settingsAck(),
])

const EVENTS = [
  'begin 4 0 0 6',
  `frame 4 0 0 \x00\x03\x00\x00\x00\x64`,
  'begin 0 0 1 7',
  'data 0 1 content',
  'begin 0 9 3 12',
  'data 9 3 padded',
  'begin 0 8 3 4',
  'data 8 3 ',
  'begin 0 1 5 0',
  'data 1 5 ',
  'begin 1 4 7 5',
  'frame 1 4 7 block',
  'begin 77 9 9 7',
  'frame 77 9 9 unknown',
  'begin 4 1 0 0',
  'frame 4 1 0 ',
]

describe('FrameReader', () => {
  it('gives every frame, without padding and without the reserved bit', () => {
    expect(read(FRAMES)).toEqual(EVENTS)
  })

  it('does so wherever the bytes are cut', () => {
    for (let cut = 0; cut <= FRAMES.length; cut++) expect(read(FRAMES, [cut])).toEqual(EVENTS)
    expect(read(FRAMES, [...FRAMES.keys()])).toEqual(EVENTS)
  })

  it('gives any bytes the same meaning however they are cut, and keeps to their end', () => {
    const bytes = fc.uint8Array({ maxLength: 80 }).map((array) => Buffer.from(array))
    fc.assert(
      fc.property(bytes, fc.array(fc.nat(80), { maxLength: 6 }), (random, cuts) => {
        // Small lengths, so that there is more than one frame.
        for (let at = 0; at + 2 < random.length; at += 12) random.fill(0, at, at + 2)
        expect(read(random, cuts)).toEqual(read(random))
      }),
    )
  })

  it.each([
    ['a length beyond SETTINGS_MAX_FRAME_SIZE', raw.frame('HEADERS', 0, 1, '', 16_385), 'too long 1 1 16385'],
    ['as much padding as payload', raw.frame('DATA', PADDED, 1, '\x03abc'), null],
    ['more padding than payload', raw.frame('DATA', PADDED, 1, '\x04abc'), 'bad padding 4 4'],
    ['padding without payload', raw.frame('DATA', PADDED, 1, ''), 'bad padding 0 0'],
  ])('%s', (_name, bytes, event) => {
    const events = read(Buffer.concat([bytes, raw.settingsAck()]))
    if (event === null) expect(events.at(-1)).toBe('frame 4 1 0 ')
    else expect(events.at(-1)).toBe(event)
  })

  it('stops at a frame that its target refuses, in the middle of the bytes', () => {
    const recorder = new Recorder()
    recorder.refuses = DATA
    const reader = new FrameReader(recorder)
    reader.read(FRAMES, 0, FRAMES.length)
    reader.read(FRAMES, 0, FRAMES.length)
    expect(recorder.events).toEqual(EVENTS.slice(0, 3))
  })

  it('knows whether bytes end where a frame does', () => {
    const reader = new FrameReader(new Recorder())
    const bytes = raw.data(1, 'abc')
    expect(reader.atBoundary).toBe(true)
    for (let at = 0; at < bytes.length; at++) {
      reader.read(bytes, at, at + 1)
      expect(reader.atBoundary).toBe(at === bytes.length - 1)
    }
  })
})

describe('frames', () => {
  const same = (text: string, bytes: Buffer) => expect(Buffer.from(text, 'latin1')).toEqual(bytes)

  it('are those of RFC 9113', () => {
    const settings = [
      [1, 4096],
      [4, 2 ** 31 - 1],
    ] as const
    same(settingsFrame(settings), raw.settings(...settings))
    same(pingFrame(1, 'abcdefgh'), raw.ping('abcdefgh', 1))
    same(resetFrame(2 ** 31 - 1, 8), raw.rstStream(2 ** 31 - 1))
    same(goAwayFrame(7, 1, 'why'), raw.goaway(7, 'PROTOCOL_ERROR', 'why'))
    same(windowUpdateFrame(3, 2 ** 31 - 1), raw.windowUpdate(3, 2 ** 31 - 1))
  })

  it('hold a header block of any length', () => {
    same(headerFrames('block', END_STREAM, 1, 16_384), raw.headers(1, Buffer.from('block')))
    same(
      headerFrames('abcdefg', END_STREAM, 1, 3),
      Buffer.concat([
        raw.headers(1, Buffer.from('abc'), END_STREAM),
        raw.continuation(1, Buffer.from('def'), 0),
        raw.continuation(1, Buffer.from('g')),
      ]),
    )
  })
})
