// Regular expressions: against V8 where both must agree, against what PCRE2 10.42 answers, and against patterns and
// texts made to hold a worker.

import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildCycle } from '../../../src/shared/conf/build.ts'
import { parseText } from '../../../src/shared/conf/parser.ts'
import { Regex, RegexLimitError } from '../../../src/worker/http/regex.ts'
import { modules } from '../../../src/worker/modules.ts'
import { serverConf, TestEngine } from '../../support/engine.ts'
import { rawRequest } from '../../support/raw-client.ts'
import { eventually } from '../../support/wait.ts'

function found(pattern: string, text: string, ignoreCase = false): (string | null)[] | null {
  const match = new Regex(pattern, ignoreCase).exec(text)
  return match === null ? null : [...match].map((capture) => capture ?? null)
}

/** Patterns of the part of the language in which JavaScript and PCRE agree. */
const { pattern } = fc.letrec<{ pattern: string; branch: string; item: string; atom: string }>((tie) => ({
  pattern: fc.array(tie('branch'), { minLength: 1, maxLength: 2 }).map((branches) => branches.join('|')),
  branch: fc.array(tie('item'), { minLength: 1, maxLength: 3 }).map((items) => items.join('')),
  item: fc
    .tuple(tie('atom'), fc.constantFrom('', '', '', '*', '+', '?', '{1,2}', '*?', '+?', '??', '{2}'))
    .map(([atom, quantifier]) => atom + quantifier),
  atom: fc.oneof(
    { maxDepth: 2, depthIdentifier: 'pattern', withCrossShrink: true },
    fc.constantFrom('a', 'b', '/', '.', '\\d', '\\w', '[ab]', '[^a]', '\\.', '[a-z]', '\\S'),
    tie('pattern').map((inner) => `(${inner})`),
    tie('pattern').map((inner) => `(?:${inner})`),
    tie('pattern').map((inner) => `(?=${inner})b`),
    tie('pattern').map((inner) => `(?!${inner})b`),
  ),
}))
const text = fc.string({
  unit: fc.constantFrom('a', 'b', 'c', '1', '/', '.', ' ', '\n', '\xe9'),
  maxLength: 12,
})

describe('our own matcher', () => {
  it('finds what V8 finds where V8 is used', () => {
    let compared = 0
    fc.assert(
      fc.property(pattern, fc.array(text, { minLength: 1, maxLength: 5 }), (source, texts) => {
        const regex = new Regex(source, false)
        if (regex.script === null) return
        for (const subject of texts) {
          compared++
          expect(regex.execSlowly(subject)).toEqual(regex.exec(subject)?.slice() ?? null)
        }
      }),
      { numRuns: 1500 },
    )
    expect(compared).toBeGreaterThan(500)
  })
})

describe('the engine', () => {
  it.each([
    '^/a/(\\d+)$',
    '\\.(jpg|png)$',
    '^(?<name>.+)\\.example\\.com$',
    '^/(?!api/)(.*)$',
    '^/([^/]+)/([^/]+)/(.*)$',
    '(?i)\\.PHP$',
    '^/x(/.*)?$',
  ])('of %s is V8', (source) => {
    expect(new Regex(source, false).script).not.toBeNull()
  })

  it.each(['(a+)+$', '([a-z]+)*$', 'a++b', '(a)\\1', '(?>a)b', '\\((?R)?\\)', '(?:(a)|b)+', '(a|a)*b'])(
    'of %s is ours',
    (source) => {
      expect(new Regex(source, false).script).toBeNull()
    },
  )

  it('of texts too long for V8 is ours, with the same result', () => {
    const source = '^/(.*)/(.*)/(.*)$'
    const subject = `/${'a/'.repeat(2000)}`
    expect(new Regex(source, false).script).not.toBeNull()
    expect(found(source, subject)).toEqual([...new RegExp(source).exec(subject)!])
  })
})

describe('what PCRE2 finds', () => {
  it.each<[string, string, (string | null)[] | null]>([
    ['a$', 'a\n', ['a']],
    ['a\\z', 'a\n', null],
    ['(a)|b\\1', 'b', null],
    ['(?:(a)|b)*', 'ab', ['ab', 'a']],
    ['(a*)*', 'b', ['', '']],
    ['(a*)?', 'b', ['', '']],
    ['[^]a]', ']b', ['b']],
    ['\\s', '\xa0', null],
    ['.', '\r', ['\r']],
    ['a{,2}', 'a{,2}', ['a{,2}']],
    ['(?|(a)|(b))\\1', 'bb', ['bb', 'b']],
    ['(?<=a|bc)d', 'bcd', ['d']],
    ['^(?:(?=(a))a|b)+$', 'ab', ['ab', 'a']],
    ['(\\w)(?:(?R)|x)\\1', 'abxba', ['abxba', 'a']],
    ['a\\Kb', 'ab', ['b']],
    ['(?i)(?-i:a)B', 'Ab', null],
    ['(?J)(?<n>a)|(?<n>b)', 'b', ['b', null, 'b']],
  ])('%s in %j: %j', (source, subject, expected) => {
    expect(found(source, subject)).toEqual(expected)
  })

  it('without regard to case folds letters of ASCII only', () => {
    expect(found('\xe9', '\xc9', true)).toBeNull()
    expect(found('[k]', '\xe2\x84\xaa', true)).toBeNull()
    expect(found('[^k]', 'K', true)).toBeNull()
    expect(found('kA', 'Ka', true)).toEqual(['Ka'])
  })

  it('names groups in lower case', () => {
    expect(new Regex('(?<First>a)(?P<second>b)', false).names).toEqual([
      ['first', 1],
      ['second', 2],
    ])
  })
})

