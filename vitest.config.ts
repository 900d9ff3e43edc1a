import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 30_000,
    pool: 'forks',
    maxWorkers: 2,
    // Most of the time of a process that a test starts is compiling, which the first one does for all.
    env: { NODE_COMPILE_CACHE: fileURLToPath(new URL('node_modules/.cache/weir', import.meta.url)) },
  },
})
