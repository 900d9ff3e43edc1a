// The core of http{}: server, location, names and addresses, client timeouts, content types, core variables.

import type { BuildContext } from '../../shared/conf/build.ts'
import { HTTP, HTTP_ANY, LOCATION, SERVER, type Setter } from '../../shared/conf/command.ts'
import { flag } from '../../shared/conf/setters.ts'
import { version } from '../../shared/version.ts'
import { type ComplexValue, compileValue } from '../http/complex-value.ts'
import { addListen, implicitListen, type Listen } from '../http/listen-conf.ts'
import { setLocation } from '../http/location-conf.ts'
import { defineModule } from '../http/module.ts'
import { compileRegex } from '../http/regex.ts'
import { checkListens, type ServerName } from '../http/servers.ts'
import { checkVariables, hostName } from '../http/variables.ts'
import { setCoreServer } from './core-conf.ts'
import { families, variables } from './core-variables.ts'

export interface CoreHttpConf {
  listen: Listen[] | undefined
  serverName: ServerName[]
  /** The Server field and the signature of pages. */
  serverTokens: ComplexValue
  /** Content type by file name extension, lower case. */
  types: ReadonlyMap<string, string>
  defaultType: string
  /** Requests that nothing answers are errors of the log. */
  logNotFound: boolean
  /** Subrequests have lines in access logs too. */
  logSubrequest: boolean
}

const SIGNATURE = `weir/${version}`
const FULL_NAME = { text: SIGNATURE, constant: SIGNATURE, evaluate: () => SIGNATURE }

const DEFAULT_TYPES = new Map([
  ['html', 'text/html'],
  ['gif', 'image/gif'],
  ['jpg', 'image/jpeg'],
])

export const coreHttp = defineModule<CoreHttpConf>({
  name: 'http',
  commands: [
    { name: 'server', in: HTTP, args: 0, block: SERVER, repeat: true, inherit: false, set: () => true },
    {
      name: 'location',
      in: SERVER | LOCATION,
      args: [1, 2],
      block: LOCATION,
      repeat: true,
      inherit: false,
      set: setLocation,
    },
    { name: 'listen', in: SERVER, args: [1, Infinity], repeat: true, set: addListen },
    { name: 'server_name', in: SERVER, args: [1, Infinity], repeat: true, set: addServerNames },
    { name: 'server_tokens', in: HTTP_ANY, args: 1, set: setServerTokens, default: FULL_NAME },
    {
      name: 'types',
      in: HTTP_ANY,
      args: 0,
      block: 'raw',
      repeat: true,
      set: addTypes,
      default: DEFAULT_TYPES,
    },
    { name: 'log_subrequest', in: HTTP_ANY, args: 1, set: flag(), default: false },
    { name: 'log_not_found', in: HTTP_ANY, args: 1, set: flag(), default: true },
    {
      name: 'default_type',
      in: HTTP_ANY,
      args: 1,
      set: (directive) => directive.args[0]!,
      default: 'text/plain',
    },
  ],
  variables,
  families,
  finish(conf, scope, context) {
    if (scope.kind === HTTP) checkVariables(context)
    if (scope.kind === SERVER) {
      setCoreServer(scope, {
        listens: conf.listen ?? [implicitListen(context)],
        names: conf.serverName ?? [{ text: '', regex: null }],
      })
      const last = scope.parent!.children.findLast((child) => child.kind === SERVER)
      if (scope === last) checkListens(scope.parent!.parent!, context)
    }
  },
})

function addServerNames(...[directive, context, previous]: Parameters<Setter>): ServerName[] {
  const names = (previous as ServerName[] | undefined) ?? []
  return [...names, ...directive.args.map((text) => serverName(text, context))]
}

function serverName(text: string, context: BuildContext): ServerName {
  if (text.startsWith('~')) {
    if (text === '~') context.error('empty regex in server name "~"')
    return { text, regex: compileRegex(text.slice(1), /[A-Z]/.test(text), context) }
  }
  if (text.includes('/')) context.warn(`server name "${text}" has suspicious symbols`)
  const name = text === '$hostname' ? hostName : text
  const wildcard = name.replace(/^\*\./, '').replace(/\.\*$/, '')
  if (wildcard.includes('*') || (name.startsWith('*.') && name.endsWith('.*'))) {
    context.error(`invalid server name or wildcard "${text}" on 0.0.0.0:80`)
  }
  return { text: name, regex: null }
}

function setServerTokens(...[directive, context]: Parameters<Setter>): ComplexValue {
  const value = directive.args[0]!
  if (value === 'on' || value === 'build') return FULL_NAME
  return compileValue(value === 'off' ? 'weir' : value, context)
}

function addTypes(...[directive, context, previous]: Parameters<Setter>): Map<string, string> {
  const types = new Map((previous as Map<string, string> | undefined) ?? [])
  for (const entry of directive.block!) {
    if (entry.block !== null) context.error(`unexpected "{"`, entry)
    for (const extension of entry.args) types.set(extension.toLowerCase(), entry.name)
  }
  return types
}

/** The content type `types` gives the URI, else `default_type`. */
export function contentType(conf: CoreHttpConf, uri: string): string {
  const dot = uri.lastIndexOf('.')
  if (dot < 0 || uri.includes('/', dot)) return conf.defaultType
  // As in nginx up to three dots in front are of the name.
  let start = dot
  while (start > 0 && uri.charCodeAt(start - 1) === 46) start--
  if (dot - start < 3 && uri.charCodeAt(start - 1) === 47) return conf.defaultType
  return conf.types.get(uri.slice(dot + 1).toLowerCase()) ?? conf.defaultType
}
