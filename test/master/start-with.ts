// Starts weir on a Node with options of its own, for modules that tests load into weir's threads.

import { type RunningProxy, startWeir, weirCommand } from '../support/proxy.ts'

export async function startWith(nodeOptions: readonly string[], conf: string): Promise<RunningProxy> {
  const [node, ...rest] = weirCommand()
  const before = process.env.WEIR_BIN
  process.env.WEIR_BIN = [node, ...nodeOptions, ...rest].join(' ')
  try {
    return await startWeir(conf)
  } finally {
    if (before === undefined) delete process.env.WEIR_BIN
    else process.env.WEIR_BIN = before
  }
}
