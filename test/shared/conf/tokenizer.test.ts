import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { COMMAND_LINE, ConfError } from '../../../src/shared/conf/directive.ts'
import { type Statement, Tokenizer } from '../../../src/shared/conf/tokenizer.ts'

function statements(text: string, file = 'a.conf'): Statement[] {
  const tokenizer = new Tokenizer(text, file)
  const all: Statement[] = []
  for (;;) {
    const statement = tokenizer.next()
    if (statement.type === 'end') return all
    all.push(statement)
  }
}

/** The words of each statement; `{` is added where one opens a block, `}` stands for a closing brace. */
function words(text: string): string[][] {
  return statements(text).map((statement) => {
    if (statement.type !== 'directive') return ['}']
    return statement.opensBlock ? [...statement.words, '{'] : statement.words
  })
}

function messageOf(text: string, file?: string): string {
  try {
    statements(text, file)
  } catch (error) {
    expect(error).toBeInstanceOf(ConfError)
    return (error as ConfError).message
  }
  return 'no error'
}

describe('words', () => {
  it.each([
    ['a b c;', [['a', 'b', 'c']]],
    ['a;b;', [['a'], ['b']]],
    ['a\t\r\n b \n;', [['a', 'b']]],
    ['a { b; }', [['a', '{'], ['b'], ['}']]],
    ['a{b;}', [['a', '{'], ['b'], ['}']]],
    ['a b} c;', [['a', 'b}', 'c']]],
    ['', []],
    [' \n\t', []],
  ])('%j are separated by white space, ; and {', (text, expected) => {
    expect(words(text)).toEqual(expected)
  })

  it.each([
    ['# all of it', []],
    ['#;{}"\na;', [['a']]],
    ['a # not this\n b;', [['a', 'b']]],
    ['a b#c;', [['a', 'b#c']]],
    ['a \'#\' "#";', [['a', '#', '#']]],
  ])('comment in %j lasts to the end of the line', (text, expected) => {
    expect(words(text)).toEqual(expected)
  })

  it.each([
    ['a "b c;{}#" d;', [['a', 'b c;{}#', 'd']]],
    ['a \'b "c"\' ;', [['a', 'b "c"']]],
    ['a "" \'\';', [['a', '', '']]],
    ['"a" "b"{', [['a', 'b', '{']]],
    ['a b"c";', [['a', 'b"c"']]],
    ['a "b\nc";', [['a', 'b\nc']]],
    ['if ($a = "b") {', [['if', '($a', '=', 'b', ')', '{']]],
    ['a "b")c;', [['a', 'b', ')c']]],
  ])('quotes in %j hold a word together', (text, expected) => {
    expect(words(text)).toEqual(expected)
  })

  it.each([
    ['a \\t\\r\\n;', [['a', '\t\r\n']]],
    ['a "\\t\\"\\\'\\\\";', [['a', '\t"\'\\']]],
    ['a \\"b\\";', [['a', '"b"']]],
    ['a b\\ c;', [['a', 'b\\ c']]],
    ['a \\;b;', [['a', '\\;b']]],
    ['a \\.php$;', [['a', '\\.php$']]],
    ['a \\\\t;', [['a', '\\t']]],
    ['a "\\$\\d";', [['a', '\\$\\d']]],
  ])('escapes in %j', (text, expected) => {
    expect(words(text)).toEqual(expected)
  })

  it.each([
    // biome-ignore lint/suspicious/noTemplateCurlyInString: nginx's variables look like that
    ['a ${b}c;', [['a', '${b}c']]],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: nginx's variables look like that
    ['a x${b}{', [['a', 'x${b}', '{']]],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: nginx's variables look like that
    ['a "${b}";', [['a', '${b}']]],
    ['a $b{', [['a', '$b', '{']]],
    ['a b{c;', [['a', 'b', '{'], ['c']]],
  ])('braces of variables in %j open no block', (text, expected) => {
    expect(words(text)).toEqual(expected)
  })

  it('lines are those where a statement ends', () => {
    const lines = statements('a\nb;\n\nc "\n" {\n}\n').map((statement) => statement.line)
    expect(lines).toEqual([2, 5, 6])
  })
})

