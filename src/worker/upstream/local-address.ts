// The local address that connections to a backend come from: `proxy_bind`.

import type { BuildContext } from '../../shared/conf/build.ts'
import type { Setter } from '../../shared/conf/command.ts'
import { type ComplexValue, compileValue } from '../http/complex-value.ts'
import type { Request } from '../http/request.ts'
import { parseAddress } from './url.ts'

export interface LocalAddress {
  /** As written; connections with the same one may stand in for each other. */
  readonly name: string
  readonly ip: string
  /** 0: any. */
  readonly port: number
}

/** What a `bind` directive says. */
export interface LocalBind {
  /** The address for a request; null: the system chooses. */
  find(r: Request): LocalAddress | null
}

function localAddress(name: string): LocalAddress | null {
  const address = parseAddress(name)
  return address === null ? null : { name, ...address }
}

/** Compiles `text`. An invalid address is an error, at run time one that is only logged, as in nginx. */
export function compileBind(text: string, context: BuildContext): LocalBind {
  const value = compileValue(text, context)
  if (value.constant === null) return { find: (r) => evaluated(r, value) }
  const address = localAddress(value.constant)
  if (address === null) context.error(`invalid address "${text}"`)
  return { find: () => address }
}

/** Setter of `proxy_bind` and its likes; false: `off`. */
export function setBind(...[directive, context]: Parameters<Setter>): LocalBind | false {
  const [address, parameter] = directive.args as [string, string | undefined]
  if (parameter === undefined) return address === 'off' ? false : compileBind(address, context)
  if (parameter !== 'transparent') context.error(`invalid parameter "${parameter}"`)
  return context.error(
    `the "transparent" parameter of the "${directive.name}" directive is not supported by weir: ` +
      'Node.js cannot bind a socket to an address of another machine',
  )
}

function evaluated(r: Request, value: ComplexValue): LocalAddress | null {
  const text = value.evaluate(r)
  if (text === '') return null
  const address = localAddress(text)
  if (address === null) r.log('error', `invalid local address "${text}"`)
  return address
}
