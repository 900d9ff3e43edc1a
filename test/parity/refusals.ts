// What nginx -t refuses, weir must refuse in the same words.

import { spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildCycle } from '../../src/shared/conf/build.ts'
import { loadConfig, parseText } from '../../src/shared/conf/parser.ts'
import { resolveHosts } from '../../src/shared/conf/resources.ts'
import { modules } from '../../src/worker/modules.ts'
import { NGINX, nginxMissing } from '../support/proxy.ts'
import { removeFolder, temporaryFolder } from '../support/temporary.ts'

/** Declares a test for each text of an http block that both refuse. */
export function describeRefusals(area: string, texts: readonly string[]): void {
  describe.skipIf(nginxMissing !== null)(area, () => {
    let folder: string
    beforeAll(async () => {
      folder = await temporaryFolder()
    })
    afterAll(() => removeFolder(folder))

    it.each(texts)('%s', async (text) => {
      await compareRefusals(folder, `events {}\nhttp {\n${text}\n}\n`)
    })
  })
}

/** Declares a test for each text of an http block that both take, with the same warnings. */
export function describeWarnings(area: string, texts: readonly string[]): void {
  describe.skipIf(nginxMissing !== null)(area, () => {
    let folder: string
    beforeAll(async () => {
      folder = await temporaryFolder()
    })
    afterAll(() => removeFolder(folder))

    it.each(texts)('%s', async (text) => {
      const path = join(folder, 'nginx.conf')
      await writeFile(path, `events {}\nhttp {\n${text}\n}\n`, 'latin1')
      const said = nginxTest(folder, path, '').matchAll(/\[warn\] (?:\d+#\d+: )?(.*)/g)
      const expected = [...said].map(([, message]) => message)
      expect(expected).not.toEqual([])
      const options = { prefix: `${folder}/`, confPrefix: `${folder}/` }
      const { context } = buildCycle(loadConfig(path, options).tree, modules, options)
      expect(context.warnings).toEqual(expected)
    })
  })
}

/** What nginx -t says of a configuration and why weir refuses it must be the same; the file is written to `folder`. */
export async function compareRefusals(folder: string, text: string, directives = ''): Promise<void> {
  const path = join(folder, 'nginx.conf')
  await writeFile(path, text, 'latin1')
  const expected = nginxMessage(folder, path, directives)
  const actual = await weirMessage(folder, path, directives)
  expect(
    actual
      .replace(/, (did you mean|it belongs in|the file begins with|is a ";" missing) .*$/, '')
      // nginx does not say where.
      .replace(/^(unknown "\w*" variable) in .*$/, '$1')
      .replace(/^(no "?proxy_ssl_.*|SSL_CONF_cmd.*) in .*$/, '$1'),
  ).toBe(expected)
}

/** The message of the first line that says why. */
function nginxMessage(folder: string, path: string, directives: string): string {
  const stderr = nginxTest(folder, path, directives)
  const message = /\[(?:emerg|crit)\] (?:\d+#\d+: )?(.*)/.exec(stderr)?.[1]
  if (message === undefined) throw new Error(`nginx has nothing against it: ${stderr}`)
  return message
}

/** All that `nginx -t` writes. */
function nginxTest(folder: string, path: string, directives: string): string {
  const { stderr } = spawnSync(
    NGINX,
    ['-t', '-e', 'stderr', '-p', `${folder}/`, '-c', path, ...(directives === '' ? [] : ['-g', directives])],
    { encoding: 'latin1' },
  )
  return stderr
}

async function weirMessage(folder: string, path: string, directives: string): Promise<string> {
  const options = { prefix: `${folder}/`, confPrefix: `${folder}/` }
  try {
    const { tree } = loadConfig(path, options)
    await resolveHosts(buildCycle([...parseText(directives), ...tree], modules, options))
  } catch (error) {
    return (error as Error).message
  }
  return 'nothing against it'
}
