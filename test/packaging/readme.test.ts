// README.md against what the project is: its lists come from the command tables, its commands from package.json.

import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { describedCommands, README, withLists } from '../../src/master/docs.ts'
import { nginxDirectives } from '../../src/shared/conf/nginx-names.ts'
import { variableNames } from '../../src/worker/http/variables.ts'

const readme = readFileSync(README, 'utf8')

test('the lists of directives and variables are current: npm run docs writes them', () => {
  expect(readme).toBe(withLists(readme))
})

test('every npm script it names exists', () => {
  const { scripts } = JSON.parse(readFileSync(new URL('package.json', README), 'utf8'))
  const named = [...readme.matchAll(/npm run ([\w:]+)/g)].map((match) => match[1])
  expect(named.length).toBeGreaterThan(0)
  expect(Object.keys(scripts)).toEqual(expect.arrayContaining(named))
})

test('every file it links to exists', () => {
  const links = [...readme.matchAll(/\]\((?!https?:|#)([^)]+)\)/g)].map((match) => match[1]!)
  expect(links.filter((link) => !existsSync(new URL(link, README)))).toEqual([])
})

test('what it says is not there yet is not there, and is known to nginx', () => {
  const rows = readme
    .split('### Not there yet')[1]!
    .split('\n## ')[0]!
    .matchAll(/^\| (`.*?) \|/gm)
  const named = [...rows].flatMap(([, refused]) =>
    [...refused!.matchAll(/`(\$?\w+\*?)`/g)].map(([, name]) => name!),
  )
  const there = [...describedCommands().map(({ name }) => name), ...variableNames().map((name) => `$${name}`)]
  const known = [...nginxDirectives.keys()]
  const among = (names: string[], name: string) =>
    name.endsWith('*') ? names.some((other) => other.startsWith(name.slice(0, -1))) : names.includes(name)
  expect(named.length).toBeGreaterThan(20)
  expect(named.filter((name) => among(there, name))).toEqual([])
  expect(named.filter((name) => !name.startsWith('$') && !among(known, name))).toEqual([])
})
