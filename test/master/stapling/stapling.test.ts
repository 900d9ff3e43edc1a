// `ssl_stapling` from end to end: weir, a responder, and openssl's client that asks for a response.

import { execFile } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Authority, type Certificate } from '../../support/certificates.ts'
import { OcspResponder } from '../../support/ocsp-responder.ts'
import { type RunningProxy, startWeir } from '../../support/proxy.ts'
import { eventually } from '../../support/wait.ts'

let responder: OcspResponder
let authority: Authority
let ecdsa: Certificate
let rsa: Certificate
let silent: Certificate
const running: RunningProxy[] = []

beforeAll(async () => {
  responder = await OcspResponder.start()
  authority = await Authority.create('Stapling')
  responder.serve(authority)
  ecdsa = await authority.issue('localhost', { ocsp: responder.url })
  rsa = await authority.issue('localhost', { ocsp: `${responder.url}/rsa`, key: 'rsa' })
  silent = await authority.issue('silent')
})
afterEach(async () => {
  responder.answer = null
  responder.asked.length = 0
  await Promise.all(running.splice(0).map((proxy) => proxy.stop()))
})
afterAll(() => Promise.all([responder.stop(), authority.remove()]))

const pair = ({ certFile, keyFile }: Certificate) =>
  `ssl_certificate ${certFile}; ssl_certificate_key ${keyFile};`

async function start(text: string, workers = 1): Promise<RunningProxy> {
  const proxy = await startWeir(
    `worker_processes ${workers}; events {} http { ssl_stapling on; ssl_trusted_certificate ${authority.certFile};
      server { listen 127.0.0.1:%PORT% ssl; ${text} return 200 "ok\\n"; } }`,
  )
  running.push(proxy)
  return proxy
}

/** The status that is stapled for openssl's client, `good` or `none`, and whether it is that of another certificate. */
function stapled(proxy: RunningProxy, args: readonly string[] = []): Promise<string> {
  const all = ['-connect', `127.0.0.1:${proxy.port}`, '-CAfile', authority.certFile, '-status', ...args]
  return new Promise((resolve) => {
    const client = execFile('openssl', ['s_client', ...all], (_error, text) => {
      const [, serial, status] = /Serial Number: (\w+)\s+Cert Status: (\w+)/.exec(text) ?? []
      if (status === undefined) return resolve(text.includes('no response sent') ? 'none' : text)
      const own = new X509Certificate(/Server certificate\n(-+BEGIN[^-]*-+[^-]*-+END[^-]*-+)/.exec(text)![1]!)
      resolve(own.serialNumber === serial ? status : `${status} for another certificate`)
    })
    client.stdin!.end('Q\n')
  })
}

const becomesGood = async (proxy: RunningProxy, args: readonly string[] = []) => {
  let status = ''
  const look = async () => {
    status = await stapled(proxy, args)
  }
  await look()
  while (status === 'none') await look()
  return status
}

describe('ssl_stapling', () => {
  it('staples the response that the responder of the certificate gives', async () => {
    const proxy = await start(pair(ecdsa))
    expect(await becomesGood(proxy)).toBe('good')
    expect(await stapled(proxy, ['-tls1_2'])).toBe('good')
    expect(await stapled(proxy, ['-noservername'])).toBe('good')
    expect(responder.asked).toHaveLength(1)
    expect(responder.asked[0]).toMatch(/^GET \/M[\w%]+$/)
  })

  it('asks the responder that the configuration names, with its own path', async () => {
    const proxy = await start(
      `${pair(silent)} ssl_stapling_responder http://localhost:${responder.port}/a/b;`,
    )
    expect(await becomesGood(proxy)).toBe('good')
    expect(responder.asked[0]).toMatch(/^GET \/a\/b\/M/)
  })

  it('staples what is in a file', async () => {
    const first = await start(pair(ecdsa))
    await becomesGood(first)
    const file = (await readdir(authority.folder)).find((name) => name.endsWith('.resp'))!
    const asked = responder.asked.length
    const proxy = await start(`${pair(silent)} ssl_stapling_file ${join(authority.folder, file)};`)
    expect(await stapled(proxy)).toBe('good for another certificate')
    expect(responder.asked).toHaveLength(asked)
  })

  it('verifies who signed a response where it is told to', async () => {
    const proxy = await start(`${pair(ecdsa)} ssl_stapling_verify on;`)
    expect(await becomesGood(proxy)).toBe('good')
  })

  it('goes with the certificate of two that the client gets', async () => {
    const proxy = await start(`${pair(rsa)} ${pair(ecdsa)}`)
    await eventually('both responses', () => responder.asked.length === 2)
    for (const sigalgs of [
      'RSA-PSS+SHA256',
      'ECDSA+SHA256',
      'ECDSA+SHA256:RSA-PSS+SHA256',
      'RSA-PSS+SHA256:ECDSA+SHA256',
    ]) {
      expect(await becomesGood(proxy, ['-tls1_3', '-sigalgs', sigalgs]), sigalgs).toBe('good')
    }
    const serials: string[] = []
    for (const cipher of ['ECDHE-RSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES128-GCM-SHA256']) {
      serials.push(await becomesGood(proxy, ['-tls1_2', '-cipher', cipher]))
    }
    expect(serials).toEqual(['good', 'good'])
  })

  it('tells every worker, and those that a reload starts', async () => {
    const proxy = await start(pair(ecdsa), 2)
    await becomesGood(proxy)
    const before = proxy.errorLog.length
    proxy.signal('SIGHUP')
    await eventually('the reload', () => /exited|reconfiguring/.test(proxy.errorLog.slice(before)))
    for (let count = 0; count < 6; count++) expect(await stapled(proxy)).toBe('good')
    expect(responder.asked).toHaveLength(1)
  })

  it('logs what is wrong with a response, and staples none', async () => {
    responder.answer = (_, response) => response.end('hm')
    const proxy = await start(pair(ecdsa))
    await eventually('the failure', () => proxy.errorLog.includes('while requesting certificate status'))
    const { port } = responder
    expect(proxy.errorLog).toContain(
      `d2i_OCSP_RESPONSE() failed while requesting certificate status, responder: 127.0.0.1, ` +
        `peer: 127.0.0.1:${port}, certificate: "${ecdsa.certFile}"`,
    )
    expect(await stapled(proxy)).toBe('none')
  })
})
