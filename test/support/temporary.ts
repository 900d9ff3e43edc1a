// Folders and ports that belong to one test.

import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A new empty folder under the system's temporary one; remove it with `removeFolder`. */
export function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'weir-test-'))
}

export async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 3 })
}

// Below the range the system takes outgoing ports from, so that no connection of another test gets in between.
// Test files that run side by side draw from ranges of their own.
const SHARE = 1500
const FIRST = 20_000 + (Number(process.env.VITEST_POOL_ID ?? 0) % 8) * SHARE

/** Ports this process has been given: servers of one configuration that share one would answer for each other. */
const given = new Set<number>()

/** A port that nothing listens on, on any address, and that it has not given before; always five digits. */
export async function freePort(): Promise<number> {
  if (given.size > SHARE / 2) given.clear()
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * SHARE)
    if (given.has(port)) continue
    given.add(port)
    if (await isFree(port)) return port
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '0.0.0.0', () => server.close(() => resolve(true)))
  })
}
