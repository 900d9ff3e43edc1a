// Files of certificates and of revocation lists in PEM, read when the configuration is built. What is wrong with one is
// told in nginx's words.

import type { BuildContext } from '../../shared/conf/build.ts'
import { openFailure } from '../../shared/conf/file-error.ts'

/** The certificates in a text. */
export const CERTIFICATES =
  /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[^-]+-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g
const LISTS = /-----BEGIN X509 CRL-----[^-]+-----END X509 CRL-----/g

/** The certificates in the file, PEM each. Throws a ConfError where it cannot be read or has none. */
export function certificatesIn(path: string, context: BuildContext): string[] {
  return blocks(path, CERTIFICATES, context, 'PEM_read_bio_X509_AUX', 'TRUSTED CERTIFICATE')
}

/** The revocation lists in the file, PEM each. Throws a ConfError where it cannot be read or has none. */
export function revocationsIn(path: string, context: BuildContext): string[] {
  return blocks(path, LISTS, context, 'PEM_read_bio_X509_CRL', 'X509 CRL')
}

function blocks(
  path: string,
  pattern: RegExp,
  context: BuildContext,
  reader: string,
  expected: string,
): string[] {
  const found = text(path, context).match(pattern)
  if (found !== null) return found
  const error = `SSL: error:0480006C:PEM routines::no start line:Expecting: ${expected}`
  return context.error(`failed to load "${path}": ${reader}() failed (${error})`, null)
}

function text(path: string, context: BuildContext): string {
  try {
    return context.fileContent(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).errno === undefined) throw error
    return context.error(
      `failed to load "${path}": BIO_new_file() failed (${openFailure(path, error)})`,
      null,
    )
  }
}
