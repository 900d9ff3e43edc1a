// The configuration with many servers: weir takes it, and every request of the load meets the location meant for it.

import { describe, expect, it } from 'vitest'
import { proxyConf } from '../../bench/conf.ts'
import { MANY_PATHS, manyHost } from '../../bench/many.ts'
import { manyServers } from '../../bench/scenarios/many-servers.ts'
import { startLarge } from '../../bench/scenarios/start.ts'
import { buildCycle, type Scope } from '../../src/shared/conf/build.ts'
import { LOCATION, SERVER } from '../../src/shared/conf/command.ts'
import { parseText } from '../../src/shared/conf/parser.ts'
import { modules } from '../../src/worker/modules.ts'

function scopes(scope: Scope): Scope[] {
  return [scope, ...scope.children.flatMap(scopes)]
}

describe('configuration with many servers', () => {
  it.each([manyServers, startLarge])('$name: 500 servers, 2000 locations', (scenario) => {
    const tree = parseText(proxyConf('weir', scenario, 8080, 8081), 'nginx.conf')
    const { root } = buildCycle(tree, modules, { prefix: '/x/', confPrefix: '/x/' })
    const kinds = scopes(root).map(({ kind }) => kind)
    expect(kinds.filter((kind) => kind === SERVER)).toHaveLength(500)
    expect(kinds.filter((kind) => kind === LOCATION)).toHaveLength(2000)
  })
  it('each path is that of another location', () => {
    const conf = proxyConf('weir', { ...manyServers, servers: 2 }, 8080, 8081)
    const text = conf.slice(conf.indexOf(`server_name ${manyHost(1)};`))
    const patterns = [...text.matchAll(/location (=|~)? ?(\S+) \{/g)].map(([, modifier, pattern]) =>
      modifier === '=' ? new RegExp(`^${pattern}$`) : new RegExp(modifier === '~' ? pattern! : `^${pattern}`),
    )
    for (const path of MANY_PATHS) expect(patterns.filter((pattern) => pattern.test(path))).toHaveLength(1)
    expect(patterns).toHaveLength(MANY_PATHS.length)
  })
})
