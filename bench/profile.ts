// `npm run profile`: where weir's time and memory go under the bench's load. A text for each tool is kept in
// profiles/; the raw files beside it, for the tools' own viewers, are not.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { startBackend } from './backend.ts'
import { autocannonLoad } from './load/autocannon.ts'
import { lacks, loadFor } from './load/choose.ts'
import { wrkLoad } from './load/wrk.ts'
import { profileWithClinic } from './profiling/clinic.ts'
import { profileCpu } from './profiling/cpu.ts'
import { profileWithPerf } from './profiling/perf.ts'
import type { Profiling } from './profiling/session.ts'
import type { LoadScenario } from './scenario.ts'
import { scenarios } from './scenarios/index.ts'
import { chooseCores, describeMachine, findTools, missing, type Tools } from './tools.ts'

const TOOLS = ['cpu', 'doctor', 'flame', 'heapprofiler', 'perf'] as const
type Tool = (typeof TOOLS)[number]

const loads = scenarios.filter((scenario): scenario is LoadScenario => scenario.kind === 'load')

const HELP = `Usage: npm run profile -- [options]

Runs weir with one worker under the load of a bench scenario and writes where its time goes to profiles/.

Options:
  -t, --tool NAME      one of the tools below; may be repeated, or a list with commas (default: all there are)
  -s, --scenario NAME  ${loads.map((scenario) => scenario.name).join(', ')} (default 1k)
  -d, --seconds S      length of the load (default 10)
  -n, --top N          rows in the tables (default 40)
  -o, --out NAME       write profiles/NAME-TOOL.txt (default: the scenario's name)
  -h, --help           this text

Tools:
  cpu           V8's sampling profiler in the master and every worker thread (--cpu-prof): self time by function
  doctor        clinic doctor: event loop delay, CPU, memory, handles; HTML
  flame         clinic flame: flame graph; HTML
  heapprofiler  clinic heapprofiler: live bytes by function; HTML and a table
  perf          Linux perf, where installed: JavaScript, native code and kernel together

clinic sees the main thread only, so for its tools weir runs with "master_process off". Raw files and HTML are in
profiles/raw/, which git ignores.
`

interface Options {
  tools: Tool[]
  scenario: LoadScenario
  seconds: number
  top: number
  out: string
}

function parseOptions(args: string[]): Options | null {
  const { values } = parseArgs({
    args,
    options: {
      help: { type: 'boolean', short: 'h' },
      tool: { type: 'string', short: 't', multiple: true },
      scenario: { type: 'string', short: 's', default: '1k' },
      seconds: { type: 'string', short: 'd', default: '10' },
      top: { type: 'string', short: 'n', default: '40' },
      out: { type: 'string', short: 'o' },
    },
  })
  if (values.help) return null
  const scenario = loads.find((candidate) => candidate.name === values.scenario)
  if (scenario === undefined) throw new Error(`no scenario "${values.scenario}" (see --help)`)
  const tools = (values.tool ?? [...TOOLS]).flatMap((list) => list.split(',')).map(toolNamed)
  const out = values.out ?? scenario.name
  return { tools, scenario, seconds: whole('seconds', values.seconds), top: whole('top', values.top), out }
}

function toolNamed(name: string): Tool {
  const tool = TOOLS.find((candidate) => candidate === name)
  if (tool === undefined) throw new Error(`no tool "${name}"; there are ${TOOLS.join(', ')}`)
  return tool
}

function whole(name: string, value: string): number {
  if (!/^[1-9]\d{0,3}$/.test(value))
    throw new Error(`--${name} takes a number from 1 to 9999, not "${value}"`)
  return Number(value)
}

function runTool(tool: Tool, profiling: Profiling): Promise<string> {
  if (tool === 'cpu') return profileCpu(profiling)
  if (tool === 'perf') return profileWithPerf(profiling, profiling.tools.perf!)
  return profileWithClinic(profiling, tool)
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2))
  if (options === null) {
    process.stdout.write(HELP)
    return
  }
  const found = findTools()
  const cores = chooseCores(found)
  const { scenario, out } = options
  const tool = lacks(scenario, found)
  if (tool !== null) throw new Error(`${tool} is not installed`)
  for (const note of notes(options, found, missing(found, cores))) console.log(`note: ${note}`)

  const root = fileURLToPath(new URL('../', import.meta.url))
  const work = workFolder(root)
  const backend = await startBackend(work, found.nginx, cores?.others ?? null)
  const profiling: Profiling = {
    ...options,
    tools: found,
    cores,
    work,
    backend,
    load: loadFor(scenario, found, found.wrk === null ? autocannonLoad : wrkLoad(found.wrk)),
    root,
    raw: (tool) => emptyFolder(join(root, 'profiles/raw', `${out}-${tool}`)),
  }
  const machine = describeMachine(found)
  const heading = `${scenario.title}; Node ${machine.node}, ${machine.cpu}, Linux ${machine.kernel}; ${new Date().toISOString()}`
  let failures = 0
  for (const tool of options.tools) {
    if (tool === 'perf' && found.perf === null) continue
    console.log(`${tool}: ${scenario.title}, ${options.seconds} s`)
    try {
      const text = await runTool(tool, profiling)
      writeFileSync(join(root, 'profiles', `${out}-${tool}.txt`), `${tool}: ${heading}\n${text}`)
      console.log(`  ${text.split('\n')[0]}\n  written: profiles/${out}-${tool}.txt`)
    } catch (error) {
      failures++
      console.error(`  ${(error as Error).message}`)
    }
  }
  await backend.child.stop()
  if (failures > 0) throw new Error(`${failures} of ${options.tools.length} tools failed`)
}

/** weir alone is profiled: that nginx is missing matters for the backend only, and perf when it was chosen. */
function notes(options: Options, found: Tools, general: string[]): string[] {
  const list = general.filter((note) => !note.startsWith('nginx'))
  if (found.nginx === null) list.push('nginx is not installed: the backend is written in JavaScript')
  if (found.perf === null && options.tools.includes('perf'))
    list.push('perf is not installed: its view is left out')
  return list
}

function workFolder(root: string): string {
  mkdirSync(join(root, 'bench/.work'), { recursive: true })
  const folder = mkdtempSync(join(root, 'bench/.work/profile-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  return folder
}

function emptyFolder(folder: string): string {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  return folder
}

main().then(
  () => process.exit(0),
  (error: Error) => {
    console.error(`profile: ${error.message}`)
    process.exit(1)
  },
)
