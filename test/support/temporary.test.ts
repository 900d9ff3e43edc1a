// The ports tests are given: two servers of one configuration on one port would answer for each other.

import { expect, it } from 'vitest'
import { freePort } from './temporary.ts'

it('a port is given once', async () => {
  const ports: number[] = []
  for (let count = 0; count < 200; count++) ports.push(await freePort())
  expect(new Set(ports).size).toBe(200)
})
