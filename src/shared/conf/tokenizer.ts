// nginx.conf text -> statements: the words of a simple directive or of a block's opening, a closing brace, the end.
// Follows ngx_conf_read_token to the letter, so that a text means the same here and there, errors and all. Text is a
// binary string: one character is one byte of the file.

import { COMMAND_LINE, ConfError, missing } from './directive.ts'

/** One step of the text. `line` is where it ended, the line nginx names in messages. */
export type Statement =
  | { type: 'directive'; words: string[]; opensBlock: boolean; line: number }
  | { type: 'close'; line: number }
  | { type: 'end'; line: number }

/** nginx reads through a buffer of this size, which one parameter (or comment) has to fit in. */
const BUFFER_SIZE = 4096

const END = -1
const TAB = 9
const LF = 10
const CR = 13
const SPACE = 32
const DOUBLE_QUOTE = 34
const SHARP = 35
const DOLLAR = 36
const SINGLE_QUOTE = 39
const CLOSE_PAREN = 41
const SEMICOLON = 59
const BACKSLASH = 92
const OPEN_BRACE = 123
const CLOSE_BRACE = 125

/** Reads one file, or the text of a `-g` option (`file` is then COMMAND_LINE). */
export class Tokenizer {
  readonly #text: string
  readonly #file: string
  #pos = 0
  #line = 1
  /** Where nginx's buffer must reach back to: the word or comment being read, or the last one read. */
  #start = 0
  #startLine = 1
  /** The quote of the word being read, or 0. */
  #quote = 0

  constructor(text: string, file: string) {
    this.#text = text
    this.#file = file
  }

  /** The next statement; after the text's end always `end`. Throws ConfError. */
  next(): Statement {
    const words: string[] = []
    this.#mark(this.#pos)
    for (;;) {
      const code = this.#skipGap()
      if (code === END) {
        if (words.length > 0) this.#unexpectedEnd()
        return { type: 'end', line: this.#line }
      }
      if (code === CLOSE_BRACE) {
        if (words.length > 0) this.#unexpected(code, missing(`at the end of "${words[0]}"`))
        return { type: 'close', line: this.#line }
      }
      const isQuote = code === DOUBLE_QUOTE || code === SINGLE_QUOTE
      const terminator =
        code === SEMICOLON || code === OPEN_BRACE
          ? code
          : isQuote
            ? this.#readQuoted(code, words)
            : this.#readBare(code, words)
      if (terminator !== SEMICOLON && terminator !== OPEN_BRACE) continue
      if (words.length === 0) this.#unexpected(terminator)
      return { type: 'directive', words, opensBlock: terminator === OPEN_BRACE, line: this.#line }
    }
  }

  /** Reads over white space and comments; returns the first character after them, which `#start` then points to. */
  #skipGap(): number {
    for (;;) {
      let code = this.#read()
      if (code === END) return END
      this.#mark(this.#pos - 1)
      if (code === SHARP) {
        while (code !== LF && code !== END) code = this.#read()
        if (code === LF) this.#mark(this.#pos - 1)
      } else if (!isSpace(code)) {
        return code
      }
    }
  }

  /** Reads a word without quotes that began with `code`; returns the character that ended it. */
  #readBare(code: number, words: string[]): number {
    let afterDollar = code === DOLLAR
    if (code === BACKSLASH) this.#read()
    for (;;) {
      code = this.#read()
      if (code === END) this.#unexpectedEnd()
      // The brace of `${name}` opens no block.
      if (code === OPEN_BRACE && afterDollar) continue
      afterDollar = code === DOLLAR
      if (code === BACKSLASH) {
        this.#read()
      } else if (isSpace(code) || code === SEMICOLON || code === OPEN_BRACE) {
        words.push(decodeEscapes(this.#text.slice(this.#start, this.#pos - 1)))
        return code
      }
    }
  }

  /** Reads a word up to its closing `quote`; returns the character after it: white space, `;`, `{` or `)`. */
  #readQuoted(quote: number, words: string[]): number {
    this.#start++
    this.#quote = quote
    for (let code = this.#read(); code !== quote; code = this.#read()) {
      if (code === BACKSLASH) this.#read()
      else if (code === END) this.#unexpectedEnd()
    }
    this.#quote = 0
    words.push(decodeEscapes(this.#text.slice(this.#start, this.#pos - 1)))
    const code = this.#read()
    if (code === END) this.#unexpectedEnd()
    if (isSpace(code) || code === SEMICOLON || code === OPEN_BRACE) return code
    // `if ($a = "b")`: the parenthesis begins a word of its own.
    if (code !== CLOSE_PAREN) this.#unexpected(code)
    this.#pos--
    return code
  }

  #read(): number {
    if (this.#pos >= this.#text.length) return END
    if (this.#pos - this.#start === BUFFER_SIZE && this.#file !== COMMAND_LINE) this.#tooLong()
    const code = this.#text.charCodeAt(this.#pos++)
    if (code === LF) this.#line++
    return code
  }

  #mark(position: number): void {
    this.#start = position
    this.#startLine = this.#line
  }

  #unexpected(code: number, hint = ''): never {
    this.#fail(`unexpected "${String.fromCharCode(code)}"`, hint)
  }

  #unexpectedEnd(): never {
    this.#fail(
      this.#file === COMMAND_LINE
        ? 'unexpected end of parameter, expecting ";"'
        : 'unexpected end of file, expecting ";" or "}"',
    )
  }

  #tooLong(): never {
    this.#line = this.#startLine
    if (this.#quote === 0) {
      this.#fail(`too long parameter "${this.#text.slice(this.#start, this.#start + 10)}..." started`)
    }
    const quote = String.fromCharCode(this.#quote)
    this.#fail(`too long parameter, probably missing terminating "${quote}" character`)
  }

  #fail(message: string, hint = ''): never {
    throw new ConfError(message, { file: this.#file, line: this.#line }, hint)
  }
}

function isSpace(code: number): boolean {
  return code === SPACE || code === LF || code === TAB || code === CR
}

const escapes: Record<string, string> = { t: '\t', r: '\r', n: '\n' }

/** Other escaped characters keep their backslash: regular expressions need it. */
function decodeEscapes(word: string): string {
  if (!word.includes('\\')) return word
  return word.replace(/\\(["'\\trn])/g, (_, letter: string) => escapes[letter] ?? letter)
}
