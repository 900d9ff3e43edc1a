// `grpc_pass`: a host and port, an upstream or a unix socket, by `grpc://` (which may be left out) or `grpcs://`.

import type { BuildContext } from '../../../../shared/conf/build.ts'
import { LOCATION, type Setter } from '../../../../shared/conf/command.ts'
import { type ComplexValue, compileValue } from '../../../http/complex-value.ts'
import { locationConf } from '../../../http/location-conf.ts'
import type { Request } from '../../../http/request.ts'
import { parseUpstreamUrl, splitScheme, type UpstreamUrl, type UrlError } from '../../../upstream/url.ts'

/** Where requests are passed to. */
export interface GrpcTarget extends UpstreamUrl {
  /** By TLS: `grpcs://`. */
  readonly secure: boolean
}

/** The argument of `grpc_pass`. */
export interface GrpcPass {
  /** The whole where variables stand in it, else null. */
  readonly value: ComplexValue | null
  /** null with variables. */
  readonly target: GrpcTarget | null
}

/** Only an upstream needs no port: this one is never connected to. */
const NO_PORT = 80

/** Setter of `grpc_pass`. */
export function setGrpcPass(...[directive, context]: Parameters<Setter>): GrpcPass {
  const text = directive.args[0]!
  const location = locationConf(context.scope.within(LOCATION)!)
  if (context.scope.kind === LOCATION && location.pattern.endsWith('/')) location.redirectSlash = true
  if (text.includes('$')) return { value: compileValue(text, context), target: null }
  return { value: null, target: parseConstant(text, context) }
}

function parseConstant(text: string, context: BuildContext): GrpcTarget {
  const target = parse(text)
  if ('error' in target) context.error(`${target.error} in upstream "${withoutScheme(text)}"`)
  return target
}

function parse(text: string): GrpcTarget | UrlError {
  const target = parseUpstreamUrl(withoutScheme(text), NO_PORT, false)
  return 'error' in target ? target : { ...target, secure: splitScheme(text, 'grpc')?.secure === true }
}

function withoutScheme(text: string): string {
  return splitScheme(text, 'grpc')?.rest ?? text
}

/** Where variables lead; null when that is nowhere, which is logged. */
export function evaluateGrpcPass(r: Request, value: ComplexValue): GrpcTarget | null {
  const text = value.evaluate(r)
  const target = parse(text)
  if (!('error' in target)) return target
  r.log('error', `${target.error} in upstream "${withoutScheme(text)}"`)
  return null
}

/** What backends are told the authority is, as nginx has it: with the port where one is written. */
export function grpcHost({ host, path, portText }: UpstreamUrl): string {
  if (path !== null) return 'localhost'
  return portText === '' ? host : `${host}:${portText}`
}

/** What there is no port for, where there is no upstream of that name either. */
export function lacksPort({ path, portText }: UpstreamUrl): boolean {
  return path === null && portText === ''
}
