// Loaded into weir's threads by a test: on SIGUSR2 the first worker throws an exception that nobody catches.

import { isMainThread, workerData } from 'node:worker_threads'

const channel = new BroadcastChannel('crash')
channel.unref()
if (isMainThread) process.on('SIGUSR2', () => channel.postMessage('now'))
else if (workerData.slot === 0) {
  channel.onmessage = () =>
    setImmediate(() => {
      throw new Error('thrown by the test')
    })
}
