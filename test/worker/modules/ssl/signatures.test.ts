// $ssl_sigalg and $ssl_sigalgs, beside what openssl's client says of the same connection.

import { execFileSync, spawn } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Authority } from '../../../support/certificates.ts'
import { closingRequest } from '../../../support/openssl-client.ts'
import { type RunningProxy, startWeir } from '../../../support/proxy.ts'

const KEYS = {
  rsa: ['rsa:2048'],
  p256: ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  p384: ['ec', '-pkeyopt', 'ec_paramgen_curve:P-384'],
  ed25519: ['ed25519'],
}
type Key = keyof typeof KEYS
const NAMES = Object.keys(KEYS) as Key[]

let authority: Authority
let proxy: RunningProxy

beforeAll(async () => {
  authority = await Authority.create('Signatures')
  const servers = NAMES.map((name, index) => {
    const [cert, key] = [join(authority.folder, `${name}.crt`), join(authority.folder, `${name}.key`)]
    const make = ['req', '-x509', '-newkey', ...KEYS[name], '-nodes', '-subj', '/CN=localhost']
    execFileSync('openssl', [...make, '-keyout', key, '-out', cert], { stdio: 'ignore' })
    return `server { listen 127.0.0.1:%PORT${index + 1}% ssl; ssl_certificate ${cert}; ssl_certificate_key ${key};
      return 200 "sigalg=[$ssl_sigalg] sigalgs=[$ssl_sigalgs]"; }`
  })
  proxy = await startWeir(`events {} http { ${servers.join('\n')} }`)
})
afterAll(() => Promise.all([proxy?.stop(), authority?.remove()]))

/** All that the client says of a connection, and the answer. */
function client(name: Key, args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    const port = proxy.ports[NAMES.indexOf(name)]!
    const child = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, '-ign_eof', ...args])
    let text = ''
    child.stdout.on('data', (bytes) => (text += String(bytes)))
    child.on('close', () => resolve(text))
    child.stdin.end(closingRequest())
  })
}

const told = (text: string) => /sigalg=\[(\S*)\] sigalgs=\[(\S*)\]/.exec(text)!

describe('signature algorithms', () => {
  it.each<[Key, string, string, string]>([
    ['rsa', '-tls1_3', '', 'rsa_pss_rsae_sha256'],
    ['rsa', '-tls1_3', 'RSA-PSS+SHA512:RSA-PSS+SHA256', 'rsa_pss_rsae_sha512'],
    ['rsa', '-tls1_2', 'RSA+SHA384:RSA-PSS+SHA256', 'rsa_pkcs1_sha384'],
    ['rsa', '-tls1_3', 'RSA+SHA384:RSA-PSS+SHA384', 'rsa_pss_rsae_sha384'],
    ['p256', '-tls1_3', '', 'ecdsa_secp256r1_sha256'],
    ['p256', '-tls1_3', 'ECDSA+SHA512:ECDSA+SHA384:ECDSA+SHA256', 'ecdsa_secp256r1_sha256'],
    ['p256', '-tls1_2', 'ECDSA+SHA512:ECDSA+SHA256', 'ecdsa_secp521r1_sha512'],
    ['p384', '-tls1_3', '', 'ecdsa_secp384r1_sha384'],
    ['ed25519', '-tls1_3', '', 'ed25519'],
    ['ed25519', '-tls1_2', '', 'ed25519'],
  ])('of a server with %s, %s %s: %s', async (name, version, sigalgs, expected) => {
    const text = await client(name, [version, ...(sigalgs === '' ? [] : ['-sigalgs', sigalgs])])
    expect(told(text)[1]).toBe(expected)
    const digest = /Peer signing digest: (\w+)/.exec(text)?.[1] ?? ''
    expect(expected.toUpperCase()).toContain(digest)
    const type = /Peer signature type: ([\w-]+)/.exec(text)![1]!
    expect(expected).toMatch(
      { RSA: /^rsa_pkcs1/, 'RSA-PSS': /^rsa_pss/, ECDSA: /^ecdsa/, Ed25519: /^ed25519/ }[type]!,
    )
  })

  it('that the client takes are told in its order, by name', async () => {
    const text = await client('p256', ['-tls1_3', '-sigalgs', 'ed448:ECDSA+SHA256:RSA-PSS+SHA384:RSA+SHA256'])
    expect(told(text)[2]).toBe('ed448:ecdsa_secp256r1_sha256:rsa_pss_rsae_sha384:rsa_pkcs1_sha256')
  })

  it.each(['-tls1_2', '-tls1_3'])('are not told of a session that goes on (%s)', async (version) => {
    const file = join(authority.folder, `session${version}.pem`)
    await client('rsa', [version, '-sess_out', file])
    const text = await client('rsa', [version, '-sess_in', file])
    expect(text).toMatch(/^Reused, /m)
    expect(told(text).slice(1)).toEqual(['', ''])
  })
})
