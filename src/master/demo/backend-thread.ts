// Entry of the demo backend's thread: keeps the backends' work off the master's event loop. Started by demo.ts with
// one backend for each of `workerData.ports`; posts the ports they got, then serves until the thread is terminated.

import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { parentPort, workerData } from 'node:worker_threads'
import { createBackend } from './backend.ts'

const names = ['one', 'two', 'three', 'four']

/** Listens on `port`, or on a free one where that is taken. */
async function listen(server: Server, port: number): Promise<number> {
  for (const candidate of [port, 0]) {
    try {
      server.listen(candidate, '127.0.0.1')
      await once(server, 'listening')
      return (server.address() as AddressInfo).port
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || candidate === 0) throw error
    }
  }
  return 0
}

const { ports } = workerData as { ports: number[] }
const taken: number[] = []
for (const [index, port] of ports.entries())
  taken.push(await listen(createBackend(names[index] ?? `${index + 1}`), port))
parentPort?.postMessage(taken)
