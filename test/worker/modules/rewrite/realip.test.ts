import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildCycle } from '../../../../src/shared/conf/build.ts'
import { parseText } from '../../../../src/shared/conf/parser.ts'
import { resolveHosts } from '../../../../src/shared/conf/resources.ts'
import { modules } from '../../../../src/worker/modules.ts'
import { serverConf, TestEngine } from '../../../support/engine.ts'

const SHOWN = '$remote_addr|$remote_port|$realip_remote_addr|$realip_remote_port'

function build(http: string) {
  return buildCycle(parseText(`events {} http { ${http} }`, 'nginx.conf'), modules, {
    prefix: '/p/',
    confPrefix: '/p/',
  })
}

describe('realip', () => {
  let engine: TestEngine
  beforeAll(async () => {
    engine = await TestEngine.start(
      serverConf(
        `set_real_ip_from 192.0.2.0/24; real_ip_header X-Forwarded-For; real_ip_recursive on;
         location / { return 200 '${SHOWN}'; }
         location /error { return 200 $realpath_root; }`,
      ),
    )
  })
  afterAll(() => engine.stop())

  function get(target: string, ...fields: string[]): string {
    const { transport } = engine.connect()
    const head = ['Host: test', 'Connection: close', ...fields].map((field) => `${field}\r\n`).join('')
    transport.receive(`GET ${target} HTTP/1.1\r\n${head}\r\n`)
    return transport.sent.split('\r\n\r\n')[1]!
  }

  it('takes the last address that is not trusted, over several fields', () => {
    const fields = ['X-Forwarded-For: 1.1.1.1, 9.9.9.9:99', 'X-Forwarded-For: 192.0.2.8, 192.0.2.9']
    expect(get('/', ...fields)).toBe('9.9.9.9|99|192.0.2.1|40000')
  })

  it('keeps what it had where a field holds no address', () => {
    expect(get('/', 'X-Forwarded-For: unknown', 'X-Forwarded-For: 192.0.2.8')).toBe(
      '192.0.2.8||192.0.2.1|40000',
    )
  })

  it('shows in the context of error log lines', () => {
    get('/error', 'X-Forwarded-For: 9.9.9.9')
    expect(engine.errorLog).toContain('failed (2: No such file or directory), client: 9.9.9.9, server: test')
  })

  it('is not known to the next request of the connection', () => {
    const { transport } = engine.connect()
    transport.receive('GET / HTTP/1.1\r\nHost: test\r\nX-Forwarded-For: 9.9.9.9\r\n\r\n')
    transport.receive('GET / HTTP/1.1\r\nHost: test\r\n\r\n')
    expect(transport.sent).toContain('9.9.9.9||192.0.2.1|40000')
    expect(transport.sent.endsWith('192.0.2.1|40000|192.0.2.1|40000')).toBe(true)
  })

  it.each([',', ' ', ', ', '192.0.2.1,', '1:', 'x'])('takes thousands of %j apart', (part) => {
    expect(get('/', `X-Forwarded-For: ${part.repeat(7000 / part.length)}`)).toContain('|192.0.2.1|40000')
  })
})

describe('set_real_ip_from', () => {
  it('warns of bits that do not count', () => {
    const { context } = build('set_real_ip_from 10.1.0.0/8;')
    expect(context.warnings).toEqual(['low address bits of 10.1.0.0/8 are meaningless in nginx.conf:1'])
  })

  it('has a name looked up at the start, and refuses one that is not found', async () => {
    const cycle = build('set_real_ip_from no.such.invalid;')
    expect([...cycle.context.hosts.keys()]).toEqual(['no.such.invalid'])
    await expect(resolveHosts(cycle)).rejects.toThrow(
      'host not found in set_real_ip_from "no.such.invalid" in nginx.conf:1',
    )
  })
})
