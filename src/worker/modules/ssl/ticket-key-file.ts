// `ssl_session_ticket_key`: files that are read when the configuration is.

import type { BuildContext } from '../../../shared/conf/build.ts'
import { errnoText } from '../../../shared/errno.ts'
import { KEY_LENGTH, keyOfFile, LONG_KEY_LENGTH } from '../../tls/ticket-keys.ts'

/** The key in the file called `name`. Throws a ConfError. */
export function keyFromFile(name: string, context: BuildContext): Buffer {
  const path = context.confPath(name)
  let content: string
  try {
    content = context.fileContent(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).errno === undefined) throw error
    return context.error(`open() "${path}" failed (${errnoText(error)})`)
  }
  const key = keyOfFile(content)
  if (key === null) {
    return context.error(`"${path}" must be ${KEY_LENGTH} or ${LONG_KEY_LENGTH} bytes`)
  }
  if (content.length === LONG_KEY_LENGTH) {
    context.notice(
      'ssl_session_ticket_key',
      `keys of ${LONG_KEY_LENGTH} bytes encrypt session tickets by AES-128 as well: Node.js offers no other cipher for them, ` +
        'and servers of another kind with the same file cannot read them',
    )
  }
  return key
}
