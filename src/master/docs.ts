// `npm run docs`: writes the tables of directives, variables and balancing into README.md, between their markers, from the
// tables that the configuration is checked with and the texts in docs/, and the figures of the last full
// `npm run bench`. A test holds README.md to them. Not part of the package.

import { readFileSync, writeFileSync } from 'node:fs'
import { contextList } from '../shared/conf/build.ts'
import { type Command, MAIN } from '../shared/conf/command.ts'
import { nginxDirectives } from '../shared/conf/nginx-names.ts'
import { variableNames } from '../worker/http/variables.ts'
import { modules } from '../worker/modules.ts'
import { methods } from '../worker/upstream/balance/methods.ts'
import { type ReasonText, reasons } from '../worker/upstream/reasons.ts'
import { serverParameters } from '../worker/upstream/server-line.ts'
import { methodTexts, parameterTexts, ROUND_ROBIN } from './docs/balancing.ts'
import { directiveTexts } from './docs/directives.ts'
import { variableTexts } from './docs/variables.ts'

/** What a full benchmark writes. */
const FIGURES = new URL('../../bench/results/latest.md', import.meta.url)
export const README = new URL('../../README.md', import.meta.url)

/** README's text with current lists. Throws where a pair of markers is missing. */
export function withLists(readme: string): string {
  let text = between(readme, 'bench', readFileSync(FIGURES, 'utf8').trim())
  text = between(text, 'methods', methodTable())
  text = between(text, 'servers', parameterTable())
  text = between(text, 'directives', directiveTable(describedCommands()))
  text = between(text, 'reasons', reasonTable())
  text = between(text, 'tuning', tuningTable(tuningCommands()))
  return between(text, 'variables', variableTable())
}

function between(text: string, name: string, content: string): string {
  const marker = (end: string) => `<!-- ${name}:${end} -->`
  const start = text.indexOf(marker('start'))
  const end = text.indexOf(marker('end'))
  if (start < 0 || end < start) throw new Error(`no ${marker('start')} ... ${marker('end')}`)
  return `${text.slice(0, start)}${marker('start')}\n${content}\n${text.slice(end)}`
}

/** The key of a command's text: with its context where the name means something else in others. */
export function textKey({ name, in: mask }: Command): string {
  const prefixed = `${contextList(mask)[0]}: ${name}`
  return directiveTexts.has(prefixed) ? prefixed : name
}

/** The commands that README describes, each as often as it means something else. */
export function describedCommands(): Command[] {
  return modules.flatMap((module) => module.commands).filter((command) => !command.noEffect)
}

function tuningCommands(): Command[] {
  return modules.flatMap((module) => module.commands).filter((command) => command.noEffect)
}

/** A row for each directive; of contexts that no directive opens yet, nothing is said. */
function directiveTable(commands: Command[]): string {
  const opened = commands.reduce((mask, { block }) => mask | (typeof block === 'number' ? block : 0), MAIN)
  const rows = [...commands]
    .sort((left, right) => (left.name < right.name ? -1 : left.name > right.name ? 1 : left.in - right.in))
    .map((command) => directiveRow(command, opened))
  return ['| directive | arguments | default | in | does |', '|---|---|---|---|---|', ...rows].join('\n')
}

function directiveRow(command: Command, opened: number): string {
  const text = directiveTexts.get(textKey(command))
  const name = nginxDirectives.has(command.name) ? `\`${command.name}\`` : `\`${command.name}\` *(weir)*`
  const forms = text === undefined ? shape(command) : text.args
  const contexts = contextNames(command.in & opened)
  const cells = [name, choices(forms), choices(text?.default ?? ''), contexts, cell(text?.does ?? '')]
  return `| ${cells.join(' | ')} |`
}

/** Arguments of a directive that has no text yet, as far as its table tells. */
function shape({ args, block }: Command): string {
  const [least, most] = typeof args === 'number' ? [args, args] : args
  const words = Array.from({ length: least }, () => 'argument')
  if (most > least) words.push(Number.isFinite(most) ? '[argument]' : '[argument ...]')
  if (block !== undefined) words.push('{ ... }')
  return words.join(' ')
}

/** Names of contexts, each once. */
function contextNames(mask: number): string {
  return [...new Set(contextList(mask))].join(', ')
}

/** Forms of arguments, each as code on a line of its own. */
function choices(forms: string): string {
  if (forms === '') return ''
  return forms
    .split('; ')
    .map((form) => `\`${cell(form)}\``)
    .join('<br>')
}

/** Text for a cell of a table. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|')
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

/** The ways to choose a server, the one without a directive first. */
function methodTable(): string {
  const rows = [...methods]
    .sort((left, right) => (left.name < right.name ? -1 : 1))
    .map(({ name }) => {
      const args = directiveTexts.get(name)?.args ?? ''
      return `| ${choices(`${name} ${args}`.trim())} | ${cell(methodTexts.get(name) ?? '')} |`
    })
  return ['| directive | chooses |', '|---|---|', `| none | ${ROUND_ROBIN} |`, ...rows].join('\n')
}

/** The parameters of `server`, with the methods that have no use for them. */
function parameterTable(): string {
  const rows = serverParameters.map((parameter) => {
    const {
      form,
      default: value,
      does,
    } = parameterTexts.get(parameter) ?? { form: parameter, default: '', does: '' }
    const name = parameter.replace('=', '')
    const refusing = methods.filter(({ without }) => (without as readonly string[]).includes(name))
    const cells = [choices(form), choices(value), cell(does), code(refusing.map((method) => method.name))]
    return `| ${cells.join(' | ')} |`
  })
  return ['| parameter | default | does | not with |', '|---|---|---|---|', ...rows].join('\n')
}

/** The codes of `$weir_reason`. */
function reasonTable(): string {
  const rows = Object.entries<ReasonText>(reasons).map(
    ([reason, { meaning, directive }]) =>
      `| \`${reason}\` | ${cell(meaning)} | ${directive === null ? '' : `\`${directive}\``} |`,
  )
  return ['| reason | means | see |', '|---|---|---|', ...rows].join('\n')
}

function variableTable(): string {
  const rows = variableNames().map((name) => `| \`$${name}\` | ${cell(variableTexts.get(name) ?? '')} |`)
  return ['| variable | is |', '|---|---|', ...rows].join('\n')
}

function code(words: string[]): string {
  return words.map((word) => `\`${word}\``).join(' ')
}

if (process.argv[1] === import.meta.filename) {
  writeFileSync(README, withLists(readFileSync(README, 'utf8')))
}
