// Health checks of peers that are spoken to by TLS, as `proxy_ssl_*` of the location has it.

import { join } from 'node:path'
import { Client } from 'undici'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { HttpProber } from '../../../src/master/health/http-probe.ts'
import type { Prober, Verdict } from '../../../src/master/health/probe.ts'
import { TcpProber } from '../../../src/master/health/tcp-probe.ts'
import { Authority } from '../../support/certificates.ts'
import { DeafListener } from '../../support/deaf-listener.ts'
import { checkConf, checksOf } from '../../support/health.ts'
import { RawBackend } from '../../support/raw-backend.ts'
import { SecureBackend } from '../../support/secure-backend.ts'

let authority: Authority
let backend: SecureBackend
let asking: SecureBackend
let plain: RawBackend
let prober: Prober | null = null

beforeAll(async () => {
  authority = await Authority.create()
  const certificate = await authority.issue('a.test')
  await authority.issue('prober')
  backend = await SecureBackend.start(certificate)
  const ca = authority.cert
  asking = await SecureBackend.start({ ...certificate, requestCert: true, rejectUnauthorized: true, ca })
  plain = await RawBackend.start()
  plain.answer = { bytes: 'HTTP/1.1 400 Bad Request\r\n\r\n', when: 'connect' }
})

afterEach(() => {
  prober?.stop()
  prober = null
  for (const server of [backend, asking]) server.reset()
})

afterAll(async () => {
  await Promise.all([backend, asking, plain].map((server) => server.stop()))
  await authority.remove()
})

function proberTo(server: string, check: string, location: string): Prober {
  const timeouts = 'proxy_connect_timeout 300ms; proxy_read_timeout 300ms;'
  const conf = checkConf({
    servers: `server ${server};`,
    location: `${timeouts} ${location} health_check ${check};`,
  }).replace('proxy_pass http:', 'proxy_pass https:')
  const [found] = checksOf(conf)
  const peer = found!.group.configured[0]!
  return (prober = found!.type === 'tcp' ? new TcpProber(found!, peer) : new HttpProber(found!, peer, Client))
}

const ask = (from: Prober) => new Promise<Verdict>((done) => from.start(done))

async function verdict(server: string, location = '', check = ''): Promise<string> {
  const { passed, doing, error } = await ask(proberTo(server, check, location))
  return `${passed ? 'passed' : 'failed'} while ${doing}${error === '' ? '' : `: ${error}`}`
}

it('health_check, https, asks by TLS', async () => {
  expect(await verdict(backend.address, '', 'uri=/well')).toBe('passed while checking status code')
  expect(backend.requests[0]!.text).toContain('GET /well HTTP/1.1\r\n')
})

it('health_check, https, sends the name of proxy_ssl_name and the certificate of proxy_ssl_certificate', async () => {
  const [cert, key] = ['crt', 'key'].map((end) => join(authority.folder, `issued-2.${end}`))
  const settings = `proxy_ssl_server_name on; proxy_ssl_name a.test; proxy_ssl_certificate ${cert};
    proxy_ssl_certificate_key ${key}; proxy_ssl_verify on; proxy_ssl_trusted_certificate ${authority.certFile};`
  expect(await verdict(asking.address, settings)).toBe('passed while checking status code')
  expect(asking.requests.map(({ serverName, client }) => [serverName, client])).toEqual([
    ['a.test', 'prober'],
  ])
})

it('health_check, https, a certificate for another name, fails', async () => {
  const settings = `proxy_ssl_verify on; proxy_ssl_trusted_certificate ${authority.certFile};`
  expect(await verdict(backend.address, settings)).toBe(
    'failed while SSL handshaking to upstream: upstream SSL certificate does not match "u"',
  )
})

it('health_check, https, a peer without TLS, fails', async () => {
  expect(await verdict(plain.address)).toBe(
    'failed while SSL handshaking to upstream: SSL_do_handshake() failed (SSL: error:0A00010B:SSL routines::wrong version number)',
  )
})

it('health_check, https, a silent peer, fails after proxy_connect_timeout', async () => {
  const deaf = await DeafListener.start()
  const expected =
    /^failed while (SSL handshaking|connecting) to upstream: upstream timed out \(110: Connection timed out\)$/
  expect(await verdict(`127.0.0.1:${deaf.port}`)).toMatch(expected)
  await deaf.stop()
})

it('health_check keepalive_time, https, asks again on the same connection', async () => {
  const one = proberTo(backend.address, 'keepalive_time=60s', '')
  await ask(one)
  await ask(one)
  expect(backend.requests.map(({ connection }) => connection)).toEqual([0, 0])
})

it('health_check type=tcp, https, only connects', async () => {
  expect(await verdict(plain.address, '', 'type=tcp')).toBe('passed while connecting to upstream')
})
