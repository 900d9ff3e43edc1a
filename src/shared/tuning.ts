// nginx's tuning knobs that have no counterpart here: checked as nginx does, without effect, announced by `-t`.

import {
  type Command,
  EVENTS,
  HTTP,
  HTTP_ANY,
  IF_IN_LOCATION,
  LOCATION,
  MAIN,
  SERVER,
  type Setter,
} from './conf/command.ts'
import {
  buffers,
  flag,
  list,
  number,
  offOr,
  offset,
  oneOf,
  parsed,
  size,
  string,
  time,
} from './conf/setters.ts'
import { parseInteger, parseSize } from './conf/values.ts'

const POLLING = 'Node polls for events in one way only'
const ACCEPTING = 'the master thread accepts connections and hands them to the least loaded worker'
const FILES = 'files are read by a pool of threads and sent through ordinary writes'
const WRITING = 'the kernel decides when to send'
const HASHES = 'hash tables grow as they need to'
const POOLS = 'memory comes from the JavaScript heap'
const SCHEDULING = 'workers are threads of one process, scheduled by the kernel'

/** Memory pools of nginx are at least this large, and a multiple of 16. */
const MIN_POOL_SIZE = 112

export const tuningCommands: Command[] = [
  knob('accept_mutex', EVENTS, ACCEPTING, flag()),
  knob('accept_mutex_delay', EVENTS, ACCEPTING, time()),
  knob('multi_accept', EVENTS, ACCEPTING, flag()),
  knob('use', EVENTS, POLLING, eventMethod()),
  knob('worker_aio_requests', EVENTS, FILES, number()),

  knob('debug_points', MAIN, 'weir has no such points', oneOf({ stop: 1, abort: 2 })),
  knob('env', MAIN, 'threads see the whole environment', list(), { repeat: true }),
  knob('load_module', MAIN, 'modules of nginx cannot be loaded', list(), { repeat: true }),
  knob('lock_file', MAIN, ACCEPTING, string()),
  knob('pcre_jit', MAIN, 'regular expressions are compiled by the JavaScript engine', flag()),
  knob('ssl_engine', MAIN, 'Node chooses how OpenSSL computes', string()),
  knob('thread_pool', MAIN, 'weir sizes its pool of threads by itself', threadPool(), {
    args: [2, 3],
    repeat: true,
  }),
  knob('timer_resolution', MAIN, 'timers are driven by the event loop', time()),
  knob('worker_cpu_affinity', MAIN, SCHEDULING, cpuMasks(), { args: [1, Infinity] }),
  knob('worker_priority', MAIN, SCHEDULING, priority()),
  knob('worker_rlimit_core', MAIN, 'the limit of the process that starts weir holds', offset()),

  knob('aio', HTTP_ANY, FILES, aio()),
  knob('aio_write', HTTP_ANY, FILES, flag()),
  knob('directio', HTTP_ANY, FILES, offOr(offset())),
  knob('directio_alignment', HTTP_ANY, FILES, offset()),
  knob('output_buffers', HTTP_ANY, FILES, buffers(), { args: 2 }),
  knob('read_ahead', HTTP_ANY, FILES, size()),
  knob('sendfile', HTTP_ANY | IF_IN_LOCATION, FILES, flag()),
  knob('sendfile_max_chunk', HTTP_ANY, FILES, size()),
  knob('postpone_output', HTTP_ANY, WRITING, size()),
  knob('send_lowat', HTTP_ANY, WRITING, size()),
  knob('tcp_nopush', HTTP_ANY, WRITING, flag()),

  knob('connection_pool_size', HTTP | SERVER, POOLS, poolSize()),
  knob('request_pool_size', HTTP | SERVER, POOLS, poolSize()),

  ...hashKnobs('map', HTTP),
  ...hashKnobs('proxy_headers', HTTP_ANY),
  ...hashKnobs('referer', SERVER | LOCATION),
  ...hashKnobs('server_names', HTTP),
  ...hashKnobs('types', HTTP_ANY),
  ...hashKnobs('variables', HTTP),
]

function knob(
  name: string,
  contexts: number,
  noEffect: string,
  set: Setter,
  more: Partial<Command> = {},
): Command {
  return { name, in: contexts, args: 1, set, noEffect, ...more }
}

function hashKnobs(name: string, contexts: number): Command[] {
  return ['bucket_size', 'max_size'].map((suffix) =>
    knob(`${name}_hash_${suffix}`, contexts, HASHES, number()),
  )
}

function eventMethod(): Setter {
  const methods = ['epoll', 'poll', 'select', 'kqueue', 'eventport', '/dev/poll']
  return (directive, context) => {
    const word = directive.args[0]!
    return methods.includes(word) ? word : context.error(`invalid event type "${word}"`)
  }
}

function threadPool(): Setter {
  return (directive, context, previous) => {
    const [name, ...parameters] = directive.args as [string, ...string[]]
    const pools = (previous as string[] | undefined) ?? []
    if (pools.includes(name)) return context.error(`duplicate thread pool "${name}"`)
    for (const parameter of parameters) {
      const [, key, digits = ''] = /^(threads|max_queue)=(.*)$/s.exec(parameter) ?? []
      if (key === undefined) continue
      const value = parseInteger(digits)
      if (value === null || (key === 'threads' && value === 0)) {
        return context.error(`invalid ${key} value "${parameter}"`)
      }
    }
    if (!parameters.some((parameter) => parameter.startsWith('threads='))) {
      return context.error(`"thread_pool" must have "threads" parameter`)
    }
    return [...pools, name]
  }
}

function cpuMasks(): Setter {
  return (directive, context) => {
    const { name, args } = directive
    const masks = args[0] === 'auto' ? args.slice(1) : args
    if (args[0] === 'auto' && args.length > 2)
      return context.error(`invalid number of arguments in "${name}" directive`)
    for (const mask of masks) {
      const strange = /[^01 ]/.exec(mask)
      if (strange !== null) return context.error(`invalid character "${strange[0]}" in "${name}"`)
    }
    return args
  }
}

function priority(): Setter {
  return parsedNumber((text) => parseInteger(text.replace(/^[+-]/, '')))
}

function parsedNumber(parse: (text: string) => number | null): Setter {
  return (directive, context) =>
    parse(directive.args[0]!) ?? context.error(`"${directive.name}" directive invalid number`)
}

function aio(): Setter {
  return parsed((text) => (/^(on|off|threads(=.+)?)$/s.test(text) ? text : null))
}

function poolSize(): Setter {
  return (directive, context) => {
    const bytes = parseSize(directive.args[0]!)
    if (bytes === null) return context.error(`"${directive.name}" directive invalid value`)
    if (bytes < MIN_POOL_SIZE) return context.error(`the pool size must be no less than ${MIN_POOL_SIZE}`)
    if (bytes % 16 !== 0) return context.error('the pool size must be a multiple of 16')
    return bytes
  }
}
