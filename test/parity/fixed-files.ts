// Files whose validators are known, for both proxies to serve.

import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'

const MODIFIED = 'Sun, 06 Nov 2005 08:49:37 GMT'
const TEXT = 'abcdefghijklmnopqrstuvwxyz'

export interface FixedFiles {
  folder: string
  /** Last-Modified of all of them. */
  modified: string
  /** ETag of a.txt. */
  etag: string
}

/** Makes a.txt (26 bytes), empty.txt, page.html and large.bin (300000 bytes) in a folder that lives as long as the suite. */
export function fixedFiles(): FixedFiles {
  const folder = mkdtempSync(join(tmpdir(), 'weir-files-'))
  const seconds = Date.parse(MODIFIED) / 1000
  // Without digits, which might look like a port.
  const lines = Array.from({ length: 30_000 }, (_, index) => `${letters(index)}\n`)
  const contents = {
    'a.txt': TEXT,
    'empty.txt': '',
    'page.html': '<p>page</p>\n',
    'large.bin': lines.join(''),
  }
  for (const [name, content] of Object.entries(contents)) {
    writeFileSync(join(folder, name), content)
    utimesSync(join(folder, name), seconds, seconds)
  }
  afterAll(() => rmSync(folder, { recursive: true }))
  return { folder, modified: MODIFIED, etag: `"${seconds.toString(16)}-${TEXT.length.toString(16)}"` }
}

function letters(number: number): string {
  return String(number)
    .padStart(9, '0')
    .replace(/\d/g, (digit) => TEXT[Number(digit)]!)
}
