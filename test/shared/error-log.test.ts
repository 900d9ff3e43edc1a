import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ErrorLog, isLevel, LEVELS } from '../../src/shared/error-log.ts'
import { removeFolder, temporaryFolder } from '../support/temporary.ts'

let folder: string
const open: number[] = []

beforeEach(async () => {
  folder = await temporaryFolder()
})
afterEach(async () => {
  for (const fd of open.splice(0)) closeSync(fd)
  await removeFolder(folder)
})

function file(name: string): { path: string; fd: number; text: () => string } {
  const path = join(folder, name)
  const fd = openSync(path, 'a')
  open.push(fd)
  return { path, fd, text: () => readFileSync(path, 'latin1') }
}

describe('ErrorLog', () => {
  it('writes lines in the form of nginx', () => {
    const { path, fd, text } = file('a')
    const log = new ErrorLog([{ path, fd, level: 'info' }])
    log.error('upstream timed out', 17)
    log.notice('start')
    expect(text()).toMatch(
      new RegExp(
        `^\\d{4}/\\d\\d/\\d\\d \\d\\d:\\d\\d:\\d\\d \\[error\\] ${process.pid}#\\d+: \\*17 upstream timed out\\n` +
          `\\d{4}/\\d\\d/\\d\\d \\d\\d:\\d\\d:\\d\\d \\[notice\\] ${process.pid}#\\d+: start\\n$`,
      ),
    )
  })

  it.each(LEVELS)('at level %s takes that level and those above', (level) => {
    const { path, fd, text } = file('a')
    const log = new ErrorLog([{ path, fd, level }])
    for (const one of LEVELS) log[one]('x')
    const expected = LEVELS.slice(0, LEVELS.indexOf(level) + 1)
    expect([...text().matchAll(/\[(\w+)\]/g)].map((match) => match[1])).toEqual(expected)
    expect(LEVELS.filter((one) => log.enabled(one))).toEqual(expected)
  })

  it('writes to several files, each by its own level', () => {
    const [all, few] = [file('all'), file('few')]
    const log = new ErrorLog([
      { path: all.path, fd: all.fd, level: 'debug' },
      { path: few.path, fd: few.fd, level: 'crit' },
    ])
    log.warn('small')
    log.alert('large')
    expect(all.text()).toMatch(/small\n.*large\n$/)
    expect(few.text()).toMatch(/^[^\n]*large\n$/)
  })

  it('without files says nothing and has no level enabled', () => {
    const log = new ErrorLog([])
    log.emerg('x')
    expect(log.enabled('emerg')).toBe(false)
  })

  it('after reopen writes to the new descriptor of each path', () => {
    const [first, second] = [file('first'), file('second')]
    const log = new ErrorLog([{ path: first.path, fd: first.fd, level: 'error' }])
    log.error('one')
    log.reopen({ [first.path]: second.fd, '/other': -1 })
    log.error('two')
    expect(first.text()).toMatch(/one\n$/)
    expect(second.text()).toMatch(/two\n$/)
  })

  it('keeps bytes as they are, and a message from being taken for a format', () => {
    const { path, fd, text } = file('a')
    new ErrorLog([{ path, fd, level: 'error' }]).error('\xe9 %s %d %%')
    expect(text()).toContain(': \xe9 %s %d %%\n')
  })

  it('shows control characters as bytes, so that a message is one line whatever clients put into it', () => {
    const { path, fd, text } = file('a')
    const log = new ErrorLog([{ path, fd, level: 'error' }])
    log.error('open() "/a\n2026/01/01 00:00:00 [alert] forged\r\0\x1b[2J\x7f" failed')
    const shown = '"/a\\x0A2026/01/01 00:00:00 [alert] forged\\x0D\\x00\\x1B[2J\\x7F" failed\n'
    expect(text().endsWith(shown)).toBe(true)
    expect(text().match(/\n/g)).toHaveLength(1)
  })

  it('cuts a line after 2048 bytes, as nginx', () => {
    const { path, fd, text } = file('a')
    new ErrorLog([{ path, fd, level: 'error' }]).error('x'.repeat(5000))
    expect(text()).toHaveLength(2048)
    expect(text().endsWith('x\n')).toBe(true)
  })

  it('survives a descriptor that cannot be written to', () => {
    const { path, fd, text } = file('a')
    const log = new ErrorLog([
      { path: null, fd: 9999, level: 'error' },
      { path, fd, level: 'error' },
    ])
    log.error('still here')
    expect(text()).toContain('still here')
  })
})

it('isLevel knows the words of nginx only', () => {
  expect(LEVELS.every(isLevel)).toBe(true)
  expect(['warning', 'ERROR', '', 'constructor'].some(isLevel)).toBe(false)
})
