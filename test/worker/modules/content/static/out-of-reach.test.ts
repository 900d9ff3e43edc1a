// Where `index`, `try_files` and `alias` do not do what nginx does: names that lead out of a folder, and `=200`.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { serverConf, TestEngine } from '../../../../support/engine.ts'
import { rawRequest } from '../../../../support/raw-client.ts'
import { removeFolder } from '../../../../support/temporary.ts'
import { makeTree } from '../../../../support/tree.ts'

const CONF = serverConf(`
  root %BOX%/html;
  location /candidate/ { try_files $arg_file /inside.txt; }
  location /last/ { try_files /none $arg_file; }
  location /index/ { alias %BOX%/html/; index $arg_file inside.txt; }
  location /files { alias %BOX%/html/; }
  location /files-tried { alias %BOX%/html/; try_files $uri =404; }
  location /ok/ { try_files /none =200; }
`)

describe('a name that leads out of its folder', () => {
  let engine: TestEngine
  let tree: string
  beforeAll(async () => {
    tree = makeTree({ 'html/inside.txt': 'inside', 'outside.txt': 'outside', 'html-outside.txt': 'outside' })
    engine = await TestEngine.start(CONF, { BOX: tree })
  })
  afterAll(async () => {
    await engine.stop()
    await removeFolder(tree)
  })

  it.each([
    ['/candidate/?file=/inside.txt', 200, 'inside'],
    ['/candidate/?file=/../outside.txt', 200, 'inside'],
    ['/candidate/?file=-outside.txt', 200, 'inside'],
    ['/last/?file=/inside.txt', 200, 'inside'],
    ['/last/?file=/../outside.txt', 500, ''],
    ['/last/?file=-outside.txt', 404, ''],
    ['/last/', 404, ''],
    ['/index/?file=inside.txt', 200, 'inside'],
    ['/index/?file=../outside.txt', 200, 'inside'],
    ['/files/inside.txt', 200, 'inside'],
    ['/files../outside.txt', 500, ''],
    ['/files-tried/inside.txt', 200, 'inside'],
    ['/files-tried../outside.txt', 500, ''],
    ['/ok/', 200, ''],
  ])('%s is answered with %i', async (target, status, content) => {
    const { bytes } = await rawRequest(engine.port, `GET ${target} HTTP/1.1\r\nHost: test\r\n\r\n`)
    const answer = bytes.toString('latin1')
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    expect(answer).not.toContain('outside')
    if (status === 200) expect(answer.slice(answer.indexOf('\r\n\r\n') + 4)).toBe(content)
  })

  it('leaves a line in the error log', () => {
    expect(engine.errorLog).toContain('leaves its folder')
    expect(engine.errorLog).toContain('"-outside.txt" is not a URI to go on with')
  })
})
