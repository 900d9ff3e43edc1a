// A download: nearly all of the time goes to moving bytes.

import { baseline, type LoadScenario } from '../scenario.ts'

export const get1m: LoadScenario = {
  ...baseline,
  name: '1m',
  title: '1 MiB GET',
  path: '/1m',
  connections: 16,
  target: 1.5,
}
