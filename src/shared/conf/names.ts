import { ConfError, type Directive } from './directive.ts'
export function unknownDirective(directive: Directive, _known: Iterable<string>): ConfError {
  return new ConfError(`unknown directive "${directive.name}"`, directive)
}
