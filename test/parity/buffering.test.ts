// Slow clients side by side: whether a backend has got rid of its response while the client takes nothing, what the logs
// say of that, and that all of it arrives once the client reads. And the sizes that do not go together.

import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Peer, PeerServer } from '../support/peer.ts'
import { nginxMissing, type RunningProxy, startNginx, startWeir } from '../support/proxy.ts'
import { eventually } from '../support/wait.ts'
import { describeRefusals } from './refusals.ts'

const MB = 1024 * 1024
/** More than the system keeps of a connection at both of its ends. */
const LENGTH = 24 * MB

const CONF = `worker_processes 1;
error_log logs/error.log warn;
events { worker_connections 64; }
http {
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  log_format slow '$uri $status $body_bytes_sent $upstream_status';
  access_log logs/access.log slow;
  upstream back { server %BACKEND%; keepalive 4; }
  server {
    listen 127.0.0.1:%PORT%;
    location / { proxy_pass http://back; }
    location /off { proxy_buffering off; proxy_pass http://back; }
    location /no_file { proxy_max_temp_file_size 0; proxy_pass http://back; }
    location /small_file { proxy_max_temp_file_size 1m; proxy_pass http://back; }
    location /large_file { proxy_max_temp_file_size 32m; proxy_temp_file_write_size 64k; proxy_pass http://back; }
    location /memory { proxy_buffers 2000 16k; proxy_max_temp_file_size 0; proxy_pass http://back; }
    location /ignoring { proxy_ignore_headers X-Accel-Buffering; proxy_pass http://back; }
  }
}
`

describe.skipIf(nginxMissing !== null)('a client that takes nothing', () => {
  let backend: PeerServer
  let nginx: RunningProxy
  let weir: RunningProxy
  beforeAll(async () => {
    backend = await PeerServer.start()
    const vars = { BACKEND: backend.address }
    nginx = await startNginx(CONF, { vars })
    weir = await startWeir(CONF, { vars })
  })
  afterAll(async () => {
    await Promise.all([nginx?.stop(), weir?.stop(), backend?.stop()])
  })

  it.each([
    ['/', ''],
    ['/', 'X-Accel-Buffering: no\r\n'],
    ['/', 'X-Accel-Buffering: yes\r\n'],
    ['/off', ''],
    ['/off', 'X-Accel-Buffering: YES\r\n'],
    ['/off', 'X-Accel-Buffering: x\r\n'],
    ['/ignoring', 'X-Accel-Buffering: no\r\n'],
    ['/no_file', ''],
    ['/small_file', ''],
    ['/large_file', ''],
    ['/memory', ''],
  ])('of %s with "%s"', { timeout: 40_000 }, async (target, line) => {
    const expected = await view(nginx, backend, target, line)
    const actual = await view(weir, backend, target, line)
    expect(actual).toEqual(expected)
    expect(actual.whole).toBe(true)
  })

  it.each(['/', '/small_file', '/off'])(
    'of %s gets what there is of a backend that ends too early',
    { timeout: 40_000 },
    async (target) => {
      const expected = await view(nginx, backend, target, '', 'backend ends')
      const actual = await view(weir, backend, target, '', 'backend ends')
      expect(actual).toEqual(expected)
      expect(actual.error).toContain('upstream prematurely closed connection')
    },
  )

  it.each(['/', '/small_file', '/off'])('of %s leaves', { timeout: 40_000 }, async (target) => {
    const expected = await view(nginx, backend, target, '', 'client leaves')
    const actual = await view(weir, backend, target, '', 'client leaves')
    expect(actual).toEqual(expected)
  })
})

type Course = 'all is well' | 'backend ends' | 'client leaves'

async function view(
  proxy: RunningProxy,
  backend: PeerServer,
  target: string,
  line: string,
  course: Course = 'all is well',
) {
  const before = { error: proxy.errorLog.length, access: proxy.accessLog.length }
  const content = Buffer.alloc(LENGTH, 'a line of content\n')
  const client = await Peer.connect(proxy.ports[0]!, { paused: true, keep: false })
  const hash = createHash('md5')
  client.socket.on('data', (bytes) => hash.update(bytes))
  client.socket.pause()
  await client.send(`GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
  const peer = await backend.next()
  await peer.head()
  let sent = false
  await peer.send(
    `HTTP/1.1 200 OK\r\n${line}Content-Length: ${course === 'backend ends' ? LENGTH + 1 : LENGTH}\r\n\r\n`,
  )
  void peer.send(content).then(() => {
    sent = true
    if (course === 'backend ends') peer.end()
  })
  // Until it is gone, or nothing has moved for a while.
  let moved = { bytes: -1, at: Date.now() }
  await eventually('standstill', () => {
    const bytes = peer.socket.bytesWritten - peer.socket.writableLength
    if (bytes !== moved.bytes) moved = { bytes, at: Date.now() }
    return sent || Date.now() - moved.at > 1000
  })
  const released = sent
  if (course !== 'client leaves') {
    client.socket.resume()
    await client.untilEnd()
  }
  client.destroy()
  await eventually('log', () => proxy.accessLog.length > before.access)
  peer.destroy()
  return {
    released,
    whole: client.count > LENGTH && client.count < LENGTH + 1000,
    // How much of it the system had taken is the system's matter.
    access: proxy.accessLog
      .slice(before.access)
      .replace(/ \d{5,}/, course === 'client leaves' ? ' SOME' : '$&'),
    error: proxy.errorLog
      .slice(before.error)
      // Of what it was told of a client that has gone, and how, each has its own words.
      .replace(/^.*\[info\].*\n/gm, '')
      .replace(/^\S+ \S+ (\[\w+\]) [^:]+: \*\d+ /gm, '$1 ')
      .replace(/file \S+\/(\d)\/(\d\d)\/\d{7}\2\1?\d*/g, 'file NAME')
      .replace(/file \S*proxy\S*/g, 'file NAME')
      .replace(/127\.0\.0\.1:\d+/g, 'ADDRESS')
      // Which of the two nginx is at when the end comes changes from run to run.
      .replace(/(prematurely closed connection) while (?:reading upstream|sending to client)/g, '$1'),
  }
}

const location = (text: string) => `server { location / { proxy_pass http://127.0.0.1:1; ${text} } }`

describeRefusals('sizes', [
  'proxy_buffering x;',
  'proxy_buffers 8;',
  'proxy_buffers 0 4k;',
  'proxy_buffers 8 x;',
  'proxy_busy_buffers_size x;',
  'proxy_max_temp_file_size x;',
  'proxy_temp_file_write_size x;',
  'proxy_temp_path;',
  'proxy_temp_path a 1 2 3 4;',
  'proxy_limit_rate x;',
  ...[
    'proxy_buffers 1 4k;',
    'proxy_buffer_size 64k;',
    'proxy_buffers 2 4k;',
    'proxy_busy_buffers_size 1k;',
    'proxy_busy_buffers_size 4095;',
    'proxy_busy_buffers_size 28673;',
    'proxy_temp_file_write_size 4095;',
    'proxy_max_temp_file_size 1;',
    'proxy_max_temp_file_size 4095;',
    'proxy_buffers 4 16k; proxy_temp_file_write_size 8k;',
    'proxy_buffer_size 8k; proxy_max_temp_file_size 4k;',
  ].flatMap((text) => [location(text), `${text} ${location('')}`]),
])
