// The texts of README's tables against the code: complete, with the right number of arguments, and with defaults that
// mean what leaving the directive out means.

import { describe, expect, it } from 'vitest'
import { methodTexts, parameterTexts } from '../../src/master/docs/balancing.ts'
import { directiveTexts } from '../../src/master/docs/directives.ts'
import { variableTexts } from '../../src/master/docs/variables.ts'
import { describedCommands, textKey } from '../../src/master/docs.ts'
import { buildCycle, type Scope } from '../../src/shared/conf/build.ts'
import {
  type Arity,
  type Command,
  EVENTS,
  fieldName,
  HTTP,
  LOCATION,
  MAIN,
  SERVER,
  UPSTREAM,
} from '../../src/shared/conf/command.ts'
import { parseText } from '../../src/shared/conf/parser.ts'
import { variableNames } from '../../src/worker/http/variables.ts'
import { modules } from '../../src/worker/modules.ts'
import { methods } from '../../src/worker/upstream/balance/methods.ts'
import { DEFAULT_PEER } from '../../src/worker/upstream/peers.ts'
import { readServer, serverParameters } from '../../src/worker/upstream/server-line.ts'

const commands = describedCommands()

describe('directives', () => {
  it('each has a text', () => {
    const without = commands.map(textKey).filter((key) => !directiveTexts.has(key))
    expect(without).toEqual([])
  })
  it('each text is that of a directive', () => {
    const keys = new Set(commands.map(textKey))
    expect([...directiveTexts.keys()].filter((key) => !keys.has(key))).toEqual([])
  })
  it('each text has all its parts, in the order of names', () => {
    const names = [...directiveTexts.keys()]
    expect(names).toEqual([...names].sort())
    const plain = new Set(
      commands.filter(({ args, block }) => args === 0 && block === undefined).map(textKey),
    )
    for (const [name, { args, does }] of directiveTexts) {
      if (!plain.has(name)) expect(args, name).not.toBe('')
      expect(does, name).not.toBe('')
    }
  })
})

describe('arguments in the texts', () => {
  it.each([
    ['on | off', [1, 1]],
    ['a b [c]; off', [1, 3]],
    ['a[:b] | c [d ...]', [1, Number.POSITIVE_INFINITY]],
    ['a [b=c | d] e ...', [2, Number.POSITIVE_INFINITY]],
    ['{ ... }', [0, 0]],
  ])('%s are counted', (forms, bounds) => {
    expect(argumentCount(forms)).toEqual(bounds)
  })
  it.each(
    commands
      .filter((command) => directiveTexts.has(textKey(command)))
      .map((command) => [textKey(command), command] as const),
  )('%s: as many as the command table allows', (key, command) => {
    const [least, most] = argumentCount(directiveTexts.get(key)!.args)
    const [tableLeast, tableMost] = bounds(command.args)
    expect(least).toBe(tableLeast)
    // `[x ...]` may stand for a few as well.
    if (most === Number.POSITIVE_INFINITY) expect(tableMost).toBeGreaterThan(tableLeast)
    else expect(most).toBe(tableMost)
  })
})

/** Not settled by the field alone: a block, or made when the levels are merged. */
const NOT_WRITTEN = new Set([
  'access_log',
  'proxy_busy_buffers_size',
  'proxy_redirect',
  'proxy_temp_file_write_size',
  'proxy_temp_path',
  'server_name',
  'types',
])

describe('defaults in the texts', () => {
  const withDefault = commands
    .map((command) => [textKey(command), command] as const)
    .filter(([key]) => (directiveTexts.get(key)?.default ?? '') !== '' && !NOT_WRITTEN.has(key))
  it.each(withDefault)('%s: written out, it means the same as left out', (key, command) => {
    const line = `${command.name} ${directiveTexts.get(key)!.default};`
    const context = [MAIN, EVENTS, UPSTREAM, HTTP, SERVER, LOCATION].find((bit) => command.in & bit)!
    expect(fieldIn(command, context, line)).toEqual(fieldIn(command, context, ''))
  })
  it.each(
    commands
      .filter(
        ({ default: value }) => (typeof value === 'number' && value !== 0) || typeof value === 'boolean',
      )
      .map((command) => [textKey(command)]),
  )('%s: the command table has one, so has the text', (key) => {
    expect(directiveTexts.get(key)?.default).not.toBe('')
  })
})

describe('variables', () => {
  it('each has a text, and each text is that of a variable', () => {
    expect([...variableTexts.keys()].sort()).toEqual(variableNames())
  })
})

describe('balancing', () => {
  it('each method has a text, and each text is that of a method', () => {
    const names = [...methodTexts.keys()]
    expect(names).toEqual(methods.map(({ name }) => name).sort())
    for (const name of names) expect(methodTexts.get(name), name).not.toBe('')
  })
  it('each parameter of a server has a text, and each text is that of a parameter', () => {
    expect([...parameterTexts.keys()]).toEqual([...serverParameters])
    for (const [name, { does }] of parameterTexts) expect(does, name).not.toBe('')
  })
  it.each(
    [...parameterTexts.values()].filter((text) => text.default !== '').map((text) => [text.form, text]),
  )('%s: the default written out means the same as left out', (form, text) => {
    const { context } = buildCycle(parseText('events {}', 'a.conf'), modules, {
      prefix: '/',
      confPrefix: '/',
    })
    const line = `server 127.0.0.1 ${form.replace(/=.*/, '=')}${text.default};`
    expect(readServer(parseText(line, 'a.conf')[0]!, context, []).options).toEqual(DEFAULT_PEER)
  })
})

/** Least and greatest number of arguments in forms such as `a [b]; c ...`. */
function argumentCount(forms: string): [number, number] {
  const counts = forms.split('; ').map((form) => {
    const plain = form.replace(/ ?\{ \.\.\. \}$/, '')
    const optional = [...plain.matchAll(/(?:^| )\[([^\]]*)\]/g)].map((match) => match[1]!)
    const required = plain
      .replace(/(^| )\[[^\]]*\]/g, '')
      .replace(/\S+(?: \| \S+)+/g, 'choice')
      .split(' ')
      .filter((word) => word !== '')
    const words = required.filter((word) => word !== '...')
    const endless = words.length < required.length || optional.some((text) => text.includes('...'))
    return [words.length, endless ? Number.POSITIVE_INFINITY : words.length + optional.length] as const
  })
  return [Math.min(...counts.map(([least]) => least)), Math.max(...counts.map(([, most]) => most))]
}

function bounds(arity: Arity): [number, number] {
  return typeof arity === 'number' ? [arity, arity] : [...arity]
}

/** The merged field of `command` in a configuration that has `line` in `context`. */
function fieldIn(command: Command, context: number, line: string): unknown {
  const at = (bit: number) => (bit === context ? line : '')
  const text = `${at(MAIN)} events { ${at(EVENTS)} } http { ${at(HTTP)}
    upstream u { ${at(UPSTREAM)} server 127.0.0.1:1; }
    server { ${at(SERVER)} location / { ${at(LOCATION)} proxy_pass http://u; } } }`
  const folder = '/nowhere/'
  const { root } = buildCycle(parseText(text, 'test.conf'), modules, { prefix: folder, confPrefix: folder })
  const module = modules.find((candidate) => candidate.commands.includes(command))!
  const scope = scopes(root).find(({ kind }) => kind === (context === HTTP ? LOCATION : context))!
  return (scope.confs[module.index] as Record<string, unknown>)[fieldName(command.name)]
}

function scopes(scope: Scope): Scope[] {
  return [scope, ...scope.children.flatMap(scopes)]
}
