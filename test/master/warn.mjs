// Loaded into weir by a test: on SIGUSR2 Node warns on the standard error.

import { isMainThread } from 'node:worker_threads'

if (isMainThread) process.on('SIGUSR2', () => process.emitWarning('given by the test'))
