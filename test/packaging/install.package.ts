// The published package: packed, installed into an empty folder, and run there as a user would.

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePort, removeFolder, temporaryFolder } from '../support/temporary.ts'
import { eventually } from '../support/wait.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const run = promisify(execFile)

let folder: string
let weir: string
beforeAll(async () => {
  folder = await temporaryFolder()
  await run('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: ROOT })
  const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz'))
  const app = join(folder, 'app')
  await mkdir(app)
  await writeFile(join(app, 'package.json'), '{ "private": true, "allowScripts": { "node": true } }')
  const flags = ['--prefer-offline', '--no-audit', '--no-fund']
  await run('npm', ['install', ...flags, join(folder, tarball!)], { cwd: app, env: withoutNpm() })
  weir = join(app, 'node_modules/.bin/weir')
})
afterAll(() => removeFolder(folder))

/** The environment without what the npm that runs this test adds: its settings and the project's own binaries. */
function withoutNpm(): NodeJS.ProcessEnv {
  const own = join(ROOT, 'node_modules')
  const path = (process.env.PATH ?? '').split(':').filter((entry) => !entry.startsWith(own))
  const entries = Object.entries(process.env).filter(
    ([name]) => !/^npm_(?!config_registry$|config_cache$)/i.test(name),
  )
  return { ...Object.fromEntries(entries), PATH: path.join(':') }
}

/** Runs the installed command to its end. */
async function command(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  try {
    return { code: 0, ...(await run(weir, args, { env: withoutNpm() })) }
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
    return { code, stdout, stderr }
  }
}

/** The text `child` has written to both of its outputs. */
function output(child: ChildProcess): () => string {
  let text = ''
  child.stdout?.on('data', (chunk) => (text += chunk))
  child.stderr?.on('data', (chunk) => (text += chunk))
  return () => text
}

test('holds compiled code, configurations and the documents, no sources or tests', async () => {
  const names = (await readdir(join(folder, 'app/node_modules/weir'), { recursive: true })).filter(
    (name) => !name.startsWith('node_modules'),
  )
  const wanted = [
    'README.md',
    'LICENSE',
    'conf/nginx.conf',
    'conf/demo.conf',
    'dist/master/weir',
    'dist/master/main.js',
  ]
  expect(names).toEqual(expect.arrayContaining([...wanted, 'dist/worker/main.js']))
  expect(names.filter((name) => /\.ts$|^(src|test|bench)\b/.test(name))).toEqual([])
})

test('runs on the Node that came with it', async () => {
  const { stdout } = await run(join(folder, 'app/node_modules/node/bin/node'), ['-v'])
  expect(stdout).toMatch(/^v26\./)
})

test('-v prints the version of the package', async () => {
  const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'))
  expect(await command('-v')).toEqual({ code: 0, stdout: '', stderr: `weir version: weir/${version}\n` })
})

test('-t passes the default configuration that comes with it, on a port anyone may bind', async () => {
  const root = join(folder, 'app/node_modules/weir/conf')
  const text = await readFile(join(root, 'nginx.conf'), 'utf8')
  await writeFile(join(root, 'other.conf'), text.replace('listen 80;', `listen ${await freePort()};`))
  const { code, stderr } = await command('-t', '-c', 'conf/other.conf')
  expect(stderr).toContain('syntax is ok')
  expect(stderr).toContain('test is successful')
  expect(code).toBe(0)
})

test('-t fails on an error with exit code 1', async () => {
  await writeFile(join(folder, 'bad.conf'), 'events {}\nhttp { prox_pass a; }\n')
  const { code, stderr } = await command('-t', '-c', join(folder, 'bad.conf'))
  expect(stderr).toContain('unknown directive "prox_pass"')
  expect(code).toBe(1)
})

test('the demo answers through the proxy, and Ctrl-C ends it cleanly', async () => {
  const port = await freePort()
  const child = spawn(weir, ['--demo-port', `${port}`], {
    env: withoutNpm(),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const text = output(child)
  const ended = once(child, 'exit')
  try {
    await eventually('introduction', () => text().includes('Ctrl-C'))
    const response = await fetch(`http://127.0.0.1:${port}/cut/users`)
    expect(await response.text()).toMatch(/^GET \/users HTTP\/1\.1\n/)
  } finally {
    child.kill('SIGINT')
  }
  expect(await ended).toEqual([0, null])
})
