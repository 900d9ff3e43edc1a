// `open_log_file_cache`: nginx's parameters, checked; weir keeps files open without being asked.

import type { BuildContext } from '../../../shared/conf/build.ts'
import type { Directive } from '../../../shared/conf/directive.ts'
import { parseInteger, parseSeconds } from '../../../shared/conf/values.ts'

const checks: Record<string, (text: string) => number | null> = {
  max: parseInteger,
  inactive: parseSeconds,
  min_uses: parseInteger,
  valid: parseSeconds,
}

/** Setter of `open_log_file_cache`. */
export function openLogFileCache(directive: Directive, context: BuildContext): true {
  let max = 0
  let off = false
  for (const word of directive.args) {
    const [, key, value] = /^(max|inactive|min_uses|valid)=(.*)$/s.exec(word) ?? []
    const number = key === undefined ? null : checks[key]!(value!)
    if (key === 'max') max = number ?? max
    if (word === 'off') off = true
    else if (number === null) context.error(`invalid "${directive.name}" parameter "${word}"`)
  }
  if (!off && max === 0) context.error(`"${directive.name}" must have "max" parameter`)
  return true
}
