// Folders for temporary files: made at start, for whom they are for, and empty again whatever becomes of the process.

import { readdirSync, readlinkSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { makeTempFolders } from '../../src/master/temp-folders.ts'
import { type RunningProxy, startWeir } from '../support/proxy.ts'
import { removeFolder, temporaryFolder } from '../support/temporary.ts'
import { eventually } from '../support/wait.ts'

const conf = (directives = '') => `events { worker_connections 64; }
http { ${directives} server { listen 127.0.0.1:%PORT%; location / { proxy_pass http://127.0.0.1:9; } } }`

let weir: RunningProxy | null = null
afterEach(async () => {
  await weir?.stop()
  weir = null
})

describe('makeTempFolders', () => {
  it('makes what is missing, for its owner alone, and leaves what is there', async () => {
    const folder = await temporaryFolder()
    makeTempFolders([join(folder, 'a'), join(folder, 'b'), join(folder, 'a')], null)
    makeTempFolders([join(folder, 'a')], null)
    expect(readdirSync(folder)).toEqual(['a', 'b'])
    expect(statSync(join(folder, 'a')).mode & 0o777).toBe(0o700)
    await removeFolder(folder)
  })

  it.skipIf(process.getuid?.() !== 0)('gives them to the account that will use them', async () => {
    const folder = await temporaryFolder()
    makeTempFolders([join(folder, 'a')], { user: 'nobody', group: 'nogroup', uid: 65534, gid: 65534 })
    expect(statSync(join(folder, 'a')).uid).toBe(65534)
    await removeFolder(folder)
  })
})

describe('a start', () => {
  it('makes the folder that is used where none is named', async () => {
    weir = await startWeir(conf())
    expect(statSync(join(weir.folder, 'client_body_temp')).mode & 0o777).toBe(0o700)
  })

  it('fails where a folder cannot be made', async () => {
    await expect(startWeir(conf('client_body_temp_path nowhere/bodies;'))).rejects.toThrow(
      /\[emerg\] mkdir\(\) "\S+\/nowhere\/bodies" failed \(2: No such file or directory\)/,
    )
  })
})

it('a process that is killed leaves no temporary file', async () => {
  weir = await startWeir(conf('client_max_body_size 0;'))
  const { process: child, folder, ports } = weir
  const socket = connect(ports[0]!, '127.0.0.1')
  socket.on('error', () => {})
  socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n')
  socket.write(Buffer.alloc(1_000_000))
  const files = (): string[] =>
    readdirSync(`/proc/${child.pid}/fd`).flatMap((fd) => {
      try {
        return [readlinkSync(`/proc/${child.pid}/fd/${fd}`)]
      } catch {
        return []
      }
    })
  await eventually('open file without a name', () =>
    files().some((path) => path.includes('client_body_temp') && path.endsWith(' (deleted)')),
  )
  child.kill('SIGKILL')
  await eventually('end of weir', () => child.signalCode === 'SIGKILL')
  expect(readdirSync(join(folder, 'client_body_temp'))).toEqual([])
  socket.destroy()
})
