// What the error log says of the choice of a server and of the failures of several, beyond nginx's own lines, and
// `$weir_reason`.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DeafListener } from '../../support/deaf-listener.ts'
import { DnsServer } from '../../support/dns-server.ts'
import { serverConf, TestEngine } from '../../support/engine.ts'
import { Peer, PeerServer } from '../../support/peer.ts'
import { type Answer, RawBackend } from '../../support/raw-backend.ts'
import { rawRequest } from '../../support/raw-client.ts'
import { freePort } from '../../support/temporary.ts'
import { eventually } from '../../support/wait.ts'

const UPSTREAMS = `
  upstream one { server %BACKEND%; }
  upstream two { server 127.0.0.1:%CLOSED%; server %BACKEND%; }
  upstream out { server 127.0.0.1:%CLOSED%; server 127.0.0.1:%CLOSED%; }
  upstream down { server %BACKEND% down; }
  upstream several { least_conn; server 127.0.0.1:%CLOSED% weight=3; server %BACKEND% down; server %BACKEND% backup;
    server 127.0.0.1:%CLOSED%; }
`
const LOCATIONS = `
  error_page 404 /quiet;
  proxy_read_timeout 100ms; proxy_send_timeout 100ms; proxy_connect_timeout 100ms;
  location / { proxy_pass http://one; }
  location /refused { proxy_pass http://127.0.0.1:%CLOSED%; }
  location /socket { proxy_pass http://unix:%FOLDER%/nothing.sock; }
  location /deaf { proxy_pass http://127.0.0.1:%DEAF%; }
  location /bind { proxy_bind 192.0.2.1; proxy_pass http://one; }
  location /next { proxy_next_upstream error http_503; proxy_pass http://two; }
  location /slow { client_max_body_size 0; proxy_request_buffering off; proxy_pass http://%SLOW%; }
  location /name { resolver 127.0.0.1:%DNS% ipv6=off; set $name none.test; proxy_pass http://$name; }
  location /mute { resolver 127.0.0.1:%DNS% ipv6=off; resolver_timeout 100ms; set $name mute.test;
    proxy_pass http://$name; }
  location /out { proxy_pass http://out; }
  location /down { proxy_pass http://down; }
  location /several { proxy_pass http://several; }
`

let backend: RawBackend
let deaf: DeafListener
let slow: PeerServer
let dns: DnsServer
let engine: TestEngine
let closed: number

beforeAll(async () => {
  backend = await RawBackend.start()
  deaf = await DeafListener.start()
  slow = await PeerServer.start()
  dns = await DnsServer.start()
  dns.names.set('mute.test', { mischief: 'silent' })
  slow.paused = true
  closed = await freePort()
  const conf = serverConf(LOCATIONS, UPSTREAMS)
    .replace('error.log info', 'error.log debug')
    .replace(/log_format short '[^']*'/, () => "log_format short '$status $weir_reason'")
  engine = await TestEngine.start(conf, {
    BACKEND: backend.address,
    DEAF: deaf.port,
    CLOSED: closed,
    SLOW: slow.address,
    DNS: dns.port,
  })
})
afterAll(async () => {
  await engine?.stop()
  await Promise.all([backend?.stop(), deaf?.stop(), slow?.stop(), dns?.stop()])
})

/** What a request leaves in the access log and, of weir's own lines, in the error log. */
async function ask(
  target: string,
  answer: Answer = '',
  method = 'GET',
  body = '',
): Promise<{ access: string; lines: string[] }> {
  backend.reset(answer)
  const before = { access: engine.accessLog.length, error: engine.errorLog.length }
  const length = body === '' ? '' : `Content-Length: ${body.length}\r\n`
  const request = `${method} ${target} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n${length}\r\n${body}`
  await rawRequest(engine.port, request, { until: 'close' })
  const access = await eventually(
    'line in the access log',
    () => engine.accessLog.slice(before.access) || null,
  )
  const lines = engine.errorLog.slice(before.error).split('\n')
  return { access: access.trim(), lines: lines.filter((line) => line.includes(' weir: ')).map(withoutFrame) }
}

/** The message alone: without time, level and context, and with ADDRESS and TIME for what changes. */
function withoutFrame(line: string): string {
  return line
    .replace(/^.*? weir: /, '')
    .replace(/(?: while [\w ]+)?, client: .*/, '')
    .replaceAll(`127.0.0.1:${closed}`, 'CLOSED')
    .replaceAll(backend.address, 'BACKEND')
    .replace(/127\.0\.0\.1:\d+/g, 'ADDRESS')
    .replace(/\d+\.\d+s/g, 'TIME')
}

const explanation = async (...how: Parameters<typeof ask>) => {
  const { access, lines } = await ask(...how)
  return [access, lines.filter((line) => !line.includes(' picked '))]
}
const PAUSE = 'HTTP/1.1 200 OK\r\n'

