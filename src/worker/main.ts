// A worker thread: the shell on the thread's port. After an exception that nobody caught the thread ends, and the
// master starts another one.

import { parentPort, type Transferable, workerData } from 'node:worker_threads'
import { describeFailure } from '../shared/failure.ts'
import type { ToWorker, WorkerBoot } from '../shared/messages.ts'
import { WorkerShell } from './shell.ts'

const port = parentPort!
const shell = new WorkerShell(workerData as WorkerBoot, {
  send: (message, transfer = []) => port.postMessage(message, transfer as Transferable[]),
  exit: () => process.exit(0),
})
process.on('uncaughtException', (error) => shell.crash(describeFailure(error)))
port.on('message', (message: ToWorker) => shell.receive(message))
