// The list of reasons against the code: each can happen, and each leads to a directive there is.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { describedCommands } from '../../../src/master/docs.ts'
import { type ReasonText, reasons } from '../../../src/worker/upstream/reasons.ts'

const FOLDER = new URL('../../../src/worker/upstream', import.meta.url).pathname
const entries = Object.entries<ReasonText>(reasons)

it.each(entries.map(([reason]) => reason))('%s can happen', (reason) => {
  const files = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.ts') && name !== 'reasons.ts',
  )
  const sources = files.map((name) => readFileSync(join(FOLDER, name), 'utf8'))
  expect(sources.some((source) => source.includes(`'${reason}'`))).toBe(true)
})

it.each(entries)('%s has a meaning in a line, and a directive', (_, { meaning, directive }) => {
  expect(meaning).toMatch(/^[^\n|]+[^.]$/)
  if (directive !== null) expect(describedCommands().map(({ name }) => name)).toContain(directive)
})
