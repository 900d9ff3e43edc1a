// Files -> directive tree, with every `include` resolved. Called by the master only: workers receive the tree.
// Paths and texts are binary strings (one character, one byte), as everything made from them.

import { readFileSync } from 'node:fs'
import { errnoText } from '../errno.ts'
import { COMMAND_LINE, ConfError, type Directive, type Place } from './directive.ts'
import { glob, isPattern } from './glob.ts'
import { type Statement, Tokenizer } from './tokenizer.ts'

/** A configuration file as read, for `-T`. */
export interface SourceFile {
  path: string
  text: string
}

export interface LoadedConfig {
  tree: Directive[]
  /** In the order nginx opens them, each once, the main file first. */
  files: SourceFile[]
}

export interface LoadOptions {
  /** The folder that relative names in `include` start from; ends with a slash. */
  confPrefix: string
  /** The main file's text, where it is not to be read from disk. */
  text?: string
}

/** Blocks and files may nest this deep; nginx ends at about the same depth for want of descriptors. */
const MAX_DEPTH = 256

/**
 * Reads a configuration. Throws ConfError when the main file cannot be read; any later error stands in the tree as a
 * `broken` entry that buildCycle throws in its turn.
 */
export function loadConfig(file: string, options: LoadOptions): LoadedConfig {
  const loader = new Loader(options.confPrefix)
  const tree: Directive[] = []
  loader.load({ path: file, text: options.text ?? readSource(file, null) }, tree)
  return { tree, files: loader.files }
}

/** Parses the text of one `-g` option: simple directives only. Errors stand in the tree, as for `loadConfig`. */
export function parseText(text: string, fileName: string = COMMAND_LINE, confPrefix = ''): Directive[] {
  const tree: Directive[] = []
  new Loader(confPrefix).parse(new Tokenizer(text, fileName), fileName, tree)
  return tree
}

class Loader {
  readonly files: SourceFile[] = []
  readonly #confPrefix: string
  /** Paths of the files being read, outermost first. */
  readonly #open: string[] = []

  constructor(confPrefix: string) {
    this.#confPrefix = confPrefix
  }

  /** Parses a file into `block`; false when it ended in an error. */
  load(source: SourceFile, block: Directive[]): boolean {
    if (!this.files.some((known) => known.path === source.path)) this.files.push(source)
    this.#open.push(source.path)
    const complete = this.parse(new Tokenizer(source.text, source.path), source.path, block)
    this.#open.pop()
    return complete
  }

  /** Adds the directives of a text to `top`; false when it ended in an error, which is then the last entry. */
  parse(tokenizer: Tokenizer, file: string, top: Directive[]): boolean {
    const parents: Directive[] = []
    let block = top
    try {
      for (;;) {
        const statement = tokenizer.next()
        const at = { file, line: statement.line }
        if (statement.type === 'end') {
          if (parents.length > 0) throw new ConfError('unexpected end of file, expecting "}"', at)
          return true
        }
        if (statement.type === 'close') {
          const closed = parents.pop()
          if (closed === undefined) throw new ConfError('unexpected "}"', at)
          closed.endLine = at.line
          block = parents.at(-1)?.block ?? top
          continue
        }
        const directive = toDirective(statement, file)
        if (directive.block !== null) {
          if (file === COMMAND_LINE)
            throw new ConfError('block directives are not supported in -g option', at)
          if (parents.length === MAX_DEPTH) throw new ConfError('blocks are nested too deeply', at)
          block.push(directive)
          parents.push(directive)
          block = directive.block
        } else if (directive.name === 'include' && directive.args.length === 1) {
          if (!this.#include(directive, block)) return false
        } else {
          block.push(directive)
        }
      }
    } catch (error) {
      if (!(error instanceof ConfError)) throw error
      block.push(brokenEntry(error, file))
      return false
    }
  }

  #include(directive: Directive, block: Directive[]): boolean {
    const argument = directive.args[0]!
    const name = argument.startsWith('/') ? argument : this.#confPrefix + argument
    const paths = isPattern(name) ? glob(name) : [name]
    for (const path of paths) {
      if (this.#open.includes(path)) throw new ConfError(`"${path}" includes itself`, directive)
      if (this.#open.length === MAX_DEPTH)
        throw new ConfError('"include" directives are nested too deeply', directive)
      if (!this.load({ path, text: readSource(path, directive) }, block)) return false
    }
    return true
  }
}

function toDirective(statement: Statement & { type: 'directive' }, file: string): Directive {
  const [name, ...args] = statement.words as [string, ...string[]]
  return { name, args, file, line: statement.line, block: statement.opensBlock ? [] : null }
}

function brokenEntry(error: ConfError, file: string): Directive {
  const { reason: broken, hint, line } = error
  return { name: '', args: [], file: error.file ?? file, line, block: null, broken, hint }
}

function readSource(path: string, at: Place | null): string {
  try {
    return readFileSync(Buffer.from(path, 'latin1'), 'latin1')
  } catch (error) {
    // Reading is what fails for a folder; opening it does not.
    const call = (error as NodeJS.ErrnoException).code === 'EISDIR' ? 'pread' : 'open'
    throw new ConfError(`${call}() "${path}" failed (${errnoText(error)})`, at)
  }
}
