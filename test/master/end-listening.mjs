// Loaded into weir's threads by a test: the first worker ends as soon as it is asked to open a listening socket.

import { isMainThread, parentPort, workerData } from 'node:worker_threads'

if (!isMainThread && workerData.slot === 0 && workerData.plan.generation === 1) {
  parentPort.on('message', (message) => {
    if (message.type === 'listen') process.exit(1)
  })
}
