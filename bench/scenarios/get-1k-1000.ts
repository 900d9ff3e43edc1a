// Many clients at once: more connections than the upstream cache holds, so backends are connected to anew.

import { baseline, type LoadScenario } from '../scenario.ts'

export const get1kThousand: LoadScenario = {
  ...baseline,
  name: '1000',
  title: '1 KiB GET, 1000 connections',
  connections: 1000,
  target: 1,
}
