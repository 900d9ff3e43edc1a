// `proxy_ssl_verify` and what belongs to it, against backends with certificates of every kind.

import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { Authority, type Certificate } from '../../../support/certificates.ts'
import { serverConf, TestEngine } from '../../../support/engine.ts'
import { rawRequest } from '../../../support/raw-client.ts'
import { SecureBackend } from '../../../support/secure-backend.ts'

/** Certificates of a.test: signed by the root, through one and two intermediates, and others that will not do. */
const backends: Record<string, SecureBackend> = {}
const vars: Record<string, string> = {}
let root: Authority
let engine: TestEngine | null = null

async function add(name: string, { cert, key }: Certificate, ...chain: Certificate[]): Promise<void> {
  const backend = await SecureBackend.start({ key, cert: [cert, ...chain.map((link) => link.cert)].join('') })
  backends[name] = backend
  vars[name] = backend.address
}

async function selfSigned(folder: string): Promise<Certificate> {
  const [keyFile, certFile] = [join(folder, 'self.key'), join(folder, 'self.crt')]
  await promisify(execFile)('openssl', [
    ...[
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-subj',
      '/CN=a.test',
    ],
    ...['-days', '5', '-keyout', keyFile, '-out', certFile],
  ])
  const [cert, key] = await Promise.all([readFile(certFile, 'latin1'), readFile(keyFile, 'latin1')])
  return { cert, key, certFile, keyFile }
}

beforeAll(async () => {
  root = await Authority.create('Root')
  const one = await root.intermediate('One')
  const two = await one.intermediate('Two')
  await add('DIRECT', await root.issue('a.test', { names: ['a.test', '*.wild.test'] }))
  await add('ONE', await one.issue('a.test'), one)
  await add('TWO', await two.issue('a.test'), two, one)
  await add('CUT', await two.issue('a.test'), two)
  await add('EXPIRED', await root.issue('a.test', { from: -10, until: -1 }))
  await add('EARLY', await root.issue('a.test', { from: 1 }))
  const revoked = await root.issue('a.test')
  await add('REVOKED', revoked)
  await root.revoke(revoked)
  const other = await Authority.create('Other')
  await add('SELF', await selfSigned(root.folder))
  await add('OTHER', await other.issue('a.test'))
  await add('OTHERROOT', await other.issue('a.test'), other)
  await add('NAMELESS', await root.issue('/O=Nobody/CN=a.test', { names: ['elsewhere.test'] }))
  await writeFile(join(root.folder, 'both.crt'), other.cert + root.cert)
  await writeFile(join(root.folder, 'with-one.crt'), root.cert + one.cert)
  vars.ROOT = root.certFile
  vars.FOLDER2 = root.folder
  vars.CRL = await root.revocations()
  await other.remove()
})

afterEach(async () => {
  for (const backend of Object.values(backends)) backend.reset()
  await engine?.stop()
  engine = null
})

afterAll(async () => {
  for (const backend of Object.values(backends)) await backend.stop()
  await root.remove()
})

async function status(backend: string, settings: string): Promise<number> {
  engine = await TestEngine.start(
    serverConf(`
      proxy_ssl_verify on; ${settings.includes('trusted') ? '' : 'proxy_ssl_trusted_certificate %ROOT%;'}
      ${settings.includes('ssl_name') ? '' : 'proxy_ssl_name a.test;'} ${settings}
      location / { proxy_pass https://%${backend}%; }`),
    vars,
  )
  const answer = await rawRequest(engine.port, 'GET / HTTP/1.1\r\nHost: h\r\n\r\n')
  return Number(answer.bytes.toString('latin1', 9, 12))
}

