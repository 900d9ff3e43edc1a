// The `location` directive: its argument, checked as nginx checks it.

import type { BuildContext, Scope } from '../../shared/conf/build.ts'
import { LOCATION, type Setter } from '../../shared/conf/command.ts'
import { compileRegex, type Regex } from './regex.ts'

export interface LocationConf {
  modifier: '' | '=' | '^~' | '~' | '~*' | '@'
  /** Prefix, name with its `@`, or source of the regular expression. */
  pattern: string
  regex: Regex | null
  /** The URI without the pattern's last slash is redirected to it: set by the modules that proxy. */
  redirectSlash: boolean
}

const confs = new WeakMap<Scope, LocationConf>()
/** Of each level, the patterns that must not come twice. */
const patterns = new WeakMap<Scope, Set<string>>()

/** What the `location` directive of a location scope says. */
export function locationConf(scope: Scope): LocationConf {
  return confs.get(scope)!
}

/** Setter of `location`. */
export const setLocation: Setter = (directive, context) => {
  const [first, second] = directive.args as [string, string | undefined]
  const conf = second === undefined ? oneArgument(first, context) : twoArguments(first, second, context)
  confs.set(context.scope, conf)
  checkNesting(conf, context)
  return conf
}

function oneArgument(argument: string, context: BuildContext): LocationConf {
  // nginx also takes the modifier without a blank behind it.
  const match = /^(=|\^~|~\*|~)(.+)$/s.exec(argument)
  if (match !== null) return twoArguments(match[1]!, match[2]!, context)
  return {
    modifier: argument.startsWith('@') ? '@' : '',
    pattern: argument,
    regex: null,
    redirectSlash: false,
  }
}

function twoArguments(modifier: string, pattern: string, context: BuildContext): LocationConf {
  if (modifier === '=' || modifier === '^~') return { modifier, pattern, regex: null, redirectSlash: false }
  if (modifier === '~' || modifier === '~*') {
    return {
      modifier,
      pattern,
      regex: compileRegex(pattern, modifier === '~*', context),
      redirectSlash: false,
    }
  }
  context.error(`invalid location modifier "${modifier}"`)
}

function checkNesting(conf: LocationConf, context: BuildContext): void {
  const { parent } = context.scope
  if (parent?.kind === LOCATION) {
    const outer = locationConf(parent)
    const name = `location "${conf.pattern}"`
    if (outer.modifier === '=') {
      context.error(`${name} cannot be inside the exact location "${outer.pattern}"`)
    }
    if (outer.modifier === '@')
      context.error(`${name} cannot be inside the named location "${outer.pattern}"`)
    if (conf.modifier === '@')
      context.error(`named location "${conf.pattern}" can be on the server level only`)
    if (conf.regex === null && outer.regex === null && !conf.pattern.startsWith(outer.pattern)) {
      context.error(`${name} is outside location "${outer.pattern}"`)
    }
  }
  if (conf.regex !== null) return
  const key = conf.modifier === '=' ? `= ${conf.pattern}` : conf.pattern
  let siblings = patterns.get(parent!)
  if (siblings === undefined) patterns.set(parent!, (siblings = new Set()))
  if (siblings.has(key)) context.error(`duplicate location "${conf.pattern}"`)
  siblings.add(key)
}
