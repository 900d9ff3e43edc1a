// Free ports, and waiting until something answers on one.

import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Child } from './children.ts'

/** A port of 127.0.0.1 that nobody listens on at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Resolves once `port` accepts; rejects when the child ends or 20 seconds pass. */
export async function listening(child: Child, port: number): Promise<void> {
  const deadline = Date.now() + 20_000
  while (!(await accepts(port))) {
    if (!child.running) throw new Error('ended before it listened')
    if (Date.now() > deadline) throw new Error('does not listen after 20 seconds')
    await delay(20)
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
