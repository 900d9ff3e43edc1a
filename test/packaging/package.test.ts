// package.json and package-lock.json: what an installation relies on.

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { version } from '../../src/shared/version.ts'

function read(name: string): string {
  return readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8')
}

const manifest = JSON.parse(read('package.json'))
const dependencies: Record<string, string> = { ...manifest.dependencies, ...manifest.devDependencies }

test('the version is the one weir says', () => {
  expect(manifest.version).toBe(version)
})

test('every dependency is pinned to one version', () => {
  const loose = Object.entries(dependencies).filter(([, range]) => !/^\d+\.\d+\.\d+$/.test(range))
  expect(loose).toEqual([])
})

test('the lock file agrees with package.json, and names no registry', () => {
  const text = read('package-lock.json')
  const { packages } = JSON.parse(text)
  const { dependencies, devDependencies, bin } = packages['']
  expect({ dependencies, devDependencies, bin }).toEqual({
    dependencies: manifest.dependencies,
    devDependencies: manifest.devDependencies,
    bin: manifest.bin,
  })
  expect(text).not.toContain('"resolved"')
})

test('of the install scripts, only the one that fetches Node may run, and each is decided on', () => {
  const { packages } = JSON.parse(read('package-lock.json')) as {
    packages: Record<string, { hasInstallScript?: true }>
  }
  const scripts = Object.keys(packages).filter((path) => packages[path]!.hasInstallScript)
  const names = scripts.map((path) => path.replace(/^.*node_modules\//, ''))
  expect(Object.keys(manifest.allowScripts).sort()).toEqual(names.sort())
  expect(Object.keys(manifest.allowScripts).filter((name) => manifest.allowScripts[name])).toEqual(['node'])
})
