// The common case: a small answer over keepalive connections, everything on that a production server has on.

import { baseline, type LoadScenario } from '../scenario.ts'

export const get1k: LoadScenario = baseline
