// `listen`: which addresses it stands for, and what is said where several of one address differ. Its errors are
// compared with nginx's in test/parity/conf-errors.test.ts.

import { describe, expect, it } from 'vitest'
import { buildCycle } from '../../../src/shared/conf/build.ts'
import { parseText } from '../../../src/shared/conf/parser.ts'
import { listenAddresses } from '../../../src/worker/http/servers.ts'
import { modules } from '../../../src/worker/modules.ts'

function build(...servers: string[]) {
  const text = `events {} http {\n${servers.map((listens) => `server { ${listens} }`).join('\n')}\n}`
  const options = {
    prefix: '/p/',
    confPrefix: '/p/',
    addresses: { two: ['10.0.0.1', '10.0.0.2', '10.0.0.1'] },
  }
  return buildCycle(parseText(text, 'nginx.conf', '/p/'), modules, options)
}
const keys = (...servers: string[]) => listenAddresses(build(...servers)).map(({ key }) => key)

describe('listen', () => {
  it.each([
    ['8080', ['0.0.0.0:8080']],
    ['*:8080', ['0.0.0.0:8080']],
    ['127.0.0.1', ['127.0.0.1:80']],
    ['127.0.0.1:8080-8082', ['127.0.0.1:8080', '127.0.0.1:8081', '127.0.0.1:8082']],
    ['8080-8081', ['0.0.0.0:8080', '0.0.0.0:8081']],
    ['[::]:8080-8081', ['[::]:8080', '[::]:8081']],
    ['[2001:DB8:0:0::1]', ['[2001:db8::1]:80']],
    ['two:1-2', ['10.0.0.1:1', '10.0.0.1:2', '10.0.0.2:1', '10.0.0.2:2']],
    ['unix:s', ['unix:/p/s']],
  ])('%s stands for %j', (text, expected) => {
    expect(keys(`listen ${text};`)).toEqual(expected)
  })

  it('gives its parameters to every address of a range', () => {
    const addresses = listenAddresses(build('listen 127.0.0.1:1-2 backlog=7;'))
    expect(addresses.map(({ backlog }) => backlog)).toEqual([7, 7])
  })

  it.each(['deferred', 'rcvbuf=1k', 'sndbuf=1m', 'fastopen=0'])(
    '%s is announced as without effect',
    (text) => {
      const { notices } = build(`listen 1 ${text};`).context
      expect(notices).toHaveLength(1)
      expect(notices[0]).toContain(`the "${text.replace(/=.*/, '')}" parameter of "listen" has no effect`)
    },
  )

  it.each(['quic'])('%s is refused by name', (text) => {
    expect(() => build(`listen 1 ${text};`)).toThrow(
      `the "${text}" parameter of the "listen" directive is not`,
    )
  })
})

describe('protocol options of one address', () => {
  const PROXY = 'listen 1 proxy_protocol;'
  const PLAIN = 'listen 1;'
  const BOUND = 'listen 1 bind;'
  const BOTH = 'listen 1 bind proxy_protocol;'

  it.each([
    ['said everywhere', [PROXY, PROXY, PROXY], 0],
    ['said first', [PROXY, PLAIN, PLAIN], 0],
    ['said last', [PLAIN, PROXY], 0],
    ['said last, beside socket options before', [BOUND, PROXY], 1],
    ['said last, with socket options', [PLAIN, BOTH], 0],
    ['left out with socket options', [PROXY, BOUND], 1],
    ['said, not said, said', [PROXY, PLAIN, PROXY], 1],
    ['said by one in the middle', [PLAIN, PROXY, PLAIN], 0],
    ['said twice, then not', [PROXY, PROXY, PLAIN], 1],
  ])('%s', (_name, servers, warnings) => {
    const { context } = build(...servers)
    expect(
      context.warnings.filter((text) => text.startsWith('protocol options redefined for 0.0.0.0:1 in ')),
    ).toHaveLength(warnings)
  })
})
