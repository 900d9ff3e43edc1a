// The command line: nginx's short options in nginx's forms (`-tq`, `-cFILE`, `-c FILE`), and weir's own long ones.

/** Signals `-s` knows, by its words. */
export const SIGNALS = { stop: 'SIGTERM', quit: 'SIGQUIT', reopen: 'SIGUSR1', reload: 'SIGHUP' } as const
export type SignalWord = keyof typeof SIGNALS

export interface Options {
  /** -? -h --help */
  help: boolean
  /** -v, -V and -h */
  version: boolean
  /** -V */
  configureArguments: boolean
  /** -t, -T */
  test: boolean
  /** -T */
  dump: boolean
  /** -q */
  quiet: boolean
  signal: SignalWord | null
  prefix: string | null
  errorLog: string | null
  confFile: string | null
  /** -g, each in turn. */
  directives: string[]
  workerProcesses: string | null
  workerConnections: string | null
  /** --demo, --demo-port: run the demo. */
  demo: boolean
  demoPort: number | null
}

/** Something is wrong with the command line; `message` is for stderr, after `weir: `. */
export class UsageError extends Error {}

interface LongOption {
  name: string
  /** What stands for the value in the help; null for an option without one. */
  value: string | null
  help: string
  set(options: Options, value: string): void
}

const longOptions: LongOption[] = [
  {
    name: 'worker-processes',
    value: 'number',
    help: 'worker threads (or auto), whatever the file says',
    set: (options, value) => {
      options.workerProcesses = value
    },
  },
  {
    name: 'worker-connections',
    value: 'number',
    help: 'connections of each worker, whatever the file says',
    set: (options, value) => {
      options.workerConnections = value
    },
  },
  {
    name: 'demo',
    value: null,
    help: 'run a demo: backends of its own behind conf/demo.conf',
    set: (options) => {
      options.demo = true
    },
  },
  {
    name: 'demo-port',
    value: 'port',
    help: 'run the demo on this port (default: 8080)',
    set: (options, value) => {
      const port = /^\d{1,5}$/.test(value) ? Number(value) : 0
      if (port < 1 || port > 65535) throw new UsageError(`invalid option: "--demo-port ${value}"`)
      options.demo = true
      options.demoPort = port
    },
  },
  {
    name: 'help',
    value: null,
    help: 'this help',
    set: (options) => {
      options.help = true
      options.version = true
    },
  },
]

/** Each takes the rest of its word, or the next one. */
const valueOptions: Record<string, { wants: string; set(options: Options, value: string): void }> = {
  p: { wants: 'directory name', set: (options, value) => (options.prefix = value) },
  e: { wants: 'file name', set: (options, value) => (options.errorLog = value) },
  c: { wants: 'file name', set: (options, value) => (options.confFile = value) },
  g: { wants: 'parameter', set: (options, value) => options.directives.push(value) },
  s: { wants: 'parameter', set: (options, value) => (options.signal = signalWord(value)) },
}

const flagOptions: Record<string, (options: Options) => void> = {
  '?': (options) => (options.version = options.help = true),
  h: (options) => (options.version = options.help = true),
  v: (options) => (options.version = true),
  V: (options) => (options.version = options.configureArguments = true),
  t: (options) => (options.test = true),
  T: (options) => (options.test = options.dump = true),
  q: (options) => (options.quiet = true),
}

/** Reads the words after the command's name. Throws UsageError. */
export function parseOptions(words: readonly string[]): Options {
  const options: Options = {
    help: false,
    version: false,
    configureArguments: false,
    test: false,
    dump: false,
    quiet: false,
    signal: null,
    prefix: null,
    errorLog: null,
    confFile: null,
    directives: [],
    workerProcesses: null,
    workerConnections: null,
    demo: false,
    demoPort: null,
  }
  const rest = words.values()
  for (const word of rest) {
    if (!word.startsWith('-')) throw new UsageError(`invalid option: "${word}"`)
    if (word.startsWith('--')) parseLong(word, rest, options)
    else parseShort(word, rest, options)
  }
  return options
}

function parseShort(word: string, rest: Iterator<string>, options: Options): void {
  for (let at = 1; at < word.length; at++) {
    const letter = word[at]!
    const flag = flagOptions[letter]
    if (flag !== undefined) {
      flag(options)
      continue
    }
    const option = valueOptions[letter]
    if (option === undefined) throw new UsageError(`invalid option: "${letter}"`)
    const value = word.slice(at + 1) || (rest.next().value as string | undefined)
    if (value === undefined) throw new UsageError(`option "-${letter}" requires ${option.wants}`)
    option.set(options, value)
    return
  }
}

function parseLong(word: string, rest: Iterator<string>, options: Options): void {
  const equals = word.indexOf('=')
  const name = equals < 0 ? word.slice(2) : word.slice(2, equals)
  const option = longOptions.find((candidate) => candidate.name === name)
  if (option === undefined || (option.value === null && equals >= 0)) {
    throw new UsageError(`invalid option: "${word}"`)
  }
  let value: string | undefined = ''
  if (option.value !== null) {
    value = equals < 0 ? (rest.next().value as string | undefined) : word.slice(equals + 1)
    if (!value) throw new UsageError(`option "--${name}" requires ${option.value}`)
  }
  option.set(options, value)
}

function signalWord(value: string): SignalWord {
  if (!Object.hasOwn(SIGNALS, value)) throw new UsageError(`invalid option: "-s ${value}"`)
  return value as SignalWord
}

/** nginx's help, and weir's own options after it. */
export function helpText(prefix: string): string {
  const long = longOptions.map(({ name, value, help }) => {
    const left = `--${name}${value === null ? '' : ` ${value}`}`
    return `  ${left.padEnd(28)}: ${help}\n`
  })
  return `Usage: weir [-?hvVtTq] [-s signal] [-p prefix]
            [-e filename] [-c filename] [-g directives]
            [--worker-processes number] [--worker-connections number]
            [--demo] [--demo-port port]

Options:
  -?,-h         : this help
  -v            : show version and exit
  -V            : show version and configure options then exit
  -t            : test configuration and exit
  -T            : test configuration, dump it and exit
  -q            : suppress non-error messages during configuration testing
  -s signal     : send signal to a master process: stop, quit, reopen, reload
  -p prefix     : set prefix path (default: ${prefix})
  -e filename   : set error log file (default: logs/error.log)
  -c filename   : set configuration file (default: conf/nginx.conf)
  -g directives : set global directives out of configuration file

${long.join('')}
`
}
