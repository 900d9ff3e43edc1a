// What ended a thread, for one line of the log.

/** An exception with its stack, on one line. */
export function describeFailure(error: unknown): string {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return text.replace(/\s*\n\s*/g, ' ')
}
