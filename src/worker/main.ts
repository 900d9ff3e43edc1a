// A worker thread: the shell on the thread's port. An exception that nobody caught ends the thread, and Node reports
// it to the master with its stack; the master starts another one.

import { parentPort, workerData } from 'node:worker_threads'
import type { ToWorker, WorkerBoot } from '../shared/messages.ts'
import { WorkerShell } from './shell.ts'

const port = parentPort!
const shell = new WorkerShell(workerData as WorkerBoot, {
  send: (message) => port.postMessage(message),
  exit: () => process.exit(0),
})
port.on('message', (message: ToWorker) => shell.receive(message))
