// `daemon on`: the started process runs weir once more, detached, and ends when that one has its sockets bound, or
// with its error.

import { spawn } from 'node:child_process'

/** Marks the detached process; it says `started` on its channel. */
const MARK = 'WEIR_DETACHED'

/** Whether this process is the detached one. Asks once: what it starts later is not. */
export const isDetached = process.env[MARK] !== undefined && process.send !== undefined
delete process.env[MARK]

/** Starts weir detached and resolves with the exit code of this process. `keepStderr`: errors are logged there. */
export function runDetached(keepStderr: boolean): Promise<number> {
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    detached: true,
    env: { ...process.env, [MARK]: '1' },
    stdio: ['ignore', 'ignore', keepStderr ? 'inherit' : 'pipe', 'ipc'],
  })
  child.stderr?.on('data', (text: Buffer) => process.stderr.write(text))
  return new Promise((resolve) => {
    child.once('error', (error) => {
      process.stderr.write(`weir: [emerg] ${error.message}\n`)
      resolve(1)
    })
    child.once('close', (code) => resolve(code || 1))
    // What was written before is in the pipe: a full turn of the event loop reads it.
    child.once('message', () => setImmediate(() => setImmediate(resolve, 0)))
  })
}

/** Tells the process that waits that all is well. */
export function reportStarted(): void {
  if (!isDetached) return
  // Its reader ends: a warning of Node that nobody reads any more must not be an error.
  process.stderr.on('error', () => {})
  process.send!('started', undefined, undefined, () => process.disconnect!())
}
