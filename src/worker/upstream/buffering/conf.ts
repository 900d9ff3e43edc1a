// What the directives about buffering say for a location: how much of a response is kept for a client that does not
// take it at once, and where.

import type { BuildContext } from '../../../shared/conf/build.ts'
import { HTTP, type Setter } from '../../../shared/conf/command.ts'
import type { Place } from '../../../shared/conf/directive.ts'
import type { Buffers } from '../../../shared/conf/setters.ts'
import type { TempPath } from '../../body/temp-path.ts'
import type { Request } from '../../http/request.ts'

export interface BufferingSettings {
  /** false: what the client does not take is left with the backend. */
  on: boolean
  /** Bytes of one response in memory. */
  memory: number
  /** Bytes that are given to the client at a time. */
  busy: number
  /** Bytes of one response in a file; 0: none is used. */
  file: number
  /** Bytes that are gathered for one write to it. */
  writeSize: number
  path: TempPath
  /** Content that is never kept, unless the backend says so. */
  unbuffered: TypeList
}

/** The directives by their names without the prefix, merged; -1: not set. */
export interface BufferingConf {
  bufferSize: number
  buffers: Buffers
  busyBuffersSize: number
  maxTempFileSize: number
  tempFileWriteSize: number
}

/** The sizes as nginx computes and checks them; `prefix` names the directives. */
export function bufferSizes(
  conf: BufferingConf,
  prefix: string,
  context: BuildContext,
): Pick<BufferingSettings, 'memory' | 'busy' | 'file' | 'writeSize'> {
  const { count, size: one } = conf.buffers
  const place = endOfHttp(context)
  const largest = Math.max(conf.bufferSize, one)
  const busy = conf.busyBuffersSize < 0 ? 2 * largest : conf.busyBuffersSize
  const writeSize = conf.tempFileWriteSize < 0 ? 2 * largest : conf.tempFileWriteSize
  const most = `the maximum of the value of "${prefix}_buffer_size" and one of the "${prefix}_buffers"`
  const least = (name: string) => `"${prefix}_${name}" must be equal to or greater than ${most}`
  if (count < 2) context.error(`there must be at least 2 "${prefix}_buffers"`, place)
  if (busy < largest) context.error(least('busy_buffers_size'), place)
  if (busy > (count - 1) * one) {
    context.error(
      `"${prefix}_busy_buffers_size" must be less than the size of all "${prefix}_buffers" minus one buffer`,
      place,
    )
  }
  if (writeSize < largest) context.error(least('temp_file_write_size'), place)
  const file = conf.maxTempFileSize
  if (file !== 0 && file < largest) {
    context.error(
      `"${prefix}_max_temp_file_size" must be equal to zero to disable temporary files usage ` +
        `or must be equal to or greater than ${most}`,
      place,
    )
  }
  return { memory: count * one, busy, file, writeSize }
}

/** Where nginx reports it: where the levels are merged. */
function endOfHttp({ scope }: BuildContext): Place | null {
  const directive = scope.within(HTTP)?.directive
  return directive == null ? null : { file: directive.file, line: directive.endLine ?? directive.line }
}

/** Types of content; `*` at the end of one stands for anything. */
export class TypeList {
  readonly #exact: ReadonlySet<string>
  readonly #beginnings: readonly string[]

  constructor(types: readonly string[]) {
    const lower = types.map((type) => type.toLowerCase())
    this.#exact = new Set(lower.filter((type) => !type.endsWith('*')))
    this.#beginnings = lower.filter((type) => type.endsWith('*')).map((type) => type.slice(0, -1))
  }

  /** Whether a Content-Type, with or without parameters, is one of them. */
  has(contentType: string | null): boolean {
    if (contentType === null) return false
    const type = contentType.split(';', 1)[0]!.trim().toLowerCase()
    return this.#exact.has(type) || this.#beginnings.some((beginning) => type.startsWith(beginning))
  }
}

/** What is passed on without waiting where nothing else is said: events, and what gRPC streams. */
export const STREAMS = new TypeList(['text/event-stream', 'application/grpc*'])

/** Setter of a list of types, or `off`. */
export function setUnbufferedTypes(...[directive, context]: Parameters<Setter>): TypeList {
  const { args } = directive
  if (args.length > 1 && args.includes('off')) context.error('invalid value "off"')
  return args[0] === 'off' ? new TypeList([]) : new TypeList(args)
}

/** Whether what the client does not take of a response at once is kept. The backend has the last word. */
export function isBuffered(r: Request, settings: BufferingSettings): boolean {
  const asked = r.upstream!.buffering
  if (asked !== null) return asked
  return settings.on && !settings.unbuffered.has(r.response.contentType)
}
