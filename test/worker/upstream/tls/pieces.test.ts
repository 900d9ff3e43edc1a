// Names, errors and caches, each for itself.

import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Credentials } from '../../../../src/worker/tls/credentials.ts'
import { CredentialsCache } from '../../../../src/worker/tls/credentials-cache.ts'
import { isExpected, opensslText, sslReason } from '../../../../src/worker/tls/openssl-error.ts'
import { verifyError } from '../../../../src/worker/tls/verify-errors.ts'
import { serverNameOf, withoutPort } from '../../../../src/worker/upstream/tls/names.ts'
import { SessionCache } from '../../../../src/worker/upstream/tls/sessions.ts'

describe('names', () => {
  it.each([
    ['a.test', 'a.test', 'a.test'],
    ['a.test:443', 'a.test', 'a.test'],
    ['a.test:', 'a.test', 'a.test'],
    [':443', '', ''],
    ['', '', ''],
    ['127.0.0.1:80', '127.0.0.1', ''],
    ['[::1]:80', '[::1]', ''],
    ['[::1]', '[::1]', ''],
    ['[bad:80', '[bad', ''],
    ['::1', '', ''],
    ['1.2.3', '1.2.3', '1.2.3'],
  ])('%j is checked as %j, and sent as %j', (written, name, serverName) => {
    expect(withoutPort(written)).toBe(name)
    expect(serverNameOf(withoutPort(written))).toBe(serverName)
  })

  it('anything at all gives a name that SNI can carry, or none', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.ipV4(), fc.ipV6(), fc.webAuthority()), (written) => {
        const name = serverNameOf(withoutPort(written))
        expect(isIP(name)).toBe(0)
        expect(name).not.toContain(':')
      }),
    )
  })
})

describe('errors of OpenSSL', () => {
  const alert =
    '40B3BDD2EE7F0000:error:0A000410:SSL routines:ssl3_read_bytes:ssl/tls alert handshake failure:../deps/openssl/ssl/rec.c:918:SSL alert number 40\n'
  const version = '40B3:error:0A00010B:SSL routines:f:wrong version number:../x.c:78:\n'

  it.each([
    [alert, 'SSL: error:0A000410:SSL routines::ssl/tls alert handshake failure:SSL alert number 40'],
    [version, 'SSL: error:0A00010B:SSL routines::wrong version number'],
    [
      version + alert,
      'SSL: error:0A00010B:SSL routines::wrong version number error:0A000410:SSL routines::ssl/tls alert handshake failure:SSL alert number 40',
    ],
    ['error:0480006C:PEM routines::no start line', 'SSL: error:0480006C:PEM routines::no start line'],
    ['SSL: error:0A000412:SSL routines::x', 'SSL: error:0A000412:SSL routines::x'],
    ['error:00000000:lib(0)::reason(0)', null],
    ['read ECONNRESET', null],
    ['', null],
  ])('%j', (message, expected) => {
    expect(opensslText(new Error(message))).toBe(expected)
  })

  it('the last reason of several decides the level', () => {
    const internal = 'error:0A0C0103:SSL routines::internal error'
    const other = 'error:0A00010B:SSL routines::wrong version number'
    expect(sslReason(`SSL: ${other}`)).toBe(267)
    expect(isExpected(`SSL: ${other}`)).toBe(true)
    expect(isExpected(`SSL: ${internal} ${other}`)).toBe(true)
    expect(isExpected(`SSL: ${other} ${internal}`)).toBe(false)
    expect(isExpected('SSL: error:0480006C:PEM routines::no start line')).toBe(false)
    expect(isExpected('')).toBe(false)
  })

  it('what Node has no name for is unspecified', () => {
    expect(verifyError('CERT_HAS_EXPIRED')).toEqual({ number: 10, text: 'certificate has expired' })
    for (const name of ['', 'UNSPECIFIED', 'constructor']) expect(verifyError(name).number).toBe(1)
  })
})

describe('sessions', () => {
  it('the last one of each peer is kept, of so many peers', () => {
    const cache = new SessionCache()
    const session = Buffer.from('s')
    expect(cache.get('a')).toBeNull()
    cache.keep('a', Buffer.from('first'))
    cache.keep('a', session)
    expect(cache.get('a')).toBe(session)
    cache.forget('a')
    expect(cache.get('a')).toBeNull()
    for (let index = 0; index < 600; index++) cache.keep(String(index), session)
    expect(cache.get('0')).toBeNull()
    expect(cache.get('599')).toBe(session)
  })
})

describe('certificates whose names requests give', () => {
  const credentials = (): Credentials => ({
    certName: 'c',
    keyName: 'k',
    cert: '',
    key: '',
    passphrase: undefined,
  })

  async function withFile(test: (path: string) => Promise<void>): Promise<void> {
    const folder = await mkdtemp(join(tmpdir(), 'weir-test-'))
    await writeFile(join(folder, 'c'), 'one')
    try {
      await test(join(folder, 'c'))
    } finally {
      await rm(folder, { recursive: true })
    }
  }

  it('are kept while they are valid, and then as long as the file is the same', () =>
    withFile(async (path) => {
      const always = new CredentialsCache({ max: 4, inactive: 60_000, valid: 60_000 })
      const never = new CredentialsCache({ max: 4, inactive: 60_000, valid: 0 })
      const [kept, seen] = [always.get(path, 'data:k', credentials), never.get(path, 'data:k', credentials)]
      expect(always.get(path, 'data:k', credentials)).toBe(kept)
      expect(never.get(path, 'data:k', credentials)).toBe(seen)
      await utimes(path, 1, 1)
      expect(always.get(path, 'data:k', credentials)).toBe(kept)
      expect(never.get(path, 'data:k', credentials)).not.toBe(seen)
    }))

  it('those asked for longest ago go first', () => {
    const cache = new CredentialsCache({ max: 2, inactive: 60_000, valid: 60_000 })
    const get = (name: string) => cache.get(`data:${name}`, 'data:k', credentials)
    const [a, b] = [get('a'), get('b')]
    expect(get('a')).toBe(a)
    get('c')
    expect(get('a')).toBe(a)
    expect(get('b')).not.toBe(b)
  })

  it('what cannot be loaded is tried again', () => {
    const cache = new CredentialsCache({ max: 2, inactive: 60_000, valid: 60_000 })
    const failing = () => {
      throw new Error('no')
    }
    expect(() => cache.get('data:a', 'data:k', failing)).toThrow('no')
    expect(cache.get('data:a', 'data:k', credentials).certName).toBe('c')
  })
})
