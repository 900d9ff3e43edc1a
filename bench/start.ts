// The start scenarios: milliseconds from the command line to the end of `-t`, and to the first answer, and the memory
// of the proxy that has given it.

import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { HOST } from './load/load.ts'
import { processTree, residentBytes } from './proc.ts'
import { type ProxyName, type ProxyOptions, prepareProxy } from './proxy.ts'
import type { StartFigures } from './result.ts'
import { median } from './statistics.ts'

const PATIENCE = 30_000

/** Medians over `rounds` starts. */
export async function measureStart(
  name: ProxyName,
  options: ProxyOptions,
  rounds: number,
): Promise<StartFigures> {
  const checks: number[] = []
  const answers: number[] = []
  const resident: number[] = []
  for (let round = 0; round < rounds; round++) {
    checks.push(await checkTime(name, options))
    const { time, bytes } = await answerTime(name, options)
    answers.push(time)
    resident.push(bytes)
  }
  return { check: median(checks), answer: median(answers), resident: median(resident) }
}

async function checkTime(name: ProxyName, options: ProxyOptions): Promise<number> {
  const prepared = await prepareProxy(name, options)
  const started = performance.now()
  const child = prepared.start(['-t'])
  const code = await child.ended
  if (code !== 0) throw new Error(`${name} -t: ${child.stderr}`)
  return performance.now() - started
}

async function answerTime(name: ProxyName, options: ProxyOptions): Promise<{ time: number; bytes: number }> {
  const prepared = await prepareProxy(name, options)
  const started = performance.now()
  const child = prepared.start([])
  try {
    while (!(await answers(prepared.port, options.scenario.path))) {
      if (!child.running) throw new Error(`${name} ended: ${child.stderr}`)
      if (performance.now() - started > PATIENCE) throw new Error(`${name} does not answer`)
      await delay(1)
    }
    const time = performance.now() - started
    // What start-up leaves to do (collecting garbage, ending helper threads) is done a second later.
    await delay(1000)
    return { time, bytes: residentBytes(processTree(child.pid)) }
  } finally {
    await child.stop()
  }
}

/** Whether the first bytes of an answer come. */
async function answers(port: number, path: string): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    socket.write(`GET ${path} HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`)
    const [data] = await once(socket, 'data')
    return String(data).startsWith('HTTP/1.1 ')
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
