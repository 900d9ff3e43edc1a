// src/master/weir, the launcher, in folders made for it: which Node it takes, what it says when there is none, and
// what it hands over. The Nodes are shell scripts.

import { execFile } from 'node:child_process'
import { chmod, copyFile, mkdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { removeFolder, temporaryFolder } from '../support/temporary.ts'

const LAUNCHER = resolve(import.meta.dirname, '../../src/master/weir')
const SYSTEM = '/usr/bin:/bin'

let folder: string
beforeEach(async () => {
  folder = await temporaryFolder()
})
afterEach(() => removeFolder(folder))

/** A launcher at `path`, with a `main` beside it. */
async function install(path: string, main: 'main.ts' | 'main.js'): Promise<string> {
  const launcher = join(folder, path)
  await mkdir(dirname(launcher), { recursive: true })
  await copyFile(LAUNCHER, launcher)
  await writeFile(join(dirname(launcher), main), '')
  return launcher
}

/** A Node that says `version`, and otherwise prints its name, process id, arguments and the settings it was given. */
async function fakeNode(path: string, version: string): Promise<void> {
  const script = `if [ "$1" = -v ]; then echo ${version}; exit; fi
echo "node=${path}"; echo "pid=$$"; echo "args=$*"
echo "pool=$UV_THREADPOOL_SIZE"; echo "cache=$NODE_COMPILE_CACHE"`
  await executable(path, script)
}

async function executable(path: string, script: string): Promise<void> {
  const file = join(folder, path)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, `#!/bin/sh\n${script}\n`)
  await chmod(file, 0o755)
}

interface Outcome {
  code: number
  pid: number | undefined
  stderr: string
  /** What the Node printed, by name. */
  seen: Record<string, string>
}

/** Runs `command` with a PATH that has the system's tools, but a Node only where the test puts one into `bin`. */
function run(command: string, args: string[] = [], env: Record<string, string> = {}): Promise<Outcome> {
  return new Promise((done) => {
    const options = { env: { PATH: `${join(folder, 'bin')}:${SYSTEM}`, ...env } }
    const child = execFile(command, args, options, (error, stdout, stderr) => {
      const code = typeof error?.code === 'number' ? error.code : 0
      const seen = Object.fromEntries(stdout.split('\n').map((line) => line.split(/=(.*)/s, 2)))
      done({ code, pid: child.pid, stderr, seen })
    })
  })
}

describe('the Node it takes', () => {
  test('the one npm installed beside a checkout', async () => {
    const weir = await install('project/src/master/weir', 'main.ts')
    await fakeNode('project/node_modules/node/bin/node', 'v26.10.0')
    await fakeNode('bin/node', 'v27.0.0')
    expect((await run(weir)).seen.node).toBe('project/node_modules/node/bin/node')
  })

  test('the one npm hoisted beside an installed package', async () => {
    const weir = await install('app/node_modules/weir/dist/master/weir', 'main.js')
    await fakeNode('app/node_modules/node/bin/node', 'v26.10.0')
    expect((await run(weir)).seen.node).toBe('app/node_modules/node/bin/node')
  })

  test('the nearest of two', async () => {
    const weir = await install('app/node_modules/weir/dist/master/weir', 'main.js')
    await fakeNode('app/node_modules/node/bin/node', 'v28.0.0')
    await fakeNode('app/node_modules/weir/node_modules/node/bin/node', 'v26.10.0')
    expect((await run(weir)).seen.node).toBe('app/node_modules/weir/node_modules/node/bin/node')
  })

  test('the one in PATH when the nearest is too old', async () => {
    const weir = await install('app/node_modules/weir/dist/master/weir', 'main.js')
    await fakeNode('app/node_modules/node/bin/node', 'v22.1.0')
    await fakeNode('bin/node', 'v26.0.0')
    expect((await run(weir)).seen.node).toBe('bin/node')
  })

  test('is found through symbolic links, relative and absolute, and with a space in the path', async () => {
    const weir = await install('my app/dist/master/weir', 'main.js')
    await fakeNode('my app/node_modules/node/bin/node', 'v26.10.0')
    await mkdir(join(folder, 'bin'))
    await symlink(weir, join(folder, 'my app/link'))
    await symlink('../my app/link', join(folder, 'bin/weir'))
    const { seen } = await run('weir', ['-t'])
    expect(seen.node).toBe('my app/node_modules/node/bin/node')
    expect(seen.args).toBe(`${dirname(weir)}/main.js -t`)
  })
})

