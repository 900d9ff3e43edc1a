// The configurations of the four short guides, by the file each is in.

import { expect } from 'vitest'
import { type Entry, expectEssentialHeaders, expectShares, expectUpgrade, expectUploads } from './entry.ts'

/** `000_aa8be6b8b75ebc4c.txt`: braces are lost in the text, and put back. */
export const layered: readonly Entry[] = [
  {
    shows: 'proxy_pass without a URI: the path goes on as it is',
    block: 0,
    check: async (run) => {
      await run.get('a', '/api/users')
      expect(run.received('localhost:8080')[0]).toBe('GET /api/users HTTP/1.1')
    },
  },
  {
    shows: 'proxy_pass with a slash: the prefix is replaced',
    block: 1,
    check: async (run) => {
      await run.get('a', '/app/page')
      expect(run.received('backend')[0]).toBe('GET /page HTTP/1.1')
    },
  },
  {
    shows: 'proxy_set_header for the host and the chain of clients',
    block: 2,
    check: async (run) => {
      await run.get('example.com', '/')
      const lines = ['Host: example.com', 'X-Forwarded-For: 127.0.0.1']
      expect(run.received('backend')).toEqual(expect.arrayContaining(lines))
    },
  },
  { shows: 'an upstream of two servers', block: 3, check: (run) => expectShares(run, 'a', [2, 2]) },
  { shows: 'proxy_pass to an upstream', block: 4, check: (run) => expectShares(run, 'a', [1]) },
  {
    shows: 'proxy_buffering',
    block: 5,

    check: (run) => expectShares(run, 'a', [1]),
  },
  {
    shows: 'client_max_body_size: 413 for more',
    block: 6,
    check: (run) => expectUploads(run, '/', 10),
  },
  {
    shows: 'the headers of a WebSocket upgrade',
    block: 7,
    check: (run) => expectUpgrade(run, 'backend', 'a', '/'),
  },
]

/** `001_e3a28c144ddc29a6.txt`: each configuration is one line of the text. */
export const upstreams: readonly Entry[] = [
  {
    shows: 'two locations of one name, which nginx refuses',
    block: 0,
    refused: 'duplicate location "/api/"',
  },
  {
    shows: 'proxy_pass without a trailing slash',
    block: 0,
    only: ['location', 0],
    check: async (run) => {
      await run.get('api.example.com', '/api/users')
      expect(run.received('127.0.0.1:3000')[0]).toBe('GET /api/users HTTP/1.1')
    },
  },
  {
    shows: 'proxy_pass with a trailing slash',
    block: 0,
    only: ['location', 1],
    check: async (run) => {
      await run.get('api.example.com', '/api/users')
      expect(run.received('127.0.0.1:3000')[0]).toBe('GET /users HTTP/1.1')
    },
  },
  {
    shows: 'the essential headers',
    block: 1,
    check: async (run) => {
      await expectEssentialHeaders(run, '127.0.0.1:8080', 'api.example.com')
      expect(run.received('127.0.0.1:8080').join('\n')).not.toMatch(/^Connection:/m)
    },
  },
  {
    shows: 'a pool of three servers',
    block: 2,
    check: async (run) => {
      await expectShares(run, 'app.example.com', [2, 2, 2])
      await expectEssentialHeaders(run, '10.0.1.10:8000', 'app.example.com')
    },
  },
  {
    shows: 'parameters of servers',
    block: 3,
    check: (run) => expectShares(run, 'a', [6, 2, 0, 2]),
  },
  {
    shows: 'a WebSocket upgrade by a map of $http_upgrade',
    block: 4,
    check: async (run) => {
      await run.get('ws.example.com', '/ws/plain')
      expect(run.received('10.0.1.20:3000')).toContain('Connection: close')
      // ip_hash: a client stays where it was.
      await expectUpgrade(run, '10.0.1.20:3000', 'ws.example.com', '/ws/chat')
      expect(run.counts()).toEqual([2, 0])
    },
  },
  {
    shows: 'a read timeout of 0, which is "no timeout" for the guide, and one that is over at once for nginx',
    block: 4,
    instead: ['proxy_read_timeout 3600s', 'proxy_read_timeout 0'],
    check: async (run) => {
      run.backend('10.0.1.20:3000').answer = { bytes: '' }
      run.backend('10.0.1.21:3000').answer = { bytes: '' }
      expect(await run.get('ws.example.com', '/ws/')).toMatch(/^HTTP\/1\.1 504 Gateway Time-out\r\n/)
    },
  },
]

