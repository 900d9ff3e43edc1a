// A certificate and its key, as texts in PEM, that weir shows to clients or to a backend: from files that the master has
// read, from files whose names a request or handshake gives, or written out behind `data:`. What is wrong with them is
// told in nginx's words.

import { createPrivateKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { BuildContext } from '../../shared/conf/build.ts'
import { openFailure } from '../../shared/conf/file-error.ts'
import { errnoText } from '../../shared/errno.ts'
import { utf8 } from '../../shared/latin1.ts'
import { opensslText } from './openssl-error.ts'

/** A certificate with what may follow it, and its key. */
export interface Credentials {
  /** As the configuration, or a request, names them. */
  readonly certName: string
  readonly keyName: string
  readonly cert: string
  readonly key: string
  /** undefined: the key is not encrypted. */
  readonly passphrase: string | undefined
}

/** Gives the content (latin1) of a file; throws the system's error. */
export type ReadFile = (path: string) => string

/** What is wrong with a certificate or key, as nginx says it. */
export class CredentialsError extends Error {}

const DATA = 'data:'
/** Keys that are not in a file, for OpenSSL to find elsewhere. */
const ELSEWHERE = /^(engine|store):/

/** Loads both; `passwords` are tried on the key in turn. Throws a CredentialsError. */
export function loadCredentials(
  certName: string,
  keyName: string,
  passwords: readonly string[],
  read: ReadFile,
): Credentials {
  const cert = load('certificate', certName, read)
  if (!/-----BEGIN (X509 |TRUSTED )?CERTIFICATE-----/.test(cert)) {
    const error = 'SSL: error:0480006C:PEM routines::no start line:Expecting: TRUSTED CERTIFICATE'
    throw new CredentialsError(
      `cannot load certificate "${certName}": PEM_read_bio_X509_AUX() failed (${error})`,
    )
  }
  const elsewhere = ELSEWHERE.exec(keyName)?.[1]
  if (elsewhere !== undefined) {
    throw new CredentialsError(
      `cannot load certificate key "${keyName}": "${elsewhere}:" is not supported by weir: ` +
        'Node.js has no public way to keys outside of files',
    )
  }
  const key = load('certificate key', keyName, read)
  return { certName, keyName, cert, key, passphrase: findPassword(keyName, key, passwords) }
}

function load(what: string, name: string, read: ReadFile): string {
  if (name.startsWith(DATA)) return name.slice(DATA.length)
  try {
    return read(name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).errno === undefined) throw error
    throw new CredentialsError(
      `cannot load ${what} "${name}": BIO_new_file() failed (${openFailure(name, error)})`,
    )
  }
}

/** The password that opens the key; undefined where it needs none. */
function findPassword(name: string, key: string, passwords: readonly string[]): string | undefined {
  let failure: Error | null = null
  for (const passphrase of [undefined, ...passwords]) {
    try {
      createPrivateKey({ key, format: 'pem', ...(passphrase === undefined ? {} : { passphrase }) })
      return passphrase
    } catch (error) {
      failure = error as Error
    }
  }
  const missing = (failure as NodeJS.ErrnoException).code === 'ERR_MISSING_PASSPHRASE'
  const why =
    missing && passwords.length === 0
      ? 'the key is encrypted, and no password file is named'
      : `PEM_read_bio_PrivateKey() failed (${keyReason(failure!)})`
  throw new CredentialsError(`cannot load certificate key "${name}": ${why}`)
}

/** OpenSSL's reason, with what it adds and Node leaves out. */
function keyReason(error: Error): string {
  const text = opensslText(error) ?? error.message
  const unsupported = text.endsWith('DECODER routines::unsupported')
  return unsupported ? `${text}:No supported data to decode. Input type: PEM` : text
}

/** Reads a file at run time, as whom weir runs: as nginx. */
export function readNow(path: string): string {
  return readFileSync(utf8(path), 'latin1')
}

/** What OpenSSL says where certificate and key do not go together, or it takes one of them not. */
export function credentialsFailure({ keyName, certName }: Credentials, error: unknown): CredentialsError {
  const text = opensslText(error as Error) ?? (error as Error).message
  return text.includes('key values mismatch') || text.includes('key type mismatch')
    ? new CredentialsError(`SSL_CTX_use_PrivateKey("${keyName}") failed (${text})`)
    : new CredentialsError(`cannot load certificate "${certName}": PEM_read_bio_X509() failed (${text})`)
}

/** Longest password file nginx reads in one piece. */
const LONGEST_LINE = 4096

/** The lines of a password file. */
export function readPasswords(path: string, context: BuildContext): string[] {
  let text: string
  try {
    text = context.fileContent(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).errno === undefined) throw error
    return context.error(`open() "${path}" failed (${errnoText(error)})`)
  }
  const lines = text.split('\n').filter((line) => line !== '')
  if (lines.some(({ length }) => length > LONGEST_LINE)) context.error(`too long line in "${path}"`)
  return lines
}