describe('errors', () => {
  it.each([
    [';', 'unexpected ";" in a.conf:1'],
    ['a;\n;', 'unexpected ";" in a.conf:2'],
    ['{', 'unexpected "{" in a.conf:1'],
    ['a }', 'unexpected "}" in a.conf:1, is a ";" missing at the end of "a"?'],
    ['a "b"c;', 'unexpected "c" in a.conf:1'],
    ['a "b"};', 'unexpected "}" in a.conf:1'],
    ['a "b"#\n;', 'unexpected "#" in a.conf:1'],
    ['a', 'unexpected end of file, expecting ";" or "}" in a.conf:1'],
    ['a\n', 'unexpected end of file, expecting ";" or "}" in a.conf:2'],
    ['a "b', 'unexpected end of file, expecting ";" or "}" in a.conf:1'],
    ['a "b"', 'unexpected end of file, expecting ";" or "}" in a.conf:1'],
    ['a "b\\', 'unexpected end of file, expecting ";" or "}" in a.conf:1'],
    ['a \\', 'unexpected end of file, expecting ";" or "}" in a.conf:1'],
  ])('%j: %s', (text, message) => {
    expect(messageOf(text)).toBe(message)
  })

  it('a parameter of 4095 bytes fits the buffer, one of 4096 does not', () => {
    expect(messageOf(`a\n${'x'.repeat(4095)};`)).toBe('no error')
    expect(messageOf(`a\n${'x'.repeat(4096)};`)).toBe(
      'too long parameter "xxxxxxxxxx..." started in a.conf:2',
    )
  })

  it('an endless quoted parameter names the quote and the line it began in', () => {
    const long = '\nx'.repeat(3000)
    const message = (quote: string) =>
      `too long parameter, probably missing terminating "${quote}" character in a.conf:2`
    expect(messageOf(`\na "${long}`)).toBe(message('"'))
    expect(messageOf(`\na '${long}`)).toBe(message("'"))
  })

  it('a comment longer than the buffer is too long as well', () => {
    expect(messageOf(`#${'x'.repeat(4095)}\na;`)).toBe(
      'too long parameter "#xxxxxxxxx..." started in a.conf:1',
    )
    expect(messageOf(`#${'x'.repeat(4094)}\na;`)).toBe('no error')
  })

  it('on the command line there is no line, no limit, and a parameter instead of a file', () => {
    expect(messageOf('a', COMMAND_LINE)).toBe('unexpected end of parameter, expecting ";" in command line')
    expect(messageOf(`a ${'x'.repeat(5000)};`, COMMAND_LINE)).toBe('no error')
  })
})

describe('any text', () => {
  const pieces = fc.constantFrom(...'ab {}$();#"\'\\\t\r\n\xe9', 'proxy_pass', '$', '"x"', ' { ', '; ')
  const texts = fc.oneof(
    fc.string(),
    fc.array(pieces, { maxLength: 60 }).map((parts) => parts.join('')),
  )

  it('ends in statements or a ConfError', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const tokenizer = new Tokenizer(text, 'a.conf')
        try {
          for (let count = 0; tokenizer.next().type !== 'end'; count++)
            expect(count).toBeLessThan(text.length)
        } catch (error) {
          expect(error).toBeInstanceOf(ConfError)
        }
      }),
      { numRuns: 1000 },
    )
  })

  it('quoted arguments come back as they were', () => {
    const quote = (word: string) => `"${word.replace(/["\\]/g, '\\$&')}"`
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 30 }), { minLength: 1, maxLength: 5 }), (args) => {
        expect(words(`${args.map(quote).join(' ')};`)).toEqual([args])
      }),
      { numRuns: 1000 },
    )
  })
})
