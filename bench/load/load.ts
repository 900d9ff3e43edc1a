// What every load generator is given and gives back. Each runs in a process of its own, never in the bench's.

import type { LoadScenario } from '../scenario.ts'

export interface LoadJob {
  scenario: LoadScenario
  url: string
  seconds: number
  cores: string | null
}

/** One round as the clients saw it. */
export interface LoadResult {
  /** Answers received. */
  requests: number
  /** Seconds the load lasted. */
  seconds: number
  /** Milliseconds. */
  p50: number
  p99: number
  /** Answers that were not 2xx, connections refused or cut, and timeouts. */
  errors: number
}

export type LoadGenerator = (job: LoadJob) => Promise<LoadResult>

/** What a client says its Host is: the `server_name` of the configuration. */
export const HOST = 'example.com'
