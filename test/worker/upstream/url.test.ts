// What `proxy_pass` and `server` may name, taken apart.

import { describe, expect, it } from 'vitest'
import { parseAddress, parseUpstreamUrl } from '../../../src/worker/upstream/url.ts'

describe('the URL of an upstream', () => {
  it.each([
    ['a', { host: 'a', ip: null, port: 80, portText: '', uri: '' }],
    [
      'A.Example:8080/x?y',
      { host: 'A.Example', key: 'a.example', port: 8080, portText: '8080', uri: '/x?y' },
    ],
    ['a?x:1/', { host: 'a', port: 80, uri: '?x:1/' }],
    ['a/b:c', { host: 'a', port: 80, uri: '/b:c' }],
    ['127.0.0.1:080', { host: '127.0.0.1', ip: '127.0.0.1', port: 80, portText: '080' }],
    ['127.0.0.001', { host: '127.0.0.001', ip: '127.0.0.1' }],
    ['127.0.0.256', { host: '127.0.0.256', ip: null }],
    ['127.1', { host: '127.1', ip: null }],
    ['[::1]:8080/x', { host: '[::1]', ip: '::1', port: 8080, uri: '/x' }],
    ['[0:0::0:01]', { host: '[0:0::0:01]', ip: '::1', port: 80, portText: '' }],
    ['unix:/run/a.sock', { path: '/run/a.sock', host: '/run/a.sock', port: 0, uri: '' }],
    ['unix:/run/a.sock:/x:y', { path: '/run/a.sock', uri: '/x:y' }],
    ['UNIX:/run/A', { path: '/run/A', key: '/run/A' }],
  ])('%s', (text, parts) => expect(parseUpstreamUrl(text, 80, true)).toMatchObject(parts))

  it.each([
    ['', 'no host'],
    [':80', 'no host'],
    ['/x', 'no host'],
    ['a:', 'invalid port'],
    ['a:0', 'invalid port'],
    ['a:65536', 'invalid port'],
    ['a:8x/', 'invalid port'],
    ['a:1:2', 'invalid port'],
    ['[::1', 'invalid host'],
    ['[::1]8080', 'invalid host'],
    ['[]:80', 'no host'],
    ['[::g]', 'invalid IPv6 address'],
    ['unix:', 'no path in the unix domain socket'],
    ['unix::/x', 'no path in the unix domain socket'],
    [`unix:/${'x'.repeat(107)}`, 'too long path in the unix domain socket'],
  ])('%j is refused: %s', (text, error) => expect(parseUpstreamUrl(text, 80, true)).toEqual({ error }))

  it.each(['a/', 'a?x', '[::1]/'])('%s is no address of a server', (text) =>
    expect(parseUpstreamUrl(text, 80, false)).toEqual({ error: 'invalid host' }),
  )
})

describe('a local address', () => {
  it.each([
    ['127.0.0.1', { ip: '127.0.0.1', port: 0 }],
    ['127.0.0.1:5000', { ip: '127.0.0.1', port: 5000 }],
    ['::1', { ip: '::1', port: 0 }],
    ['[::1]', { ip: '::1', port: 0 }],
    ['[::1]:5000', { ip: '::1', port: 5000 }],
    ['fe80::1:5000', { ip: 'fe80::1:5000', port: 0 }],
  ])('%s', (text, address) => expect(parseAddress(text)).toEqual(address))

  it.each([
    '',
    'localhost',
    '127.0.0',
    '127.0.0.1:',
    '127.0.0.1:0',
    '127.0.0.1:65536',
    '[::1',
    '[::1]x',
    '[::1]:x',
  ])('%j is none', (text) => expect(parseAddress(text)).toBeNull())
})
