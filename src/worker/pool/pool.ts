// The thread pool: work that takes the processor for long, kept off the event loop of the worker that needs it. Threads
// start with the first task and end when there has been nothing to do for a while.

import { Piscina } from 'piscina'

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

/** Runs a job on a thread of the pool; rejects with what the job throws, or when too many tasks are waiting. */
export function inPool<Input, Output>({ file }: Job<Input, Output>, input: Input): Promise<Output> {
  pool ??= new Piscina({
    minThreads: 0,
    maxThreads: THREADS,
    idleTimeout: IDLE,
    maxQueue: MAX_QUEUE,
    // A thread that blocks until its next task would be awake for nobody.
    atomics: 'disabled',
  })
  return pool.run(input, { filename: file })
}
