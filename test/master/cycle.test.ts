// Names that a configuration has, when it is loaded.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { buildLoaded, type LoadedCycle, type Source } from '../../src/master/cycle.ts'
import type { Paths } from '../../src/master/paths.ts'
import { parseText } from '../../src/shared/conf/parser.ts'
import { removeFolder, temporaryFolder } from '../support/temporary.ts'

let folder: string

beforeEach(async () => {
  folder = await temporaryFolder()
})
afterEach(() => removeFolder(folder))

const CONF = 'events {} http { %MORE% upstream back { server gone.invalid; server 127.0.0.1; } }'

function load(more = '', previous: LoadedCycle | null = null): Promise<LoadedCycle> {
  const source: Source = {
    tree: parseText(CONF.replace('%MORE%', more), 'nginx.conf', `${folder}/`),
    files: [],
  }
  const paths = { prefix: `${folder}/`, confPrefix: `${folder}/`, errorLog: null } as Paths
  return buildLoaded(source, paths, previous)
}

describe('a name that cannot be looked up', () => {
  it('has no address, which is a warning, and is looked up later', async () => {
    const { cycle, options } = await load()
    expect(options.addresses).toEqual({ 'gone.invalid': [] })
    expect(cycle.context.warnings).toEqual([
      'host not found in upstream "gone.invalid": it counts as down until its name can be resolved in nginx.conf:1',
    ])
    expect([...cycle.context.live.values()]).toMatchObject([{ name: 'gone.invalid', once: true }])
  })

  it('may be a misspelt upstream', async () => {
    const { cycle } = await load(
      'upstream backend { server 127.0.0.1:1; } server { location / { proxy_pass http://bakend; } }',
    )
    expect(cycle.context.warnings.at(-1)).toBe(
      'host not found in upstream "bakend": it counts as down until its name can be resolved; ' +
        'did you mean upstream "backend"? in nginx.conf:1',
    )
  })

  it('is named with the line of proxy_pass', async () => {
    const { cycle } = await load('server { location / {\n\nproxy_pass http://gone.invalid; } }')
    expect(cycle.context.warnings).toContain(
      'host not found in upstream "gone.invalid": it counts as down until its name can be resolved in nginx.conf:3',
    )
  })

  it('keeps the addresses it had before, which is a warning too', async () => {
    const first = await load()
    first.options.addresses = { 'gone.invalid': ['127.0.0.9'] }
    const { cycle, options } = await load('', first)
    expect(options.addresses).toEqual({ 'gone.invalid': ['127.0.0.9'] })
    expect(cycle.context.warnings).toEqual([
      '"gone.invalid" could not be resolved: its last addresses are used in nginx.conf:1',
    ])
    expect(cycle.context.live.size).toBe(0)
  })

  it('is an error with upstream_unresolvable emerg', async () => {
    await expect(load('upstream_unresolvable emerg;')).rejects.toThrow(
      'host not found in upstream "gone.invalid" in nginx.conf:1',
    )
  })
})
