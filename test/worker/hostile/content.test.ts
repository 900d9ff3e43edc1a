// What lies in folders by no good will: a pipe for a password file, a file without end for the answer of a subrequest.

import { execFileSync } from 'node:child_process'
import { truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type RunningProxy, startWeir } from '../../support/proxy.ts'
import { rawRequest } from '../../support/raw-client.ts'

const CONF = `
worker_processes 1;
events { worker_connections 512; }
http {
  server {
    listen 127.0.0.1:%PORT%;
    root %FOLDER%;
    location /pipe/ { auth_basic r; auth_basic_user_file %FOLDER%/pipe; }
    location = /endless { auth_request /endless.bin; error_page 404 =200 @in; }
    location @in { return 200 in; }
  }
}
`

let weir: RunningProxy

beforeAll(async () => {
  weir = await startWeir(CONF)
})
afterAll(async () => {
  await weir?.stop()
})

async function answer(target: string, ...lines: string[]): Promise<string> {
  const fields = ['Host: a', ...lines, 'Connection: close'].join('\r\n')
  const { bytes } = await rawRequest(weir.port, `GET ${target} HTTP/1.1\r\n${fields}\r\n\r\n`)
  return bytes.toString('latin1')
}

it('auth_basic_user_file that is a pipe: nobody is in it, and nobody waits for it', async () => {
  execFileSync('mkfifo', [join(weir.folder, 'pipe')])
  expect(await answer('/pipe/', 'Authorization: Basic dTpw')).toMatch(/^HTTP\/1\.1 401 /)
})

it('auth_request for a file without end: is answered by its head', async () => {
  writeFileSync(join(weir.folder, 'endless.bin'), '')
  truncateSync(join(weir.folder, 'endless.bin'), 2 ** 40)
  expect(await answer('/endless')).toMatch(/^HTTP\/1\.1 200 .*in$/s)
})
