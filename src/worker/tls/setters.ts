// Setters of directives that are the same towards clients (`ssl_*`) and towards backends (`proxy_ssl_*`, `grpc_ssl_*`).

import type { BuildContext } from '../../shared/conf/build.ts'
import type { Setter } from '../../shared/conf/command.ts'
import { parseInteger, parseSeconds } from '../../shared/conf/values.ts'
import { type ConfCommand, readConfCommand } from './conf-command.ts'
import { readPasswords } from './credentials.ts'

/** `ssl_certificate_cache` and the like; times in milliseconds. */
export interface CacheSettings {
  /** Certificates and keys kept at a time. */
  readonly max: number
  /** One that nobody asks for goes after so long; default 10 seconds. */
  readonly inactive: number
  /** One that is asked for is read again after so long, if its file has changed; default 60 seconds. */
  readonly valid: number
}

/** A password file. */
export interface Passwords {
  /** Absolute. */
  readonly path: string
  /** Its lines. */
  readonly list: readonly string[]
}

/** Setter of `ssl_password_file` and the like. */
export function setPasswords(...[directive, context]: Parameters<Setter>): Passwords {
  const file = context.confPath(directive.args[0]!)
  return { path: file, list: readPasswords(file, context) }
}

/** Setter of `ssl_conf_command` and the like, each behind those before. */
export function addConfCommand(...[directive, context, previous]: Parameters<Setter>): ConfCommand[] {
  return [...((previous as ConfCommand[] | undefined) ?? []), readConfCommand(directive, context)]
}

/** Setter of `ssl_certificate_cache` and the like; false: `off`. */
export function setCache(...[directive, context]: Parameters<Setter>): CacheSettings | false {
  const settings = { max: 0, inactive: 10_000, valid: 60_000 }
  let off = false
  for (const argument of directive.args) {
    const [, name, value = ''] = /^(max|inactive|valid)=(.*)$/s.exec(argument) ?? []
    if (argument === 'off') off = true
    else if (name === undefined) invalid(argument, context)
    else if (name === 'max') settings.max = parseInteger(value) || invalid(argument, context)
    else settings[name as 'inactive' | 'valid'] = parseSeconds(value) ?? invalid(argument, context)
  }
  if (off) return false
  if (settings.max === 0) context.error(`"${directive.name}" must have the "max" parameter`)
  return settings
}

function invalid(argument: string, context: BuildContext): never {
  return context.invalidParameter(argument, ['off', 'max=', 'inactive=', 'valid='])
}
