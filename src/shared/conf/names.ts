// What to say of a directive that weir does not know: nginx's, a module's, or a slip of the pen.

import { ConfError, type Directive } from './directive.ts'
import { nearest } from './nearest.ts'
import { nginxDirectives, type Origin, thirdPartyModules } from './nginx-names.ts'

const unsupported: Record<Origin, (name: string) => string> = {
  nginx: (name) => `the "${name}" directive is not supported by weir yet`,
  'nginx-plus': (name) => `the "${name}" directive of NGINX Plus is not supported by weir yet`,
  stream: (name) =>
    `the "${name}" directive is not supported: weir proxies HTTP only, not TCP and UDP streams`,
  mail: (name) => `the "${name}" directive is not supported: weir proxies HTTP only, not mail`,
}

/** nginx has done away with `ssl on` (1.25.1), which many guides still have. */
const USE_LISTEN = ', use "listen ... ssl" instead'

const BYTE_ORDER_MARK = '\xef\xbb\xbf'

/** The error for a directive whose name is none of `known`, the names weir has. */
export function unknownDirective(directive: Directive, known: Iterable<string>): ConfError {
  const { name } = directive
  const origin = nginxDirectives.get(name)
  if (name === 'ssl') return new ConfError('unknown directive "ssl"', directive, USE_LISTEN)
  if (origin !== undefined) return new ConfError(unsupported[origin](name), directive)
  return new ConfError(`unknown directive "${name}"`, directive, hint(name, [...known]))
}

function hint(name: string, known: string[]): string {
  const [, module] = thirdPartyModules.find(([shape]) => shape.test(name)) ?? []
  if (module !== undefined) return `, it belongs to ${module}, a third-party module that weir does not have`
  if (name.startsWith(BYTE_ORDER_MARK)) return ', the file begins with a UTF-8 byte order mark'
  const similar = nearest(name, known) ?? nearest(name, nginxDirectives.keys())
  return similar === null ? '' : `, did you mean "${similar}"?`
}
