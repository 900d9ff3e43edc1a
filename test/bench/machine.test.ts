// Cores and what /proc tells of a process.

import { describe, expect, it } from 'vitest'
import { cpuMicroseconds, processTree, residentBytes } from '../../bench/proc.ts'
import { chooseCores, missing, parseCoreList, type Tools } from '../../bench/tools.ts'

const all: Tools = { nginx: '/n', wrk: '/w', taskset: '/t', perf: '/p', h2load: '/h', openssl: '/o' }

describe('parseCoreList', () => {
  it.each([
    ['0', [0]],
    ['0-3', [0, 1, 2, 3]],
    ['1,4-5,9', [1, 4, 5, 9]],
    ['', []],
  ])('"%s" is %j', (list, cores) => {
    expect(parseCoreList(list)).toEqual(cores)
  })
})

describe('chooseCores', () => {
  it('taskset is missing, nothing is pinned', () => {
    expect(chooseCores({ ...all, taskset: null })).toBeNull()
  })
})

describe('missing', () => {
  it('everything is there, nothing is said', () => {
    expect(missing(all, { proxy: '0', others: '1' })).toEqual([])
  })
  it('tools are missing, one sentence names each', () => {
    const none = { nginx: null, wrk: null, taskset: null, perf: null, h2load: null, openssl: null }
    const notes = missing(none, null)
    expect(notes.map((note) => note.split(' ')[0])).toEqual(['nginx', 'wrk', 'h2load', 'openssl', 'taskset'])
  })
  it('one core only, says so', () => {
    expect(missing(all, null)).toEqual([expect.stringContaining('one core')])
  })
})

describe.skipIf(process.platform !== 'linux')('/proc', () => {
  it('a process belongs to the tree of its parent', () => {
    expect(processTree(process.ppid)).toContain(process.pid)
    expect(processTree(process.pid)[0]).toBe(process.pid)
  })
  it('CPU time grows while the process works', () => {
    const before = cpuMicroseconds([process.pid])
    while (cpuMicroseconds([process.pid]) - before < 20_000) Math.sqrt(Math.random())
    expect(cpuMicroseconds([process.pid])).toBeGreaterThan(before)
  })
  it('resident memory is that of the process', () => {
    const own = process.memoryUsage.rss()
    expect(residentBytes([process.pid]) / own).toBeCloseTo(1, 0)
  })
  it('a process that is gone counts nothing', () => {
    const gone = 2 ** 22 + 1
    expect(cpuMicroseconds([gone])).toBe(0)
    expect(residentBytes([gone])).toBe(0)
  })
})