it.for([
  ['DIRECT', ''],
  ['DIRECT', 'proxy_ssl_verify_depth 0;'],
  ['DIRECT', 'proxy_ssl_name x.wild.test;'],
  ['DIRECT', 'proxy_ssl_name A.TEST:443;'],
  ['DIRECT', 'proxy_ssl_trusted_certificate %FOLDER2%/both.crt;'],
  ['DIRECT', 'proxy_ssl_crl %CRL%;'],
  ['ONE', ''],
  ['TWO', 'proxy_ssl_verify_depth 2;'],
  ['TWO', 'proxy_ssl_verify_depth 9;'],
  ['CUT', 'proxy_ssl_verify_depth 2; proxy_ssl_trusted_certificate %FOLDER2%/with-one.crt;'],
  ['SELF', 'proxy_ssl_trusted_certificate %FOLDER2%/self.crt;'],
] as const)('proxy_ssl_verify, %s with "%s", lets the request pass', async ([backend, settings]) => {
  expect(await status(backend, settings)).toBe(200)
  expect(engine!.errorLog).not.toContain('[error]')
})

const ISSUER = '(20:unable to get local issuer certificate)'

it.for([
  ['SELF', '', 'verify error: (18:self-signed certificate)'],
  ['OTHER', '', 'verify error: (21:unable to verify the first certificate)'],
  ['OTHERROOT', '', 'verify error: (19:self-signed certificate in certificate chain)'],
  ['EXPIRED', '', 'verify error: (10:certificate has expired)'],
  ['EARLY', '', 'verify error: (9:certificate is not yet valid)'],
  ['CUT', 'proxy_ssl_verify_depth 5;', `verify error: ${ISSUER}`],
  ['ONE', 'proxy_ssl_verify_depth 0;', `verify error: ${ISSUER}`],
  ['TWO', '', `verify error: ${ISSUER}`],
  [
    'CUT',
    'proxy_ssl_trusted_certificate %FOLDER2%/with-one.crt;',
    'verify error: (2:unable to get issuer certificate)',
  ],
  ['REVOKED', 'proxy_ssl_crl %CRL%;', 'verify error: (23:certificate revoked)'],
  ['ONE', 'proxy_ssl_crl %CRL%;', 'verify error: (3:unable to get certificate CRL)'],
  ['DIRECT', 'proxy_ssl_name b.test;', 'does not match "b.test"'],
  ['DIRECT', 'proxy_ssl_name wild.test;', 'does not match "wild.test"'],
  ['DIRECT', 'proxy_ssl_name a.b.wild.test;', 'does not match "a.b.wild.test"'],
  ['DIRECT', 'proxy_ssl_name $proxy_host;', 'does not match "127.0.0.1"'],
  ['DIRECT', 'proxy_ssl_name $arg_none;', 'does not match ""'],
  ['NAMELESS', '', 'does not match "a.test"'],
] as const)('proxy_ssl_verify, %s with "%s", is refused: %s', async ([backend, settings, words]) => {
  expect(await status(backend, settings)).toBe(502)
  const line = `upstream SSL certificate ${words} while SSL handshaking to upstream, client: `
  expect(engine!.errorLog).toContain(line)
  expect(engine!.errorLog).toContain('weir: tls_verify: the certificate of the server is not trusted')
  expect(backends[backend]!.requests).toEqual([])
})

it('proxy_ssl_verify, a session that is resumed, has been checked with the same settings', async () => {
  engine = await TestEngine.start(
    serverConf(`
      proxy_ssl_trusted_certificate %ROOT%; proxy_ssl_name $arg_name; keepalive_timeout 0;
      proxy_set_header Connection close;
      location /any { proxy_pass https://%DIRECT%; }
      location /checked { proxy_ssl_verify on; proxy_pass https://%DIRECT%; }`),
    vars,
  )
  const ask = async (path: string) =>
    (await rawRequest(engine!.port, `GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`)).bytes.toString(
      'latin1',
      9,
      12,
    )
  backends.DIRECT!.answer = (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
  expect(await ask('/any?name=b.test')).toBe('200')
  expect(await ask('/any?name=b.test')).toBe('200')
  expect(await ask('/checked?name=b.test')).toBe('502')
  expect(await ask('/checked?name=b.test')).toBe('502')
  expect(await ask('/checked?name=a.test')).toBe('200')
  expect(await ask('/checked?name=a.test')).toBe('200')
  expect(backends.DIRECT!.requests.map(({ reused }) => reused)).toEqual([false, true, false, true])
})
