// `npm run test:package`: the package as others get it. Apart from `npm test`, because it compiles and installs.

import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/packaging/*.package.ts'],
    testTimeout: 60_000,
    hookTimeout: 300_000,
  },
})
