// A page or an image: the body takes several reads and writes.

import { baseline, type LoadScenario } from '../scenario.ts'

export const get64k: LoadScenario = {
  ...baseline,
  name: '64k',
  title: '64 KiB GET',
  path: '/64k',
  connections: 32,
  target: 1,
}
