// error_log at every level of the configuration, and log_not_found.

import { afterEach, expect, it } from 'vitest'
import { serverConf, TestEngine } from '../../../support/engine.ts'
import { rawRequest } from '../../../support/raw-client.ts'

let engine: TestEngine

afterEach(() => engine.stop())

async function start(body: string, http = ''): Promise<void> {
  engine = await TestEngine.start(serverConf(body, http))
}

const get = (target: string) => rawRequest(engine.port, `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`)

it('log_not_found: what nothing answers is an error, unless it is off', async () => {
  await start('location /off/ { log_not_found off; } location /off/on/ { log_not_found on; }')
  await get('/x')
  await get('/off/x')
  await get('/off/on/')
  expect(engine.errorLog.match(/\[error\].*?request: "GET \S+/g)).toEqual([
    expect.stringMatching(
      /: \*\d+ open\(\) "\S+\/html\/x" failed \(2: No such file or directory\), client: .*"GET \/x$/,
    ),
    expect.stringMatching(
      /"\S+\/html\/off\/on\/index.html" is not found \(2: No such file or directory\), .*"GET \/off\/on\/$/,
    ),
  ])
})

it('error_log: a level that names any has these instead of those around it', async () => {
  await start(
    `error_log logs/server.log; error_log logs/too.log crit;
     location /own/ { error_log logs/own.log error; }
     location /few/ { error_log logs/few.log crit; }`,
    'error_log logs/http.log;',
  )
  for (const target of ['/x', '/own/x', '/few/x']) await get(target)
  const seen = (name: string) =>
    [...engine.read(`logs/${name}.log`).matchAll(/"GET (\S+)/g)].map(([, t]) => t)
  expect(['server', 'too', 'own', 'few', 'http', 'error'].map(seen)).toEqual([
    ['/x'],
    [],
    ['/own/x'],
    [],
    [],
    [],
  ])
})
