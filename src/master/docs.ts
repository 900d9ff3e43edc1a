// `npm run docs`: writes the lists of directives and variables into README.md, between their markers, from the
// tables that the configuration is checked with, and the figures of the last full `npm run bench`. A test holds
// README.md to them. Not part of the package.

import { readFileSync, writeFileSync } from 'node:fs'
import { contextList } from '../shared/conf/build.ts'
import { type Command, MAIN } from '../shared/conf/command.ts'
import { variableNames } from '../worker/http/variables.ts'
import { modules } from '../worker/modules.ts'

/** What a full benchmark writes. */
const FIGURES = new URL('../../bench/results/latest.md', import.meta.url)
export const README = new URL('../../README.md', import.meta.url)

/** README's text with current lists. Throws where a pair of markers is missing. */
export function withLists(readme: string): string {
  const commands = modules.flatMap((module) => module.commands)
  let text = between(readme, 'bench', readFileSync(FIGURES, 'utf8').trim())
  text = between(text, 'directives', directiveTable(commands.filter((command) => !command.noEffect)))
  text = between(text, 'tuning', tuningTable(commands.filter((command) => command.noEffect)))
  return between(text, 'variables', variableList())
}

function between(text: string, name: string, content: string): string {
  const marker = (end: string) => `<!-- ${name}:${end} -->`
  const start = text.indexOf(marker('start'))
  const end = text.indexOf(marker('end'))
  if (start < 0 || end < start) throw new Error(`no ${marker('start')} ... ${marker('end')}`)
  return `${text.slice(0, start)}${marker('start')}\n${content}\n${text.slice(end)}`
}

/** A row for each set of contexts; of contexts that no directive opens yet, nothing is said. */
function directiveTable(commands: Command[]): string {
  const opened = commands.reduce((mask, { block }) => mask | (typeof block === 'number' ? block : 0), MAIN)
  const masks = new Map<string, number>()
  for (const { name, in: mask } of commands) masks.set(name, (masks.get(name) ?? 0) | (mask & opened))
  const names = new Map<number, string[]>()
  for (const [name, mask] of masks) names.set(mask, [...(names.get(mask) ?? []), name])
  const rows = [...names]
    .sort(([left], [right]) => left - right)
    .map(([mask, list]) => `| ${contextList(mask).join(', ')} | ${code(list.sort())} |`)
  return ['| in | directives |', '|---|---|', ...rows].join('\n')
}

/** The directives without effect, by reason. */
function tuningTable(commands: Command[]): string {
  const names = new Map<string, Set<string>>()
  for (const { name, noEffect } of commands) {
    const reason = noEffect ?? ''
    names.set(reason, (names.get(reason) ?? new Set()).add(name))
  }
  const rows = [...names].map(([reason, set]) => `| ${code([...set].sort())} | ${reason} |`)
  return ['| directives | why they have no effect |', '|---|---|', ...rows].join('\n')
}

function variableList(): string {
  return code(variableNames().map((name) => `$${name}`))
}

function code(words: string[]): string {
  return words.map((word) => `\`${word}\``).join(' ')
}

if (process.argv[1] === import.meta.filename) {
  writeFileSync(README, withLists(readFileSync(README, 'utf8')))
}
