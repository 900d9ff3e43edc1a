// README.md against what the project is: its lists come from the command tables, its commands from package.json.

import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { README, withLists } from '../../src/master/docs.ts'

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
