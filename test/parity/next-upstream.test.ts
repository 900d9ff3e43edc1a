// `proxy_next_upstream`: each way a server can fail, with each setting that says something about it, for methods that
// may and may not be sent again, and a second server that answers.

import { type Behaviour, describeFailures, type FailureCase, get, put } from './failures.ts'
import { reply, replyWith } from './requests.ts'

const OK = replyWith('200 OK', 'fine')
const slowly = replyWith('200 OK', 'slow')

/** What the first server does, and the word of `proxy_next_upstream` for it. */
type Row = readonly [name: string, behaviour: Behaviour, word: string]

const answering = (status: number): Row => [
  `answers ${status}`,
  replyWith(`${status} No`, 'no', 'X-No: 1'),
  `http_${status}`,
]

const failures: readonly Row[] = [
  ['refuses', 'refuses', 'error'],
  ['resets after the request', { after: 'reset' }, 'error'],
  ['closes after the request', { after: 'end' }, 'error'],
  ['closes within the status line', { bytes: 'HTTP/1.1 20', after: 'end' }, 'error'],
  ['closes within the header', { bytes: 'HTTP/1.1 200 OK\r\nX-A: b', after: 'end' }, 'error'],
  ['resets within the header', { bytes: 'HTTP/1.1 200 OK\r\nX-A: b\r\n', gap: 20, after: 'reset' }, 'error'],
  ['sends a header line that is none', reply('200 OK', ['X A: b']), 'invalid_header'],
  ['sends too big a header', `HTTP/1.1 200 OK\r\nX: ${'b'.repeat(4076)}`, 'invalid_header'],
  [
    'answers in pieces',
    { bytes: [slowly.slice(0, 9), slowly.slice(9, 25), slowly.slice(25)], gap: 5 },
    'timeout',
  ],
  ...[403, 404, 429, 500, 502, 503, 504].map(answering),
  ['answers 501', replyWith('501 No', 'no'), 'http_500'],
]

const slow: readonly Row[] = [
  ['accepts nothing', 'is deaf', 'timeout'],
  ['says nothing', {}, 'timeout'],
  ['says half a header', { bytes: 'HTTP/1.1 200 OK\r\nX-A: b\r\n' }, 'timeout'],
]

const EVERY = 'error timeout invalid_header http_500 http_502 http_503 http_504 http_403 http_404 http_429'

type Setting = readonly [name: string, directive: string]

const settings = (word: string): Setting[] => [
  ['the default', ''],
  ['off', 'proxy_next_upstream off;'],
  [word, `proxy_next_upstream ${word};`],
  [`${word} and non_idempotent`, `proxy_next_upstream ${word} non_idempotent;`],
  ['all but that', `proxy_next_upstream ${EVERY.replace(word, '').trim()};`],
]

function cases(
  rows: readonly Row[],
  sent: readonly string[],
  settingsFor: (word: string) => Setting[],
): FailureCase[] {
  return rows.flatMap(([name, behaviour, word]) =>
    settingsFor(word).flatMap(([setting, directives]) =>
      sent.map((send) => ({
        name: `${name}: ${send.split(' ')[0]} with ${setting}`,
        servers: [behaviour, OK],
        directives,
        send: [send],
      })),
    ),
  )
}

describeFailures('proxy_next_upstream', cases(failures, [get(), put('POST'), put('PUT')], settings))
// These take their time.
describeFailures(
  'proxy_next_upstream, slow servers',
  cases(slow, [get(), put('POST')], (word) => [settings(word)[0]!, settings(word)[1]!, settings(word)[3]!]),
)
