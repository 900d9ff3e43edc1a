// The pid file: written when every socket is bound, removed at the end, read by `-s`.

import {
  closeSync,
  existsSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { errnoText } from '../shared/errno.ts'
import { utf8 } from '../shared/latin1.ts'

/** The pid file of a running master. */
export class PidFile {
  readonly path: string
  readonly #fd: number

  /** Writes the file: complete from the moment it exists under its name. Throws an Error in nginx's words. */
  constructor(path: string) {
    this.path = path
    // Beside the final name, as renaming works within one file system only.
    const temporary = `${utf8(path)}.${process.pid}`
    try {
      this.#fd = openSync(temporary, 'w', 0o644)
      writeSync(this.#fd, `${process.pid}\n`)
      renameSync(temporary, utf8(path))
    } catch (error) {
      if (existsSync(temporary)) rmSync(temporary)
      throw new Error(`open() "${path}" failed (${errnoText(error)})`)
    }
  }

  /** Removes the file; where privileges were dropped and the folder is not ours any more, empties it. Returns the error, or null. */
  remove(): string | null {
    try {
      const path = utf8(this.path)
      if (readFileSync(path, 'latin1') === `${process.pid}\n`) rmSync(path)
      return null
    } catch (error) {
      ftruncateSync(this.#fd)
      return `unlink() "${this.path}" failed (${errnoText(error)})`
    } finally {
      closeSync(this.#fd)
    }
  }
}

/** The process id in a pid file. Throws an Error in nginx's words. */
export function readPid(path: string): number {
  let text: string
  try {
    text = readFileSync(utf8(path), 'latin1').trim()
  } catch (error) {
    throw new Error(`open() "${path}" failed (${errnoText(error)})`)
  }
  if (!/^[1-9]\d*$/.test(text)) throw new Error(`invalid PID number "${text}" in "${path}"`)
  return Number(text)
}
