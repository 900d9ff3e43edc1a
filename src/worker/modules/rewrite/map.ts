// `map`: a variable whose value is chosen by the value of others. Entries are settled when the configuration is built:
// texts in one table, host name wildcards in two, regular expressions in their order.

import type { BuildContext } from '../../../shared/conf/build.ts'
import { HTTP, type Setter } from '../../../shared/conf/command.ts'
import type { Directive } from '../../../shared/conf/directive.ts'
import { asciiLower } from '../../../shared/latin1.ts'
import { type ComplexValue, compileValue } from '../../http/complex-value.ts'
import { defineModule } from '../../http/module.ts'
import { compileRegex, matchRegex, type Regex, RegexLimitError } from '../../http/regex.ts'
import type { Request } from '../../http/request.ts'
import { declareVariable } from '../../http/variables.ts'
import { HostNames } from './host-names.ts'

export const map = defineModule<Record<string, never>>({
  name: 'map',
  commands: [{ name: 'map', in: HTTP, args: 2, block: 'raw', repeat: true, set: addMap }],
})

/** The entries of one map. */
class MapTable {
  /** By text, lower case. */
  readonly #texts = new Map<string, ComplexValue>()
  #hostNames: HostNames<ComplexValue> | null = null
  readonly #regexes: { regex: Regex; value: ComplexValue }[] = []
  #fallback: ComplexValue | null = null
  volatile = false

  /** Adds what one line of the block says. */
  add(entry: Directive, context: BuildContext): void {
    const [argument] = entry.args
    if (argument === undefined && entry.name === 'hostnames') this.#hostNames ??= new HostNames(this.#texts)
    else if (argument === undefined && entry.name === 'volatile') this.volatile = true
    else if (argument === undefined || entry.args.length > 1) {
      context.error('invalid number of the map parameters')
    } else this.#addEntry(entry.name, compileValue(argument, context), context)
  }

  #addEntry(key: string, value: ComplexValue, context: BuildContext): void {
    if (key === 'default') {
      if (this.#fallback !== null) context.error('duplicate default map parameter')
      this.#fallback = value
    } else if (key.startsWith('~')) {
      const ignoreCase = key.startsWith('~*')
      const regex = compileRegex(key.slice(ignoreCase ? 2 : 1), ignoreCase, context)
      this.#regexes.push({ regex, value })
    } else this.#addText(key.startsWith('\\') ? key.slice(1) : key, value, context)
  }

  #addText(key: string, value: ComplexValue, context: BuildContext): void {
    const lower = asciiLower(key)
    if (this.#hostNames !== null) {
      const added = this.#hostNames.add(lower, value)
      if (added === 'invalid') context.error(`invalid hostname or wildcard "${key}"`)
      if (added === 'conflict') context.error(`conflicting parameter "${lower}"`)
      return
    }
    if (this.#texts.has(lower)) context.error(`conflicting parameter "${lower}"`)
    this.#texts.set(lower, value)
  }

  /** The value for `source`; '' where there is neither an entry for it nor a default. */
  evaluate(r: Request, source: string): string {
    const text = this.#hostNames !== null && source.endsWith('.') ? source.slice(0, -1) : source
    const value = this.#find(r, text) ?? this.#fallback
    return value === null ? '' : (value.constant ?? value.evaluate(r))
  }

  #find(r: Request, text: string): ComplexValue | null {
    const exact = this.#texts.get(text)
    if (exact !== undefined) return exact
    const lower = asciiLower(text)
    const found = lower === text ? undefined : this.#texts.get(lower)
    return found ?? this.#hostNames?.find(lower) ?? this.#findRegex(r, text)
  }

  #findRegex(r: Request, text: string): ComplexValue | null {
    if (text === '') return null
    try {
      for (const { regex, value } of this.#regexes) if (matchRegex(r, regex, text)) return value
    } catch (error) {
      // As when nginx's matching fails: the default is the value.
      if (!(error instanceof RegexLimitError)) throw error
      r.log('alert', error.message)
    }
    return null
  }
}

function addMap(...[directive, context]: Parameters<Setter>): true {
  const [text, target] = directive.args as [string, string]
  const source = compileValue(text, context)
  if (!target.startsWith('$')) context.error(`invalid variable name "${target}"`)
  const variable = declareVariable(context, target.slice(1))
  const table = new MapTable()
  variable.define((r) => table.evaluate(r, source.evaluate(r)))
  for (const entry of directive.block!) {
    context.directive = entry
    if (entry.block !== null) context.error('unexpected "{"')
    table.add(entry, context)
  }
  context.directive = directive
  if (table.volatile) variable.volatile = true
  return true
}
