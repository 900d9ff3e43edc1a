// A folder with files in it, made before tests are declared so that configurations can name it.

import { mkdirSync, mkdtempSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** The time of change of every file, in seconds: the same for whoever looks. */
const CHANGED = 1_700_000_000

/**
 * A new folder under the system's temporary one; remove it with `removeFolder`. `files`: content by path relative to
 * it, latin1 one character a byte; a path ending in a slash is a folder, a content beginning with `-> ` a symbolic link.
 */
export function makeTree(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'weir-tree-'))
  for (const [name, content] of Object.entries(files)) {
    const path = Buffer.from(`${root}/${name}`, 'latin1')
    mkdirSync(Buffer.from(name.endsWith('/') ? `${root}/${name}` : dirname(`${root}/${name}`), 'latin1'), {
      recursive: true,
    })
    if (name.endsWith('/')) continue
    if (content.startsWith('-> ')) symlinkSync(content.slice(3), path)
    else {
      writeFileSync(path, content, 'latin1')
      utimesSync(path, CHANGED, CHANGED)
    }
  }
  // Folders last: what is put into one changes its time.
  for (const name of Object.keys(files)) {
    for (let path = name.replace(/\/$/, ''); path.includes('/'); ) {
      path = dirname(path)
      utimesSync(Buffer.from(`${root}/${path}`, 'latin1'), CHANGED, CHANGED)
    }
    if (name.endsWith('/')) utimesSync(Buffer.from(`${root}/${name}`, 'latin1'), CHANGED, CHANGED)
  }
  return root
}
