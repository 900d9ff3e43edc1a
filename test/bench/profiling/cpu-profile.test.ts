// Profiles made into self and total times.

import { describe, expect, it } from 'vitest'
import { analyse, type CpuProfile, describeThread } from '../../../bench/profiling/cpu-profile.ts'
import { liveBytes } from '../../../bench/profiling/heap-profile.ts'

function node(id: number, functionName: string, url: string, lineNumber: number, children: number[] = []) {
  return {
    id,
    callFrame: { functionName, url, lineNumber },
    children,
    positionTicks: [{ line: lineNumber + 1, ticks: id }],
  }
}

/** (root) -> serve -> parse -> serve (recursion), (root) -> write, (root) -> (idle); a sample each 10 us from 1000. */
const profile: CpuProfile = {
  nodes: [
    node(1, '(root)', '', -1, [2, 5, 6]),
    node(2, 'serve', 'file:///app/src/serve.ts', 9, [3]),
    node(3, 'parse', 'file:///app/src/parse.ts', 4, [4]),
    node(4, 'serve', 'file:///app/src/serve.ts', 9),
    node(5, 'write', '', -1),
    node(6, '(idle)', '', -1),
  ],
  startTime: 1000,
  endTime: 1060,
  samples: [2, 3, 4, 5, 5, 6, 6],
  timeDeltas: [0, 10, 10, 10, 10, 10, 10],
}

describe('analyse', () => {
  it('self time is summed over all places a function is called from', () => {
    const times = analyse(profile, null, '/app/')
    const self = Object.fromEntries(times.functions.map((entry) => [entry.name, entry.self]))
    expect(self).toEqual({ serve: 20, write: 20, parse: 10 })
  })
  it('total time counts a recursive call once', () => {
    const times = analyse(profile, null, '/app/')
    expect(times.functions.find((entry) => entry.name === 'serve')?.total).toBe(30)
    expect(times.functions.find((entry) => entry.name === 'parse')?.total).toBe(20)
  })
  it('idle time is kept apart', () => {
    expect(analyse(profile, null, '/app/')).toMatchObject({ busy: 50, idle: 10 })
  })
  it('a window, leaves out samples outside of it', () => {
    const times = analyse(profile, { from: 1030, to: 1040 }, '/app/')
    expect(times).toMatchObject({ busy: 20, idle: 0 })
    expect(times.functions.map((entry) => entry.name)).toEqual(['write'])
  })
  it('a window that holds no sample, counts the whole run', () => {
    expect(analyse(profile, { from: 0, to: 1 }, '/app/').busy).toBe(50)
  })
  it('places are relative to the project, with lines from 1', () => {
    const times = analyse(profile, null, '/app/')
    expect(times.functions[0]).toMatchObject({ place: 'src/serve.ts:10', file: 'src/serve.ts' })
    expect(times.lines[0]).toEqual({ place: 'src/serve.ts:10', ticks: 6 })
  })
})

describe('describeThread', () => {
  it('shows shares, time for one request and no more rows than asked for', () => {
    const text = describeThread('worker', analyse(profile, null, '/app/'), 10, 2)
    expect(text).toMatch(/^ 40\.0 % +2\.00 +60\.0 % {2}serve {2}src\/serve\.ts:10$/m)
    expect(text).toMatch(/^ 40\.0 % +2\.00 +40\.0 % {2}write$/m)
    expect(text).not.toMatch(/ parse /)
  })
})

describe('liveBytes', () => {
  it('sums up by function, the largest first, without the empty ones', () => {
    const frame = (functionName: string) => ({ functionName, url: 'file:///app/a.ts', lineNumber: 0 })
    const leaf = (name: string, selfSize: number) => ({ callFrame: frame(name), selfSize, children: [] })
    const head = {
      callFrame: frame('root'),
      selfSize: 0,
      children: [leaf('a', 10), leaf('b', 30), leaf('a', 5)],
    }
    expect(liveBytes({ head }, '/app/')).toEqual([
      { name: 'b  a.ts:1', bytes: 30 },
      { name: 'a  a.ts:1', bytes: 15 },
    ])
  })
})
