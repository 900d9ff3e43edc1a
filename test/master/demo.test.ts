// What `weir --demo` prepares: backends that answer, a configuration that names them, and nothing left behind.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { appendFile, readFile, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { resolve } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { type Demo, startDemo } from '../../src/master/demo/demo.ts'
import { freePort } from '../support/temporary.ts'
import { eventually } from '../support/wait.ts'

const LAUNCHER = resolve(import.meta.dirname, '../../src/master/weir')

let demo: Demo | null = null
afterEach(async () => {
  await demo?.stop()
  demo = null
})

async function upstreams(confFile: string): Promise<string[]> {
  const conf = await readFile(confFile, 'utf8')
  return [...conf.matchAll(/^ *server (127\.0\.0\.1:\d+);/gm)].map((match) => match[1]!)
}

function listen(port: number): Promise<Server> {
  return new Promise((done, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => done(server))
  })
}

test('the configuration listens on the port asked for and names two backends that answer', async () => {
  const port = await freePort()
  demo = await startDemo(port)
  expect(await readFile(demo.confFile, 'utf8')).toContain(`listen 127.0.0.1:${port};`)
  const addresses = await upstreams(demo.confFile)
  expect(addresses).toHaveLength(2)
  const answers = await Promise.all(addresses.map((address) => fetch(`http://${address}/hello`)))
  expect(answers.map((answer) => answer.headers.get('x-backend'))).toEqual(['one', 'two'])
})

test('the introduction names the site, the configuration and the process to signal', async () => {
  const port = await freePort()
  demo = await startDemo(port)
  expect(demo.introduction).toContain(`http://localhost:${port}/`)
  expect(demo.introduction).toContain(demo.confFile)
  expect(demo.introduction).toContain(`kill -HUP ${process.pid}`)
})

test('a taken port is refused with the option that chooses another, and nothing is left', async () => {
  const server = await listen(0)
  const { port } = server.address() as { port: number }
  await expect(startDemo(port)).rejects.toThrow(new RegExp(`port ${port} is taken.*--demo-port`))
  server.close()
})

test("a backend's usual port asked for as the demo's is left to it", async () => {
  const taken = await listen(8081).catch(() => null)
  if (taken === null) return
  await new Promise((done) => taken.close(done))
  demo = await startDemo(8081)
  expect(await upstreams(demo.confFile)).not.toContain('127.0.0.1:8081')
  await new Promise((done) => void listen(8081).then((server) => server.close(done)))
})

test('stop removes the folder', async () => {
  const { prefix, stop } = await startDemo(await freePort())
  expect(existsSync(`${prefix}logs`)).toBe(true)
  expect(await stop()).toBeNull()
  expect(existsSync(prefix)).toBe(false)
})

test('stop keeps a configuration that was edited, and says where', async () => {
  const { prefix, confFile, stop } = await startDemo(await freePort())
  await appendFile(confFile, '# mine\n')
  expect(await stop()).toContain(confFile)
  expect(existsSync(confFile)).toBe(true)
  await rm(prefix, { recursive: true })
})

test('weir --demo answers through the proxy, in the foreground, until Ctrl-C, and leaves nothing behind', async () => {
  const port = await freePort()
  const child = spawn(LAUNCHER, ['--demo', '--demo-port', `${port}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  let text = ''
  child.stdout.on('data', (chunk) => (text += chunk))
  try {
    await eventually('introduction', () => text.includes('Ctrl-C'))
    expect(text).toContain(`kill -HUP ${child.pid}`)
    const answer = await fetch(`http://127.0.0.1:${port}/moved/users`)
    expect(await answer.text()).toMatch(
      /^GET \/v2\/users HTTP\/1\.1\nHost: 127\.0\.0\.1\nX-Real-IP: 127\.0\.0\.1\n/,
    )
  } finally {
    child.kill('SIGINT')
  }
  expect(await ended).toEqual([0, null])
  const folder = /^configuration {2}(.*)\/nginx\.conf$/m.exec(text)![1]!
  expect(existsSync(folder)).toBe(false)
})

test('weir --demo on a taken port exits with 1 and says what to do', async () => {
  const server = await listen(0)
  const { port } = server.address() as { port: number }
  const child = spawn(LAUNCHER, ['--demo-port', `${port}`], { stdio: ['ignore', 'ignore', 'pipe'] })
  let text = ''
  child.stderr.on('data', (chunk) => (text += chunk))
  expect(await once(child, 'close')).toEqual([1, null])
  expect(text).toContain(`port ${port} is taken; choose another: npm start -- --demo-port`)
  server.close()
})
