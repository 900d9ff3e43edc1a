// Normalisation of request targets: the table says what nginx makes of each.

import { describe, expect, it } from 'vitest'
import { escapeUri, normalizeTarget } from '../../../src/worker/http/uri.ts'

describe('normalizeTarget', () => {
  it.each([
    // target, path, query, quoted
    ['/', '/', '', false],
    ['/a', '/a', '', false],
    ['/a/', '/a/', '', false],
    ['/a?b', '/a', 'b', false],
    ['/a?', '/a', '', false],
    ['/?a?b', '/', 'a?b', false],
    ['/a?b/../c', '/a', 'b/../c', false],
    ['/a?b%20c', '/a', 'b%20c', false],
    ['/a#b', '/a', '', false],
    ['/a?b#c', '/a', 'b', false],
    ['/a#b?c', '/a', '', false],
    ['/a+b', '/a+b', '', false],
    ['/a%20b', '/a b', '', true],
    ['/%41', '/A', '', true],
    ['/a%2Fb', '/a/b', '', true],
    ['/a%2fb?c', '/a/b', 'c', true],
    ['/a%3Fb', '/a?b', '', true],
    ['/a%23b', '/a#b', '', true],
    ['/a%25', '/a%', '', true],
    ['/a%2541', '/a%41', '', true],
    ['/a%0Ab', '/a\nb', '', true],
    ['/%FF', '/\xff', '', true],
    ['/\xe9', '/\xe9', '', false],
    ['//', '/', '', false],
    ['///', '/', '', false],
    ['//a///b//', '/a/b/', '', false],
    ['/%2F/a', '/a', '', true],
    ['/.', '/', '', false],
    ['/./', '/', '', false],
    ['/a/.', '/a/', '', false],
    ['/a/./b', '/a/b', '', false],
    ['/a/..', '/', '', false],
    ['/a/../', '/', '', false],
    ['/a/../b', '/b', '', false],
    ['/a/b/../../c', '/c', '', false],
    ['/a/b/c/../..', '/a/', '', false],
    ['/a//../b', '/b', '', false],
    ['/a/%2e%2E/b', '/b', '', true],
    ['/a%2F..%2Fb', '/b', '', true],
    ['/...', '/...', '', false],
    ['/a/.../b', '/a/.../b', '', false],
    ['/.a', '/.a', '', false],
    ['/..a/..b', '/..a/..b', '', false],
    ['/a./b..', '/a./b..', '', false],
    ['/a/..?b', '/', 'b', false],
    ['/a/.?b', '/a/', 'b', false],
    ['/a//?b//c', '/a/', 'b//c', false],
  ])('of %j is %j with query %j (quoted: %s)', (target, uri, args, quoted) => {
    expect(normalizeTarget(target)).toEqual({ uri, args, quoted })
  })

  it.each([
    '/..',
    '/../',
    '/../a',
    '/a/../..',
    '/a/../../b',
    '//../a',
    '/%2e%2e/a',
    '/..%2Fa',
    '/.%2e',
    '/%00',
    '/a%00b',
    '/%',
    '/a%4',
    '/a%zz',
    '/a%2',
    '/%-1',
    '/%u0041',
  ])('refuses %j', (target) => {
    expect(normalizeTarget(target)).toBeNull()
  })
})

describe('escapeUri', () => {
  it.each([
    ['/a/b', '/a/b'],
    ['/a b', '/a%20b'],
    ['/a?b#c%d', '/a%3Fb%23c%25d'],
    ['/"<>\\^`{|}', '/%22%3C%3E%5C%5E%60%7B%7C%7D'],
    ['/\n\r\t\0', '/%0A%0D%09%00'],
    ['/\x7f\x80\xff', '/%7F%80%FF'],
    ["/-._~!$&'()*+,;=:@", "/-._~!$&'()*+,;=:@"],
  ])('of %j is %j', (uri, escaped) => {
    expect(escapeUri(uri)).toBe(escaped)
  })
})

describe('normalizeTarget without merging slashes', () => {
  it.each([
    ['//', '//'],
    ['//a///b', '//a///b'],
    ['//..', '/'],
    ['/a//..', '/a/'],
    ['/.//a', '//a'],
    ['/a/%2fb', '/a//b'],
    ['/../', null],
  ])('of %j is %j', (target, uri) => {
    expect(normalizeTarget(target, false)?.uri ?? null).toBe(uri)
  })
})