/** `002_2c9c620a12519c82.txt`. */
export const basics: readonly Entry[] = [
  {
    shows: 'a minimal proxy',
    block: 0,
    check: (run) => expectShares(run, 'example.com', [1]),
  },
  {
    shows: 'a production configuration',
    block: 1,
    files: {
      'var/www/example.com/static/a.css': 'body{}',
    },
    check: async (run) => {
      expect(await run.get('example.com', '/a?b=1')).toMatch(
        /^HTTP\/1\.1 301 Moved Permanently\r\n[\s\S]*\r\nLocation: https:\/\/example\.com\/a\?b=1\r\n/,
      )
      const page = await run.getTls('example.com', '/page')
      expect(page).toMatch(/^HTTP\/1\.1 200 [\s\S]*\r\n\r\nok$/)
      expect(page).toContain('\r\nServer: weir\r\n')
      expect(page).toContain('\r\nX-Frame-Options: SAMEORIGIN\r\n')
      expect(page).toContain('\r\nX-Content-Type-Options: nosniff\r\n')
      expect(page).toContain('\r\nX-XSS-Protection: 1; mode=block\r\n')
      expect(run.received('127.0.0.1:3000')).toEqual(
        expect.arrayContaining(['Host: example.com', 'X-Real-IP: 127.0.0.1', 'X-Forwarded-For: 127.0.0.1']),
      )
      const file = await run.getTls('example.com', '/static/a.css')
      expect(file).toMatch(/\r\n\r\nbody\{\}$/)
      expect(file).toContain('\r\nCache-Control: public, immutable\r\n')
      // An add_header of the location's own leaves none of the server's: the guide does not say so.
      expect(file).not.toContain('X-Frame-Options')
      expect(run.counts()).toEqual([1])
    },
  },
  {
    shows: 'a WebSocket upgrade',
    block: 2,
    check: async (run) => {
      await expectUpgrade(run, '127.0.0.1:3000', 'a', '/ws/chat')
      expect(run.received('127.0.0.1:3000')[0]).toBe('GET /ws/chat HTTP/1.1')
    },
  },
  { shows: 'six upstreams of one name', block: 3, refused: 'duplicate upstream "app"' },
  {
    shows: 'a single backend',
    block: 3,
    only: ['upstream', 0],
    check: (run) => expectShares(run, 'a', [2]),
  },
  {
    shows: 'several backends in turn',
    block: 3,
    only: ['upstream', 1],
    check: (run) => expectShares(run, 'a', [2, 2, 2]),
  },
  {
    shows: 'weights',
    block: 3,
    only: ['upstream', 2],
    check: (run) => expectShares(run, 'a', [10, 2]),
  },
  {
    shows: 'least_conn',
    block: 3,
    only: ['upstream', 3],
    check: (run) => expectShares(run, 'a', [2, 2]),
  },
  {
    shows: 'ip_hash',
    block: 3,
    only: ['upstream', 4],
    check: async (run) => {
      for (let index = 0; index < 4; index++) await run.get('a', '/')
      expect(run.counts()).toContain(4)
    },
  },
  {
    shows: 'failure detection',
    block: 3,
    only: ['upstream', 5],
    check: async (run) => {
      for (let index = 0; index < 4; index++) await run.get('a', '/')
      expect(run.counts()).toEqual([4, 0])
    },
  },
  {
    shows: 'a cache',
    block: 4,
    waitsFor: [
      'proxy_cache_path',
      'proxy_cache',
      'proxy_cache_valid',
      'proxy_cache_key',
      '$upstream_cache_status',
      'proxy_cache_bypass',
      'proxy_no_cache',
    ],
    check: async (run) => {
      await run.get('a', '/')
      const second = await run.get('a', '/')
      if (!run.missing.includes('proxy_cache')) expect(second).toContain('\r\nX-Cache-Status: HIT\r\n')
      else expect(run.counts()).toEqual([2])
    },
  },
]

/** `004_04443f68b9dcb232.txt`. */
export const practices: readonly Entry[] = [
  {
    shows: 'the client and the host for the backend',
    block: 0,
    check: async (run) => {
      await run.get('example.com', '/')
      const lines = ['Host: example.com', 'X-Real-IP: 127.0.0.1']
      expect(run.received('backend')).toEqual(expect.arrayContaining(lines))
    },
  },
]
