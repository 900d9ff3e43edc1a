// Clients that send more requests at once than anybody would, and do not read the answers: what is kept for them stays
// small, however long the turn of the event loop is in which they are answered.

import { existsSync, readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type MemoryClient, serverConf, TestEngine } from '../../support/engine.ts'
import { eventually } from '../../support/wait.ts'

const REQUESTS = 2000
const FLOOD = `GET /${'f'.repeat(100)} HTTP/1.1\r\nHost: a\r\n\r\n`.repeat(REQUESTS)

let engine: TestEngine
let client: MemoryClient

describe.each([
  { name: 'an access log', directive: '', file: 'logs/access.log' },
  {
    name: 'an access log whose path has variables',
    directive: 'access_log logs/$request_method.log combined;',
    file: 'logs/GET.log',
  },
])('$name', ({ directive, file }) => {
  beforeEach(async () => {
    engine = await TestEngine.start(serverConf(`${directive} return 200 text;`))
    await mkdir(join(engine.folder, 'html'), { recursive: true })
    await mkdir(join(engine.folder, 'logs'), { recursive: true })
    client = engine.connect()
  })
  afterEach(async () => {
    client.transport.break()
    await engine.stop()
  })

  const lines = (): number => {
    const path = join(engine.folder, file)
    return existsSync(path) ? readFileSync(path, 'latin1').split('\n').length - 1 : 0
  }

  it('does not gather the lines of thousands of requests of one turn', async () => {
    client.transport.receive(FLOOD)
    expect(client.transport.sent.match(/HTTP\/1\.1 200/g)).toHaveLength(REQUESTS)
    expect(lines()).toBeGreaterThan(0)
    await eventually('all lines', () => lines() === REQUESTS)
  })
})
