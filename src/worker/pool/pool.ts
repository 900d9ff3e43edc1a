// The thread pool: work that takes the processor for long, kept off the event loop of the worker that needs it. Threads
// start with the first task and end when there has been nothing to do for a while.

import { Piscina } from 'piscina'
import { Turns } from './turns.ts'

/** Threads for each worker: several workers may be busy at once. */
const THREADS = 2
/** Milliseconds a thread waits for the next task. */
const IDLE = 10_000
/** Tasks that may wait, as in nginx's default pool. */
const MAX_QUEUE = 65_536

let pool: Piscina | null = null

/** A module whose default export is the work: from structured-cloneable input to output. */
export interface Job<Input, Output> {
  readonly file: string
  /** Never there; ties the types to the file. */
  readonly types?: (input: Input) => Output
}

/** The job in `file` (a name without extension), seen from the module at `from` (its `import.meta.url`). */
export function job<Input, Output>(file: string, from: string): Job<Input, Output> {
  return { file: new URL(file + (from.endsWith('.ts') ? '.ts' : '.js'), from).href }
}

/** Work that has been asked for. */
export interface Task<Output> {
  /** Rejects with what the job throws, or when too many tasks are waiting. Never settles once it is given up. */
  readonly result: Promise<Output>
  /** Nobody waits for it any more: it is not begun. false: it has been. */
  giveUp(): boolean
}

const turns = new Turns(THREADS, MAX_QUEUE)

/** Runs a job on a thread of the pool. Tasks that wait take turns by `asker`. */
export function inPool<Input, Output>(
  { file }: Job<Input, Output>,
  input: Input,
  asker: string,
): Task<Output> {
  pool ??= new Piscina({
    minThreads: 0,
    maxThreads: THREADS,
    idleTimeout: IDLE,
    // A thread that blocks until its next task would be awake for nobody.
    atomics: 'disabled',
  })
  const threads = pool
  const { promise: result, resolve, reject } = Promise.withResolvers<Output>()
  const giveUp = turns.take(asker, () => threads.run(input, { filename: file }).then(resolve, reject))
  if (giveUp === null) reject(new Error(`${MAX_QUEUE} tasks wait for the thread pool`))
  return { result, giveUp: giveUp ?? (() => false) }
}
