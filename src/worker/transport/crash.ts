// What happens when handling what a connection brought throws, which is a bug of ours: the connection is closed and the
// stack is logged; the thread and its other connections live on.

import { describeFailure } from '../../shared/failure.ts'
import type { Transport } from './transport.ts'

let report: (stack: string) => void = () => {}

/** Sets who is told of the stacks; the engine logs them. */
export function onCrash(reporter: (stack: string) => void): void {
  report = reporter
}

/** Tells of an error that nothing else will. */
export function reportCrash(error: unknown): void {
  report(describeFailure(error))
}

/** Closes `transport`, whose owner threw `error`. */
export function crashed(transport: Transport, error: unknown): void {
  reportCrash(error)
  transport.destroy(true)
}
