// `npm run soak`: the command line. Each part starts a weir of its own: see load.ts, chaos/chaos.ts, slow/slow.ts and
// websocket/websocket.ts.

import { join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { runChaos } from './chaos/chaos.ts'
import { runLoad } from './load.ts'
import { type Section, saveSection } from './results.ts'
import { BENCH } from './run.ts'
import { runSlow } from './slow/slow.ts'
import { runWebsocket } from './websocket/websocket.ts'

const HELP = `Usage: npm run soak [-- options]

Four parts, each on a weir of its own; exit code 1 when a check of one fails.

load   mixed load on two workers: answers, descriptors, memory, shared counters and access log must be right while
       clients leave, backends die, weir reloads and a worker crashes
chaos  an upstream whose servers stop, come back, get slow and lie at random, all but two of them, on four workers: no
       client may see an error that a retry could have avoided, and no server more requests than its max_conns; errors
       that nothing could have avoided are counted by their reason
slow   200 clients that read 10 MiB slowly, then 100 that send 20 MiB slowly, with nginx beside: when backends are
       free again or asked at all, memory, temporary files
websocket
       2000 WebSockets that talk to an echo through two workers: every message comes back once and in order, memory stays
       where it is, a reload cuts none, and a graceful end gives them worker_shutdown_timeout

Options:
  -p, --part load|chaos|slow|websocket
                         this part only
  -m, --minutes N        length of the load (default 5; parts of a minute are allowed)
  -x, --times N          that many times the clients, in all parts (default 1)
  -s, --seconds N        length of the chaos, and of the talk of the WebSockets (default 180)
      --seed N           what the chaos draws; the same seed draws the same, though who meets whom when is up to the
                         machine (default: another one each time; it is printed)
  -r, --rate N           kB a second that the slow clients read at; uploads go five times faster (default 100)
  -o, --out FILE         where the report goes (default bench/results/soak.md); sections of other parts stay in it
      --keep             keep the folders with configuration and logs
  -h, --help             this text
`

async function main(): Promise<boolean> {
  const { values } = parseArgs({
    options: {
      part: { type: 'string', short: 'p' },
      minutes: { type: 'string', short: 'm', default: '5' },
      times: { type: 'string', short: 'x', default: '1' },
      seconds: { type: 'string', short: 's', default: '180' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 1e6)) },
      rate: { type: 'string', short: 'r', default: '100' },
      out: { type: 'string', short: 'o', default: join(BENCH, 'results/soak.md') },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(HELP)
    return true
  }
  const { part, keep, out } = values
  const minutes = positive('minutes', values.minutes)
  const seconds = positive('seconds', values.seconds)
  const times = positive('times', values.times)
  const rate = positive('rate', values.rate) * 1000
  const seed = Number(values.seed)
  if (!Number.isSafeInteger(seed)) throw new Error(`--seed takes a whole number, not "${values.seed}"`)
  const parts: Record<string, () => Promise<Section>> = {
    load: () => runLoad({ minutes, times, keep }),
    chaos: () => runChaos({ seconds, seed, times, keep }),
    slow: () => runSlow({ rate, times, keep }),
    websocket: () => runWebsocket({ seconds, times, keep }),
  }
  if (part !== undefined && !Object.hasOwn(parts, part)) {
    throw new Error(`--part takes ${Object.keys(parts).join(' or ')}, not "${part}"`)
  }
  let good = true
  for (const [name, run] of Object.entries(parts)) {
    if (part !== undefined && part !== name) continue
    const section = await run()
    saveSection(out, section)
    good &&= section.good
  }
  console.log(`written: ${relative(process.cwd(), out)}`)
  return good
}

function positive(name: string, text: string): number {
  const value = Number(text)
  if (!(value > 0)) throw new Error(`--${name} takes a number above 0, not "${text}"`)
  return value
}

main().then(
  (good) => process.exit(good ? 0 : 1),
  (error: Error) => {
    console.error(`soak: ${error.message}`)
    process.exit(1)
  },
)
