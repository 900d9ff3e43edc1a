// What choosing costs: an upstream of 16 servers instead of one, with `least_conn`, and failures that count.

import { baseline, type LoadScenario } from '../scenario.ts'

export const upstream16: LoadScenario = {
  ...baseline,
  name: 'upstream-16',
  title: '1 KiB GET, 16 servers, least_conn',
  peers: 16,
}
