// Loaded into weir's threads by a test, with --expose-gc: on SIGUSR2 every worker collects its garbage.

import { isMainThread } from 'node:worker_threads'

const channel = new BroadcastChannel('collect')
channel.unref()
if (isMainThread) process.on('SIGUSR2', () => channel.postMessage('now'))
else channel.onmessage = () => globalThis.gc()
