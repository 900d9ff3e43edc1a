// `npm run bench`: every scenario on weir and nginx in turn, then tables, JSON and chart. The order of a run is read
// here from top to bottom; what a scenario is stands in scenarios/, how it is shown in table.ts and chart.ts.

import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Backend, startBackend } from './backend.ts'
import { ratioChart } from './chart.ts'
import { IDLE_NODE_FLAGS, measureIdle } from './idle.ts'
import { autocannonLoad } from './load/autocannon.ts'
import { lacks, loadFor } from './load/choose.ts'
import type { LoadGenerator } from './load/load.ts'
import { wrkLoad } from './load/wrk.ts'
import { measureMessages, startEcho } from './messages.ts'
import { helpText, type Options, parseOptions, UsageError } from './options.ts'
import { type ProxyName, type ProxyOptions, type RunningProxy, startProxy } from './proxy.ts'
import {
  busyShare,
  cpuPerRequest,
  type IdleOutcome,
  type LoadOutcome,
  loadOutcome,
  type Outcome,
  type Round,
  type Run,
  requestsPerSecond,
  type StartOutcome,
} from './result.ts'
import type {
  IdleScenario,
  LoadScenario,
  MessagesScenario,
  Scenario,
  StartScenario,
  StreamsScenario,
} from './scenario.ts'
import { scenarios } from './scenarios/index.ts'
import { measureStart } from './start.ts'
import { readable } from './statistics.ts'
import { measureStreams, startSource } from './streams.ts'
import { markdown, textTables } from './table.ts'
import {
  type Cores,
  chooseCores,
  describeMachine,
  descriptorLimit,
  findTools,
  missing,
  type Tools,
} from './tools.ts'

const HERE = fileURLToPath(new URL('.', import.meta.url))

/** What every step of a run needs. */
interface Bench {
  options: Options
  tools: Tools
  cores: Cores | null
  work: string
  backend: Backend
  load: LoadGenerator
  proxies: ProxyName[]
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2), scenarios)
  if (options === null) {
    process.stdout.write(helpText(scenarios))
    return
  }
  const tools = findTools()
  const cores = chooseCores(tools)
  const notes = missing(tools, cores)
  for (const note of notes) console.log(`note: ${note}`)

  const work = workFolder()
  const backend = await startBackend(
    work,
    options.backend === 'node' ? null : needed('nginx', options.backend, tools),
    others(cores),
  )
  const wrk = options.load === 'autocannon' ? null : needed('wrk', options.load, tools)
  const proxies = chooseProxies(options, tools)
  const bench = {
    options,
    tools,
    cores,
    work,
    backend,
    load: wrk === null ? autocannonLoad : wrkLoad(wrk),
    proxies,
  }
  const run: Run = {
    date: new Date().toISOString(),
    machine: describeMachine(tools),
    load: wrk === null ? 'autocannon' : 'wrk',
    backend: backend.kind,
    pinned: cores !== null,
    rounds: options.rounds,
    seconds: options.seconds,
    notes,
    outcomes: [],
  }
  console.log(
    `measuring ${proxies.join(' and ')}: load from ${run.load}, backend ${run.backend}, ${where(cores)}`,
  )

  const failed: string[] = []
  for (const scenario of options.scenarios) {
    console.log(`\n${scenario.title}`)
    const tool = lacks(scenario, tools)
    if (tool !== null) {
      console.log(`  left out: ${tool} is not installed`)
      continue
    }
    try {
      run.outcomes.push(await runScenario(bench, scenario))
    } catch (error) {
      // The other scenarios still tell something; a run with a hole does not pass for a whole one.
      console.error(`  ${(error as Error).message}`)
      failed.push(scenario.name)
    }
  }
  await backend.child.stop()
  console.log(`\n${textTables(run.outcomes)}\n`)
  save(run, options.out ?? (options.partial || failed.length > 0 ? 'partial' : 'latest'))
  if (failed.length > 0) throw new Error(`failed: ${failed.join(', ')}`)
}

function runScenario(bench: Bench, scenario: Scenario): Promise<Outcome> {
  if (scenario.kind === 'load') return runLoad(bench, scenario)
  if (scenario.kind === 'streams') return runStreams(bench, scenario)
  if (scenario.kind === 'messages') return runMessages(bench, scenario)
  return scenario.kind === 'idle' ? runIdle(bench, scenario) : runStart(bench, scenario)
}

