// glob(3) as `include` uses it: `*`, `?` and `[...]` within one path component, a leading dot only by a literal dot,
// results in byte order. Names are binary strings, as everything read from a configuration.

import { lstatSync, readdirSync } from 'node:fs'

/** Whether nginx would treat `name` as a pattern. */
export function isPattern(name: string): boolean {
  return /[*?[]/.test(name)
}

/** Paths that match the pattern, sorted; none is not an error. Folders that cannot be read are passed over. */
export function glob(pattern: string): string[] {
  const components = pattern.split('/')
  let found = [components.shift()!]
  if (found[0] !== '' && isPattern(found[0]!)) return glob(`./${pattern}`).map((path) => path.slice(2))
  for (const component of components) {
    found = isPattern(component)
      ? found.flatMap((folder) => matchesIn(folder, component))
      : join(found, component)
  }
  return found.filter(exists)
}

function join(folders: string[], component: string): string[] {
  const name = component.replace(/\\(.)/gs, '$1')
  return folders.map((folder) => `${folder}/${name}`)
}

function matchesIn(folder: string, component: string): string[] {
  const expression = toRegExp(component)
  const hidden = component.startsWith('.')
  let names: string[]
  try {
    names = readdirSync(Buffer.from(`${folder}/`, 'latin1'), 'latin1')
  } catch {
    return []
  }
  const matching = names.filter((name) => (hidden || !name.startsWith('.')) && expression.test(name))
  return matching.sort(byBytes).map((name) => `${folder}/${name}`)
}

function byBytes(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}

function exists(path: string): boolean {
  try {
    return lstatSync(Buffer.from(path, 'latin1'), { throwIfNoEntry: false }) !== undefined
  } catch {
    return false
  }
}

function toRegExp(component: string): RegExp {
  const source = component.replace(/\\(.)|\[([!^]?)(\]?[^\]]*)\]|[\s\S]/g, (part, escaped, negation, set) => {
    if (escaped !== undefined) return literal(escaped)
    if (set !== undefined) return `[${negation ? '^' : ''}${set.replace(/[\\\]^[]/g, '\\$&')}]`
    if (part === '*') return '[^]*'
    if (part === '?') return '[^]'
    return literal(part)
  })
  try {
    return new RegExp(`^${source}$`)
  } catch {
    // A range that runs backwards, `[z-a]`: it matches nothing.
    return /(?!)/
  }
}

function literal(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|/-]/, '\\$&')
}
