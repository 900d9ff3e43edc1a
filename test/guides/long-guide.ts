// The configurations of the long guide, `003_4c2d137965caf8bd.txt`.

import { expect } from 'vitest'
import {
  type Entry,
  expectEssentialHeaders,
  expectKeptConnection,
  expectShares,
  expectUpgrade,
  expectUploads,
} from './entry.ts'
import type { GuideRun } from './run.ts'

const CACHE = [
  'proxy_cache_path',
  'proxy_cache',
  'proxy_cache_key',
  'proxy_cache_valid',
  'proxy_cache_lock',
  'proxy_cache_lock_timeout',
  'proxy_cache_use_stale',
  'proxy_cache_background_update',
  '$upstream_cache_status',
  'proxy_cache_bypass',
  'proxy_no_cache',
]

/** The backend called `name` is asked for `line`. */
async function expectAsked(
  run: GuideRun,
  name: string,
  host: string,
  target: string,
  line: string,
): Promise<void> {
  expect(await run.get(host, target)).toMatch(/^HTTP\/1\.1 200 /)
  expect(run.received(name)[0]).toMatch(new RegExp(`^GET ${line} HTTP/1\\.[01]$`))
}

export const handbook: readonly Entry[] = [
  { shows: 'the most basic proxy', block: 0, check: (run) => expectShares(run, 'example.com', [1]) },
  {
    shows: 'the headers to set at least',
    block: 1,
    check: (run) =>
      expectEssentialHeaders(run, '127.0.0.1:3000', 'example.com', [
        'X-Forwarded-Proto: http',
        `X-Forwarded-Port: ${run.port}`,
        'X-Forwarded-Host: example.com',
      ]),
  },
  { shows: 'three locations of one name', block: 2, refused: 'duplicate location "/api/"' },
  {
    shows: 'proxy_pass without a slash',
    block: 2,
    only: ['location', 0],
    check: (run) => expectAsked(run, 'backend', 'a', '/api/users', '/api/users'),
  },
  {
    shows: 'proxy_pass with a slash',
    block: 2,
    only: ['location', 1],
    check: (run) => expectAsked(run, 'backend', 'a', '/api/users', '/users'),
  },
  {
    shows: 'proxy_pass with a path',
    block: 2,
    only: ['location', 2],
    check: (run) => expectAsked(run, 'backend', 'a', '/api/users', '/v1/users'),
  },
  {
    shows: 'Node.js behind a kept connection',
    block: 3,
    check: async (run) => {
      await expectEssentialHeaders(run, '127.0.0.1:3000', 'app.example.com')
      await expectKeptConnection(run, '127.0.0.1:3000', 'app.example.com')
    },
  },
  {
    shows: 'Next.js',
    block: 4,
    waitsFor: ['proxy_cache_valid', 'proxy_cache_bypass'],
    check: async (run) => {
      const asset = await run.get('next.example.com', '/_next/static/a.js')
      expect(asset).toContain('\r\nCache-Control: public, max-age=31536000, immutable\r\n')
      expect(await run.get('next.example.com', '/_next/image?w=1')).not.toContain('Cache-Control')
      await expectUpgrade(run, '127.0.0.1:3000', 'next.example.com', '/hot')
    },
  },
  {
    shows: 'Python with static files',
    block: 5,
    files: { 'var/www/example/static/a.css': 'body{}', 'var/www/example/media/a.txt': 'media' },
    check: async (run) => {
      await expectEssentialHeaders(run, '127.0.0.1:8000', 'py.example.com')
      const style = await run.get('py.example.com', '/static/a.css')
      expect(style).toMatch(/\r\nCache-Control: max-age=2592000\r\n[\s\S]*\r\nbody\{\}$/)
      const media = await run.get('py.example.com', '/media/a.txt')
      expect(media).toMatch(/\r\nCache-Control: max-age=604800\r\n[\s\S]*\r\nmedia$/)
      expect(run.counts()).toEqual([1])
    },
  },
  {
    shows: 'Python behind a unix socket',
    block: 6,
    check: (run) => expectEssentialHeaders(run, 'unix:/tmp/gunicorn.sock', 'py.example.com', []),
  },
  {
    shows: 'Java with large bodies',
    block: 7,
    check: async (run) => {
      await expectEssentialHeaders(run, '127.0.0.1:8080', 'java.example.com')
      await expectKeptConnection(run, '127.0.0.1:8080', 'java.example.com')
      await expectUploads(run, '/', 50)
    },
  },
  {
    shows: 'PHP-FPM',
    block: 8,
    files: { 'var/www/php-app/public/index.php': '<?php', 'var/www/php-app/public/a.txt': 'a' },
    // Until PHP is asked, the file itself is served.
    waitsFor: ['fastcgi_pass', 'fastcgi_index', 'fastcgi_param'],
    check: async (run) => {
      expect(await run.get('php.example.com', '/a.txt')).toMatch(/\r\n\r\na$/)
      if (!run.missing.includes('fastcgi_pass')) return
      for (const target of ['/', '/index.php', '/no/such/page?x=1']) {
        expect(await run.get('php.example.com', target)).toMatch(/^HTTP\/1\.1 200 [\s\S]*\r\n\r\n<\?php$/)
      }
    },
  },
  {
    shows: 'a WebSocket server',
    block: 9,

    check: (run) => expectUpgrade(run, '127.0.0.1:8080', 'ws.example.com', '/'),
  },
  {
    shows: 'HTTP and WebSocket together',
    block: 10,
    check: async (run) => {
      await run.get('chat.example.com', '/')
      expect(run.received('127.0.0.1:3000')).toContain('Connection: close')
      await expectUpgrade(run, '127.0.0.1:3000', 'chat.example.com', '/')
      await expectUpgrade(run, '127.0.0.1:3000', 'chat.example.com', '/socket.io/?EIO=4')
    },
  },
  {
    shows: 'services by path; the limit names a zone that the guide does not declare',
    block: 11,
    refused: 'zero size shared memory zone "auth_limit"',
    http: 'limit_req_zone $binary_remote_addr zone=auth_limit:1m rate=5r/s;',
    waitsFor: ['limit_req_zone', 'limit_req'],
    check: async (run) => {
      await expectAsked(run, '127.0.0.1:3000', 'example.com', '/page', '/page')
      await expectAsked(run, '127.0.0.1:4000', 'example.com', '/api/users?a=1', '/users\\?a=1')
      await expectAsked(run, '127.0.0.1:5000', 'example.com', '/auth/login', '/login')
      await expectAsked(run, '127.0.0.1:6000', 'example.com', '/upload/file', '/file')
      expect(run.received('127.0.0.1:6000')).toContain('Host: example.com')
      await expectUploads(run, '/upload/', 500)
    },
  },
  {
    shows: 'services by host, one for a private network only',
    block: 12,
    check: async (run) => {
      await expectAsked(run, '127.0.0.1:3000', 'app.example.com', '/', '/')
      await expectAsked(run, '127.0.0.1:4000', 'api.example.com', '/', '/')
      expect(await run.get('admin.example.com', '/')).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n/)
      expect(run.errorLog).toContain('access forbidden by rule')
      expect(run.counts()).toEqual([1, 1, 0])
    },
  },
  {
    shows: 'a cluster',
    block: 13,
    check: (run) => expectEssentialHeaders(run, '10.0.0.10:8080', 'api.example.com', []),
  },
  {
    shows: 'a cache with everything',
    block: 14,
    waitsFor: CACHE,
    check: async (run) => {
      await run.get('api.example.com', '/')
      const second = await run.get('api.example.com', '/')
      if (!run.missing.includes('proxy_cache')) expect(second).toContain('\r\nX-Cache-Status: HIT\r\n')
      expect(run.received('api_backend')).toContain('Host: api.example.com')
    },
  },
  {
    shows: 'buffering',
    block: 15,
    check: (run) => expectUploads(run, '/', 10),
  },
  {
    shows: 'streaming',
    block: 16,
    waitsFor: ['proxy_cache'],
    check: async (run) => {
      run.backend('backend').answer =
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nevent\r\n0\r\n\r\n'
      const answer = await run.get('a', '/stream/events')
      expect(answer).toContain('\r\nTransfer-Encoding: chunked\r\n')
      expect(answer).toMatch(/event\r\n0\r\n\r\n$/)
      await expectKeptConnection(run, 'backend', 'a')
    },
  },
  { shows: 'timeouts', block: 17, check: (run) => expectShares(run, 'a', [1]) },
  {
    shows: 'security headers, of a TLS server without a certificate',
    block: 18,
    refused: 'no "ssl_certificate" is defined for the "listen ... ssl" directive',
    // The guide's own words are refused; with a certificate around them they do what it says.
    http: 'ssl_certificate /etc/own.crt; ssl_certificate_key /etc/own.key;',
    check: async (run) => {
      run.backend('backend').answer =
        'HTTP/1.1 500 No\r\nServer: secret\r\nX-Powered-By: x\r\nX-AspNet-Version: 1\r\nX-Other: y\r\n' +
        'Content-Length: 0\r\n\r\n'
      // `always`: with errors too.
      const answer = await run.getTls('example.com', '/')
      expect(answer).toMatch(/^HTTP\/1\.1 500 No\r\nServer: weir/)
      for (const line of [
        'Strict-Transport-Security: max-age=63072000; includeSubDomains; preload',
        'X-Frame-Options: DENY',
        'X-Content-Type-Options: nosniff',
        'Referrer-Policy: strict-origin-when-cross-origin',
        "Content-Security-Policy: default-src 'self'",
        'Permissions-Policy: geolocation=(), microphone=(), camera=()',
      ]) {
        expect(answer).toContain(`\r\n${line}\r\n`)
      }
      expect(answer).toContain('\r\nX-Other: y\r\n')
      expect(answer).not.toMatch(/X-Powered-By|X-AspNet-Version|secret/)
    },
  },
  {
    shows: 'limits of rate and connections',
    block: 19,
    waitsFor: ['limit_req_zone', 'limit_conn_zone', 'limit_req', 'limit_conn'],
    check: async (run) => {
      await expectAsked(run, 'backend', 'a', '/', '/')
      await expectAsked(run, 'auth_backend', 'a', '/login', '/login')
      await expectAsked(run, 'api_backend', 'a', '/api/', '/api/')
    },
  },
  { shows: 'timeouts against 504', block: 20, check: (run) => expectShares(run, 'a', [1]) },
  {
    shows: 'client_max_body_size against 413',
    block: 21,
    check: (run) => expectUploads(run, '/upload/', 500),
  },
  {
    shows: 'redirects of a backend that does not know of https',
    block: 22,
    check: async (run) => {
      run.backend('backend').answer =
        'HTTP/1.1 302 Found\r\nLocation: http://example.com/next\r\nContent-Length: 0\r\n\r\n'
      const answer = await run.get('example.com', '/')
      expect(answer).toContain('\r\nLocation: https://example.com/next\r\n')
      const lines = ['X-Forwarded-Proto: http', 'X-Forwarded-Host: example.com']
      expect(run.received('backend')).toEqual(expect.arrayContaining(lines))
    },
  },
  {
    shows: 'CORS with its preflight',
    block: 23,
    check: async (run) => {
      const origin = 'Origin: https://app.example.com'
      const preflight = await run.send(
        `OPTIONS /api/users HTTP/1.1\r\nHost: example.com\r\n${origin}\r\n\r\n`,
      )
      expect(preflight).toMatch(/^HTTP\/1\.1 204 No Content\r\n/)
      const granted = [
        'Access-Control-Allow-Origin: https://app.example.com',
        'Access-Control-Allow-Credentials: true',
      ]
      for (const line of [
        ...granted,
        'Access-Control-Allow-Methods: GET, POST, PUT, DELETE, OPTIONS',
        'Access-Control-Allow-Headers: Authorization, Content-Type, Accept',
        'Access-Control-Max-Age: 1728000',
        'Content-Type: text/plain; charset=utf-8',
        'Content-Length: 0',
      ]) {
        expect(preflight).toContain(`\r\n${line}\r\n`)
      }
      expect(run.counts()).toEqual([0])
      const answer = await run.get('example.com', '/api/users', origin)
      expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nok$/)
      for (const line of granted) expect(answer).toContain(`\r\n${line}\r\n`)
      expect(answer).not.toContain('Access-Control-Max-Age')
      expect(run.received('api_backend')).toContain('Host: example.com')
    },
  },
]