describe('without a Node to run on', () => {
  test('a checkout says npm ci, and which Node there is', async () => {
    const weir = await install('project/src/master/weir', 'main.ts')
    await fakeNode('bin/node', 'v20.20.2')
    const { code, stderr, seen } = await run(weir)
    expect(code).toBe(1)
    expect(stderr).toContain(`weir: Node 26 or newer is needed (${folder}/bin/node is v20.20.2)\n`)
    expect(stderr).toContain(`weir: run npm ci in ${folder}/project`)
    expect(seen.node).toBeUndefined()
  })

  test('an installed package says how to install it again', async () => {
    const weir = await install('node_modules/weir/dist/master/weir', 'main.js')
    await fakeNode('bin/node', 'v20.20.2')
    const { code, stderr } = await run(weir)
    expect(code).toBe(1)
    expect(stderr).toContain('--allow-scripts=node')
  })

  test('a missing libatomic is named with its package, and npm ci is not blamed', async () => {
    const weir = await install('project/src/master/weir', 'main.ts')
    const complaint = 'error while loading shared libraries: libatomic.so.1: cannot open shared object file'
    await executable('project/node_modules/node/bin/node', `echo "node: ${complaint}" >&2; exit 127`)
    await fakeNode('bin/node', 'v20.20.2')
    const { code, stderr } = await run(weir)
    expect(code).toBe(1)
    expect(stderr).toContain('libatomic.so.1')
    expect(stderr).toContain('apt-get install libatomic1')
    expect(stderr).not.toContain('npm ci')
  })
})

describe('what it hands over', () => {
  test('its process, so that signals and the process id are the same', async () => {
    const weir = await install('project/src/master/weir', 'main.ts')
    await fakeNode('bin/node', 'v26.0.0')
    const { pid, seen } = await run(weir)
    expect(Number(seen.pid)).toBe(pid)
  })

  test('every argument as it was given', async () => {
    const weir = await install('project/src/master/weir', 'main.ts')
    await executable('bin/node', `[ "$1" = -v ] && echo v26.0.0 && exit; echo "count=$#"; echo "last=$5"`)
    const { seen } = await run(weir, ['-c', 'a b.conf', '-g', 'daemon off; user "x";'])
    expect(seen).toMatchObject({ count: '5', last: 'daemon off; user "x";' })
  })

  test('main.js of a build before main.ts, without a compile cache', async () => {
    const weir = await install('project/dist/master/weir', 'main.js')
    await install('project/dist/master/weir', 'main.ts')
    await fakeNode('bin/node', 'v26.0.0')
    expect((await run(weir)).seen).toMatchObject({ args: `${dirname(weir)}/main.js`, cache: '' })
  })

  test('main.ts of a checkout, with a compile cache beside the code', async () => {
    const weir = await install('project/src/master/weir', 'main.ts')
    await fakeNode('bin/node', 'v26.0.0')
    const cache = join(folder, 'project/node_modules/.cache/weir')
    expect((await run(weir)).seen).toMatchObject({ args: `${dirname(weir)}/main.ts`, cache })
  })

  test('a larger thread pool, unless one was chosen', async () => {
    const weir = await install('project/src/master/weir', 'main.ts')
    await fakeNode('bin/node', 'v26.0.0')
    expect((await run(weir)).seen.pool).toBe('16')
    expect((await run(weir, [], { UV_THREADPOOL_SIZE: '5' })).seen.pool).toBe('5')
  })
})
