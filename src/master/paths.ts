// Where weir looks for things: prefix, configuration file and error log of the command line. All absolute, so that
// `working_directory` changes none of them, and binary strings, as every path of the configuration.

import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Options } from './options.ts'

const DEFAULT_CONF = 'conf/nginx.conf'

export interface Paths {
  /** Ends with a slash. */
  prefix: string
  confFile: string
  /** The folder of the configuration file; ends with a slash. */
  confPrefix: string
  /** `-e`, as given. */
  errorLog: string | null
}

/** The folder that holds conf/: of the checkout or of the installed package. Ends with a slash. */
export const packageRoot = fileURLToPath(new URL('../../', import.meta.url))

export function findPaths(options: Options): Paths {
  const prefix = options.prefix === null ? packageRoot : `${resolve(options.prefix)}/`.replace('//', '/')
  const confFile = resolve(prefix, options.confFile ?? DEFAULT_CONF)
  return {
    prefix: binary(prefix),
    confFile: binary(confFile),
    confPrefix: binary(`${dirname(confFile)}/`.replace('//', '/')),
    errorLog: options.errorLog === null ? null : binary(options.errorLog),
  }
}

/** UTF-8 bytes as one character each. */
function binary(path: string): string {
  return Buffer.from(path).toString('latin1')
}