describe('a 502 or 504 of weir itself', () => {
  it.each<[reason: string, status: number, target: string, answer: Answer, line: string]>([
    [
      'connect_refused',
      502,
      '/refused',
      '',
      'nobody listens at the address of the server; tried CLOSED (connect_refused) in TIME; see server',
    ],
    [
      'connect_timeout',
      504,
      '/deaf',
      '',
      'no connection to the server came about in time; tried ADDRESS (connect_timeout) in TIME; see proxy_connect_timeout',
    ],
    [
      'read_timeout',
      504,
      '/',
      {},
      'the server sent nothing in time; tried BACKEND (read_timeout) in TIME; see proxy_read_timeout',
    ],
    [
      'read_timeout',
      504,
      '/',
      PAUSE,
      'the server sent nothing in time; tried BACKEND (read_timeout) in TIME; see proxy_read_timeout',
    ],
    [
      'premature_close',
      502,
      '/',
      { bytes: PAUSE, after: 'end' },
      'the server closed the connection before its response was complete; tried BACKEND (premature_close) in TIME; see proxy_next_upstream',
    ],
    [
      'reset',
      502,
      '/',
      { bytes: PAUSE, gap: 20, after: 'reset' },
      'the connection broke or was reset by the server before its response was complete; tried BACKEND (reset) in TIME; see proxy_next_upstream',
    ],
    [
      'bad_header',
      502,
      '/',
      'nonsense\r\n\r\n',
      'the server sent a header that is none; tried BACKEND (bad_header) in TIME; see proxy_next_upstream',
    ],
    [
      'header_too_big',
      502,
      '/',
      `${PAUSE}X: ${'x'.repeat(5000)}\r\n\r\n`,
      'the server sent a longer header than there is room for; tried BACKEND (header_too_big) in TIME; see proxy_buffer_size',
    ],
    [
      'no_live_upstreams',
      502,
      '/down',
      '',
      'every server is down, drains, is unhealthy, has its max_conns, or is out after max_fails failures; see server',
    ],
    ['resolve_failed', 502, '/name', '', 'no address was found for the name of the server; see resolver'],
    [
      'resolve_timeout',
      502,
      '/mute',
      '',
      'no name server told the address of the server in time; see resolver_timeout',
    ],
  ])('for %s is explained (%i)', async (reason, status, target, answer, line) => {
    expect(await explanation(target, answer)).toEqual([`${status} ${reason}`, [`${reason}: ${line}`]])
  })

  it('names all that were tried', async () => {
    const [access, lines] = await explanation('/out')
    expect(access).toBe('502 connect_refused')
    expect(lines).toEqual([
      'connect_refused: nobody listens at the address of the server; ' +
        'tried CLOSED (connect_refused), CLOSED (connect_refused) in TIME; see server',
    ])
    expect((await explanation('/out'))[0]).toBe('502 no_live_upstreams')
  })

  it('comes behind the line of nginx, at the same level', async () => {
    const before = engine.errorLog.length
    await ask('/refused')
    const lines = engine.errorLog.slice(before).split('\n')
    const [first, second] = lines.filter((line) => line.includes('[error]'))
    expect(first).toContain('connect() failed (111: Connection refused) while connecting to upstream')
    expect(second).toContain('weir: connect_refused: ')
    expect(second).toContain(`upstream: "http://127.0.0.1:${closed}/refused"`)
  })
})

describe('other endings', () => {
  it('a socket that is not there: connect_failed', async () => {
    expect((await ask('/socket')).access).toBe('502 connect_failed')
  })
  it('an address that cannot be bound: 500, bind_failed', async () => {
    expect((await ask('/bind')).access).toBe('500 bind_failed')
  })
  it('a response: no reason, nothing explained', async () => {
    expect(await explanation('/', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')).toEqual(['200 -', []])
  })
  it('a 502 of the backend: no reason, nothing explained', async () => {
    expect(await explanation('/', 'HTTP/1.1 502 Bad\r\nContent-Length: 0\r\n\r\n')).toEqual(['502 -', []])
  })
  it('a response of another server: the reason of the first', async () => {
    expect(await explanation('/next', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')).toEqual([
      '200 connect_refused',
      [],
    ])
  })
  it('a response that breaks off: its reason, nothing explained', async () => {
    const part = 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'
    expect(await explanation('/', { bytes: part, after: 'end' })).toEqual(['200 premature_close', []])
    expect(await explanation('/', part)).toEqual(['200 read_timeout', []])
    const chunks = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'
    expect(await explanation('/', chunks)).toEqual(['200 bad_body', []])
  })
  it('content that the backend does not take: send_timeout', async () => {
    const before = engine.accessLog.length
    const client = await Peer.connect(engine.port)
    const size = 64 * 1024 * 1024
    void client.send(`POST /slow HTTP/1.1\r\nHost: test\r\nContent-Length: ${size}\r\n\r\n`)
    void client.send(Buffer.alloc(size))
    const access = await eventually('line in the access log', () => engine.accessLog.slice(before) || null)
    expect(access.trim()).toBe('504 send_timeout')
    client.destroy()
  })
})

describe('the debug log', () => {
  const picks = async (target: string, answer?: Answer) =>
    (await ask(target, answer)).lines.filter((line) => line.includes(' picked '))

  it('says who was picked, and who was not', async () => {
    const [first, second, third, ...rest] = await picks('/several', 'HTTP/1.1 200 OK\r\n\r\n')
    expect(first).toBe(
      'least_conn in "several" picked CLOSED (weight 3, current -1, connections 1), ' +
        'not CLOSED (weight 1, current 1, connections 0); left out: BACKEND (down), BACKEND (backup)',
    )
    expect(second).toBe(
      'least_conn in "several" picked CLOSED (weight 1, current 1, connections 1); ' +
        'left out: CLOSED (tried), BACKEND (down), BACKEND (backup)',
    )
    expect(third).toBe(
      'least_conn in "several" picked BACKEND (weight 1, current 0, connections 1); left out: ' +
        'CLOSED (failures: 1, out for another TIME), BACKEND (down), CLOSED (failures: 1, out for another TIME)',
    )
    expect(rest).toEqual([])
  })

  it('says when nobody was left', async () => {
    expect(await picks('/down')).toEqual(['round robin in "down" picked no server; left out: BACKEND (down)'])
  })
})