describe('a pattern that weir does not have', () => {
  const refusal = (source: string): string => {
    const conf = `events {} http { access_log off; server { location ~ "${source}" {} } }`
    try {
      buildCycle(parseText(conf, 'nginx.conf'), modules, { prefix: '/p/', confPrefix: '/p/' })
    } catch (error) {
      return (error as Error).message
    }
    return ''
  }

  it.each(['(*UTF8)', '(*UCP)', '(?C', '(*COMMIT)', '\\\\X', '\\\\p'])(
    'is refused by name: %s',
    (construct) => {
      const rest = construct.startsWith('(?') ? ')' : ''
      expect(refusal(`${construct}${rest}a`)).toBe(
        `"${construct.replace('\\\\', '\\')}" in a regular expression is not supported by weir yet in nginx.conf:1`,
      )
    },
  )
})

/** Patterns with a text on which PCRE's way of matching takes for ever. */
const hostile: [source: string, subject: string][] = [
  ['(a+)+$', `${'a'.repeat(8192)}!`],
  ['(a|a)*[bc]', 'a'.repeat(8192)],
  ['(.*)*[xy]', 'a'.repeat(8192)],
  ['([a-z]+)*$', `${'a'.repeat(8192)}!`],
  ['^/(.*)/(.*)/(.*)x$', `${'/'.repeat(8192)}x!`],
  ['^(a?){30}a{30}$', 'a'.repeat(8192)],
  ['(x+x+)+[yz]', 'x'.repeat(8192)],
  ['^(?=(.*a)*b)', 'a'.repeat(8192)],
  ['(a(?R)?a)+[bc]', 'a'.repeat(8192)],
  ['(\\w+)\\s+\\1', 'a'.repeat(8192)],
]

describe('a match that would take too long', () => {
  it.each(hostile)('of %s is given up as PCRE2 does', (source, subject) => {
    let error: unknown = null
    try {
      new Regex(source, false).exec(subject)
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(RegexLimitError)
    expect((error as Error).message).toBe(`pcre2_match() failed: -47 on "${subject}" using "${source}"`)
  })

  it('of a call that leads to itself is an error', () => {
    expect(() => new Regex('(a|(?1)a)+[cd]', false).exec('b'.repeat(9))).toThrow(
      'pcre2_match() failed: -52 on ',
    )
  })

  it.each(['(a|a)*b', '(.*)*x'])('is not begun where a byte that %s needs is missing', (source) => {
    expect(found(source, 'a'.repeat(8192))).toBeNull()
  })
})

describe('a request whose match is given up', () => {
  let engine: TestEngine

  beforeAll(async () => {
    engine = await TestEngine.start(
      serverConf(
        'location ~ (a+)+$ { return 200 "never"; } location / { return 200 "root"; }',
        // It reads heads by settings of its own, so the name is looked up before there is a request, too.
        'server { listen 127.0.0.1:%PORT%; server_name ~^(b+)+$; underscores_in_headers on; return 200 "host"; }',
      ),
    )
  })
  afterAll(() => engine.stop())

  const request = (target: string, host: string): Promise<{ bytes: Buffer; closed: boolean }> =>
    rawRequest(engine.port, [`GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`], {
      until: 'close',
    })

  it('in the choice of the location gets 500 and an alert, and the worker goes on', async () => {
    const target = `/${'a'.repeat(500)}!`
    const { bytes } = await request(target, 'test')
    expect(bytes.toString('latin1')).toMatch(/^HTTP\/1\.1 500 /)
    await eventually('alert', () =>
      engine.errorLog.includes(`pcre2_match() failed: -47 on "${target}" using "(a+)+$"`),
    )
    expect(engine.errorLog).toContain('[alert]')
    expect((await request('/', 'test')).bytes.toString('latin1')).toMatch(/root$/)
  })

  it('in the choice of the server is closed without an answer, as nginx does', async () => {
    const host = `${'b'.repeat(500)}c`
    const { bytes } = await request('/', host)
    expect(bytes.length).toBe(0)
    await eventually('alert', () =>
      engine.errorLog.includes(`pcre2_match() failed: -47 on "${host}" using "^(b+)+$"`),
    )
    expect((await engine.logged(3)).join('\n')).toContain('500 GET / 0')
    expect((await request('/', 'test')).bytes.toString('latin1')).toMatch(/root$/)
  })
})