/** A new folder for configurations and logs, removed when the bench ends. */
function workFolder(): string {
  mkdirSync(join(HERE, '.work'), { recursive: true })
  const folder = mkdtempSync(join(HERE, '.work/run-'))
  // nginx's workers are nobody where root starts it, and read files there.
  chmodSync(folder, 0o755)
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** The tool's path, null when it may be missing; one that was asked for by name may not. */
function needed(tool: 'nginx' | 'wrk', asked: string | null, tools: Tools): string | null {
  if (tools[tool] === null && asked === tool) throw new UsageError(`${tool} is not installed`)
  return tools[tool]
}

function chooseProxies(options: Options, tools: Tools): ProxyName[] {
  if (options.only === 'nginx' && tools.nginx === null) throw new UsageError('nginx is not installed')
  if (options.only !== null) return [options.only]
  return tools.nginx === null ? ['weir'] : ['weir', 'nginx']
}

function others(cores: Cores | null): string | null {
  return cores?.others ?? null
}

function where(cores: Cores | null): string {
  return cores === null ? 'nothing pinned' : `proxy on core ${cores.proxy}, the rest on ${cores.others}`
}

function startFor(
  bench: Bench,
  scenario: LoadScenario | IdleScenario,
  name: ProxyName,
): Promise<RunningProxy> {
  return startProxy(name, proxyOptions(bench, scenario))
}

function proxyOptions(bench: Bench, scenario: Scenario): ProxyOptions {
  return {
    scenario,
    work: bench.work,
    backendPort: bench.backend.port,
    cores: bench.cores?.proxy ?? null,
    nginx: bench.tools.nginx,
    openssl: bench.tools.openssl,
    node: [process.execPath, ...(scenario.kind === 'idle' ? IDLE_NODE_FLAGS : [])],
  }
}

async function runLoad(bench: Bench, scenario: LoadScenario): Promise<LoadOutcome> {
  const load = loadFor(scenario, bench.tools, bench.load)
  const rounds = await inTurn(
    bench,
    (name) => startFor(bench, scenario, name),
    (proxy, seconds) => runRound({ ...bench, load }, scenario, proxy, seconds),
  )
  return compared(loadOutcome(scenario, rounds))
}

async function runStreams(bench: Bench, scenario: StreamsScenario): Promise<LoadOutcome> {
  const cores = others(bench.cores)
  const source = await startSource(scenario, cores)
  const options = { ...proxyOptions(bench, scenario), backendPort: source.port }
  const rounds = inTurn(
    bench,
    (name) => startProxy(name, options),
    (proxy, seconds) => measureStreams(proxy, scenario, seconds, cores),
  )
  return compared(loadOutcome({ ...scenario, target: null }, await rounds.finally(() => source.child.stop())))
}

async function runMessages(bench: Bench, scenario: MessagesScenario): Promise<LoadOutcome> {
  const cores = others(bench.cores)
  const echo = await startEcho(cores)
  const options = { ...proxyOptions(bench, scenario), backendPort: echo.port }
  const rounds = inTurn(
    bench,
    (name) => startProxy(name, options),
    (proxy, seconds) => measureMessages(proxy, scenario, seconds, cores),
  )
  return compared(loadOutcome(scenario, await rounds.finally(() => echo.child.stop())))
}

function compared(outcome: LoadOutcome): LoadOutcome {
  if (outcome.ratio !== null) console.log(`  nginx CPU / weir CPU: ${outcome.ratio.toFixed(2)}`)
  return outcome
}

/** Both proxies stay up and are loaded in turn, so that what else the machine does meets both alike. */
async function inTurn(
  { options, ...bench }: Bench,
  start: (name: ProxyName) => Promise<RunningProxy>,
  load: (proxy: RunningProxy, seconds: number) => Promise<Round>,
): Promise<Partial<Record<ProxyName, Round[]>>> {
  const proxies: RunningProxy[] = []
  const rounds: Partial<Record<ProxyName, Round[]>> = {}
  try {
    for (const name of bench.proxies) {
      const proxy = await start(name)
      proxies.push(proxy)
      rounds[name] = []
      await load(proxy, Math.max(2, Math.ceil(options.seconds / 2)))
      console.log(`  ${name} is warmed up`)
    }
    for (let number = 1; number <= options.rounds; number++) {
      for (const proxy of proxies) {
        const round = await load(proxy, options.seconds)
        rounds[proxy.name]!.push(round)
        console.log(`  round ${number}/${options.rounds}  ${proxy.name.padEnd(5)}  ${describeRound(round)}`)
      }
    }
  } finally {
    for (const proxy of proxies) await proxy.child.stop()
  }
  return rounds
}

async function runRound(
  bench: Bench,
  scenario: LoadScenario,
  proxy: RunningProxy,
  seconds: number,
): Promise<Round> {
  const before = proxy.cpu
  const result = await bench.load({
    scenario,
    url: proxy.url(scenario.path),
    seconds,
    cores: others(bench.cores),
  })
  if (!proxy.child.running) throw new Error(`${proxy.name} ended under load\n${proxy.child.stderr}`)
  if (result.requests === 0) throw new Error(`${proxy.name} answered no request (${result.errors} errors)`)
  return { ...result, cpuMicroseconds: proxy.cpu - before }
}

function describeRound(round: Round): string {
  const figures = [
    `${readable(Math.round(requestsPerSecond(round)))} requests/s`.padStart(18),
    `p50 ${readable(round.p50)} ms`.padStart(12),
    `p99 ${readable(round.p99)} ms`.padStart(12),
    `${readable(cpuPerRequest(round))} us CPU/request`.padStart(20),
    `busy ${Math.round(busyShare(round) * 100)} %`,
  ]
  return figures.join('  ') + (round.errors > 0 ? `  ${round.errors} errors` : '')
}

async function runIdle(bench: Bench, scenario: IdleScenario): Promise<IdleOutcome> {
  const outcome: IdleOutcome = { kind: 'idle', name: scenario.name, title: scenario.title, proxies: {} }
  // Beside its clients a proxy has backend connections, logs and Node's own descriptors open.
  const connections = Math.min(scenario.connections, descriptorLimit() - 512)
  if (connections < scenario.connections)
    console.log(`  note: the limit of open files allows ${connections} connections`)
  for (const name of bench.proxies) {
    const proxy = await startFor(bench, scenario, name)
    const measured = measureIdle(proxy, scenario, connections, others(bench.cores))
    const figures = await measured.finally(() => proxy.child.stop())
    outcome.proxies[name] = figures
    console.log(
      `  ${name.padEnd(5)}  ${readable(Math.round(figures.bytesPerConnection))} bytes per idle connection`,
    )
  }
  return outcome
}

async function runStart(bench: Bench, scenario: StartScenario): Promise<StartOutcome> {
  const outcome: StartOutcome = { kind: 'start', name: scenario.name, title: scenario.title, proxies: {} }
  for (const name of bench.proxies) {
    const figures = await measureStart(name, proxyOptions(bench, scenario), bench.options.rounds)
    outcome.proxies[name] = figures
    console.log(
      `  ${name.padEnd(5)}  -t ${readable(figures.check)} ms, first answer after ${readable(figures.answer)} ms`,
    )
  }
  return outcome
}

function save(run: Run, name: string): void {
  const base = join(HERE, 'results', name)
  mkdirSync(join(HERE, 'results'), { recursive: true })
  const chart = ratioChart(run)
  const files = { json: `${JSON.stringify(run, null, 2)}\n`, md: markdown(run), svg: chart }
  const written: string[] = []
  for (const [extension, text] of Object.entries(files)) {
    // Without a ratio there is no chart, and one of an earlier run must not stay beside the new figures.
    rmSync(`${base}.${extension}`, { force: true })
    if (text === null) continue
    writeFileSync(`${base}.${extension}`, text)
    written.push(`bench/results/${name}.${extension}`)
  }
  console.log(`written: ${written.join(', ')}`)
}

main().then(
  () => process.exit(0),
  (error: Error) => {
    console.error(
      error instanceof UsageError ? `bench: ${error.message} (see --help)` : `bench: ${error.message}`,
    )
    process.exit(1)
  },
)
