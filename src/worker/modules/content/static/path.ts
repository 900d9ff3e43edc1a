// `root` and `alias`: the file that a URI stands for. Paths are latin1, one character a byte, as URIs are; `fileName`
// makes of one what Node's file functions take.

import { realpathSync } from 'node:fs'
import type { BuildContext, Scope } from '../../../../shared/conf/build.ts'
import { HTTP_ANY, IF_IN_LOCATION, LOCATION, type Setter } from '../../../../shared/conf/command.ts'
import { errnoText } from '../../../../shared/errno.ts'
import { type ComplexValue, compileValue } from '../../../http/complex-value.ts'
import { locationConf } from '../../../http/location-conf.ts'
import { defineModule, type Module } from '../../../http/module.ts'
import type { Request } from '../../../http/request.ts'

interface PathConf {
  /** Settled by `finish`. */
  mapping: PathMapping
}

/** All of the URI is replaced: an `alias` in a location given by a regular expression. */
export const WHOLE = -1

/** What one `root` or `alias` says. */
export class PathMapping {
  /** The folder where no variable stands in it, else null. */
  readonly fixed: string | null
  /** How much of the URI's beginning the folder stands for: 0 for `root`, WHOLE. */
  readonly replaced: number
  readonly #folder: ComplexValue
  readonly #prefix: string
  /** The location's argument, for messages. */
  readonly #location: string
  /** The folder itself goes up and is trusted to. */
  readonly #climbs: boolean

  constructor(folder: ComplexValue, climbs: boolean, replaced: number, prefix: string, location: string) {
    this.fixed = folder.constant
    this.replaced = replaced
    this.#folder = folder
    this.#prefix = prefix
    this.#location = location
    this.#climbs = climbs
  }

  get isAlias(): boolean {
    return this.replaced !== 0
  }

  /** `$document_root`. */
  root(r: Request): string {
    if (this.fixed !== null) return this.fixed
    const path = this.#folder.evaluate(r)
    return path.startsWith('/') ? path : this.#prefix + path
  }

  /** The path of `r.uri`; null, with a message in the log, where it has none. */
  map(r: Request): string | null {
    const { replaced, fixed } = this
    if (replaced !== 0 && !r.locationValid) {
      const name = this.#location
      r.log('alert', `"alias" cannot be used in location "${name}" where URI was rewritten`)
      return null
    }
    const root = fixed ?? this.root(r)
    let path = root
    if (replaced === 0) path += r.uri
    else if (replaced !== WHOLE) path += r.uri.slice(replaced)
    else if (r.uriBehindAlias) path += r.uri
    if (path.includes('/..') && this.#leaves(path, root)) {
      r.log('error', `"${path}" leaves its folder`)
      return null
    }
    return path
  }

  /** URIs have no dot segments, but what is cut from one or put together may: `location /a` with `/a../b`. */
  #leaves(path: string, root: string): boolean {
    const from = this.fixed !== null && this.replaced !== WHOLE ? Math.max(root.length - 1, 0) : 0
    return (from > 0 || !this.#climbs) && /\/\.\.(?:\/|$)/.test(path.slice(from))
  }
}

export const paths: Module<PathConf> = defineModule<PathConf>({
  name: 'paths',
  commands: [
    { name: 'root', in: HTTP_ANY | IF_IN_LOCATION, args: 1, set: setRoot, repeat: true, inherit: false },
    { name: 'alias', in: LOCATION, args: 1, set: setAlias, repeat: true, inherit: false },
  ],
  finish(conf, scope, context) {
    const own = ownMapping(scope)
    conf.mapping = own ?? scope.parent?.conf(paths)?.mapping ?? defaultMapping(context)
  },
  variables: {
    document_root: documentRoot,
    realpath_root: realpathRoot,
    request_filename: mapUri,
  },
})

/** The path of the file that the request's URI stands for; null, with a message in the log, where there is none. */
export function mapUri(r: Request): string | null {
  return r.conf(paths).mapping.map(r)
}

/** `$document_root`: the folder that files of the request are in. */
export function documentRoot(r: Request): string {
  return r.conf(paths).mapping.root(r)
}

/** Whether `name`, put behind a folder, leads out of it. */
export function climbs(name: string): boolean {
  return name.includes('..') && /(?:^|\/)\.\.(?:\/|$)/.test(name)
}

/** A latin1 path for Node's file functions: names that are not ASCII are bytes, whatever they mean. */
export function fileName(path: string): string | Buffer {
  return /[\x80-\xff]/.test(path) ? Buffer.from(path, 'latin1') : path
}

function realpathRoot(r: Request): string | null {
  const root = documentRoot(r)
  try {
    return realpathSync.native(Buffer.from(root, 'latin1'), 'latin1')
  } catch (error) {
    r.log('crit', `realpath() "${root}" failed (${errnoText(error)})`)
    return null
  }
}

// --- directives

function ownMapping(scope: Scope): PathMapping | undefined {
  const own = scope.own[paths.index]
  return (own?.root ?? own?.alias) as PathMapping | undefined
}

function defaultMapping(context: BuildContext): PathMapping {
  const folder = context.path('html')
  return new PathMapping({ constant: folder, evaluate: () => folder }, false, 0, '', '')
}

function setRoot(...[directive, context]: Parameters<Setter>): PathMapping {
  refuseSecond('root', context)
  const text = directive.args[0]!
  refuseVariables(text, 'root', context)
  const folder = text.endsWith('/') ? text.slice(0, -1) : text
  return mapping(folder, text, 0, context)
}

function setAlias(...[directive, context]: Parameters<Setter>): PathMapping {
  refuseSecond('alias', context)
  const { modifier, pattern, regex } = locationConf(context.scope)
  if (modifier === '@') context.error('the "alias" directive cannot be used inside the named location')
  const text = directive.args[0]!
  refuseVariables(text, 'alias', context)
  return mapping(text, text, regex === null ? pattern.length : WHOLE, context)
}

function mapping(folder: string, written: string, replaced: number, context: BuildContext): PathMapping {
  const absolute = written.startsWith('/') || written.startsWith('$') ? folder : context.path(folder)
  const { scope, options } = context
  const location = scope.kind === LOCATION ? locationConf(scope).pattern : ''
  const climbs = written.includes('..')
  return new PathMapping(compileValue(absolute, context), climbs, replaced, options.prefix, location)
}

/** One folder for a block, whichever of the two names it. */
function refuseSecond(name: 'root' | 'alias', context: BuildContext): void {
  const own = context.scope.own[paths.index]
  if (own?.[name] !== undefined) context.error(`"${name}" directive is duplicate`)
  const other = name === 'root' ? 'alias' : 'root'
  if (own?.[other] !== undefined) {
    context.error(`"${name}" directive is duplicate, "${other}" directive was specified earlier`)
  }
}

function refuseVariables(text: string, directive: string, context: BuildContext): void {
  for (const name of ['document_root', 'realpath_root']) {
    if (text.includes(`$${name}`) || text.includes(`\${${name}}`)) {
      context.error(`the $${name} variable cannot be used in the "${directive}" directive`)
    }
  }
}
