// The websocket scenario: its backend and its clients understand each other, and both proxies pass upgrades on.

import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { Child } from '../../bench/children.ts'
import { proxyConf } from '../../bench/conf.ts'
import { clientFrame, echoes, serverFrame } from '../../bench/frames.ts'
import type { LoadResult } from '../../bench/load/load.ts'
import { startEcho } from '../../bench/messages.ts'
import { websocket } from '../../bench/scenarios/websocket.ts'
import { buildCycle } from '../../src/shared/conf/build.ts'
import { parseText } from '../../src/shared/conf/parser.ts'
import { modules } from '../../src/worker/modules.ts'

const CLIENTS = fileURLToPath(new URL('../../bench/load/echo-clients.ts', import.meta.url))

async function converse(port: number, count: number): Promise<Child> {
  const clients = new Child([process.execPath, CLIENTS, String(port), '/echo', String(count), '64', '1'], {
    cores: null,
  })
  await clients.ended
  return clients
}

it('clients count messages that come back as they are', async () => {
  const echo = await startEcho(null)
  try {
    const clients = await converse(echo.port, 3)
    expect(clients.stderr).toBe('')
    const result = JSON.parse(await clients.line('{')) as LoadResult
    expect(result.errors).toBe(0)
    expect(result.requests).toBeGreaterThan(3)
    expect(result.p99).toBeGreaterThanOrEqual(result.p50)
  } finally {
    await echo.child.stop()
  }
})

it('the backend is understood by a WebSocket client of others', async () => {
  const echo = await startEcho(null)
  try {
    const socket = new WebSocket(`ws://127.0.0.1:${echo.port}/echo`)
    await once(socket, 'open')
    for (const text of ['', 'a', 'a longer message'.repeat(5)]) {
      socket.send(text)
      const [message] = (await once(socket, 'message')) as [Buffer]
      expect(message.toString()).toBe(text)
    }
    socket.terminate()
  } finally {
    await echo.child.stop()
  }
})

it('frames in pieces are waited for', () => {
  const frame = clientFrame(Buffer.from('words'), Buffer.from([9, 8, 7, 6]))
  const two = Buffer.concat([frame, frame])
  for (let cut = 0; cut <= two.length; cut++) {
    const { frames, used } = echoes(two.subarray(0, cut))
    const whole = Math.floor(cut / frame.length)
    expect(used).toBe(whole * frame.length)
    expect(frames).toEqual(Buffer.concat(Array(whole).fill(serverFrame(Buffer.from('words')))))
  }
})

it('clients fail where there is no WebSocket', async () => {
  const server = createServer((socket) => {
    socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\r\n\r\n')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const clients = await converse((server.address() as AddressInfo).port, 2)
  server.close()
  expect(await clients.ended).toBe(1)
  expect(clients.stderr).toContain('no WebSocket: HTTP/1.1 400 Bad Request')
})

it('both proxies are told to pass upgrades on, and weir takes the configuration', () => {
  const conf = proxyConf('nginx', websocket, 8080, 8081)
  expect(conf).toContain('proxy_set_header Upgrade $http_upgrade;')
  expect(conf).toContain('proxy_set_header Connection "upgrade";')
  expect(conf).not.toContain('Connection ""')
  expect(proxyConf('weir', websocket, 8080, 8081)).toBe(conf)
  const tree = parseText(conf, 'nginx.conf')
  expect(() => buildCycle(tree, modules, { prefix: '/x/', confPrefix: '/x/' })).not.toThrow()
})
