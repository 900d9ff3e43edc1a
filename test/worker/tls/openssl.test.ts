// TLS towards clients as `openssl s_client` sees it, with several workers: every protocol version, sessions that go on in
// another worker and with another key for tickets, certificates whose names hold variables, sizes of records.

import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { copyFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Authority, type Certificate } from '../../support/certificates.ts'
import { type RunningProxy, startWeir } from '../../support/proxy.ts'
import { eventually } from '../../support/wait.ts'

let authority: Authority
let a: Certificate
let proxy: RunningProxy
let folder: string

beforeAll(async () => {
  authority = await Authority.create()
  folder = authority.folder
  a = await authority.issue('a.test', { key: 'rsa' })
  const dynamic = await authority.issue('dynamic.test')
  await copyFile(dynamic.certFile, join(folder, 'dynamic.test.crt'))
  await copyFile(dynamic.keyFile, join(folder, 'dynamic.test.key'))
  await writeFile(join(folder, 'first.key'), randomBytes(48))
  await writeFile(join(folder, 'second.key'), randomBytes(80))
  const text = ({ cert, key }: Certificate): string =>
    `map $ssl_server_name $cert { data.test "${cert}"; } map $ssl_server_name $key { data.test "${key}"; }`
  const pair = `ssl_certificate ${a.certFile}; ssl_certificate_key ${a.keyFile};`
  const more = 'location / { return 200 "connection $connection, $scheme\\n"; }'
  proxy = await startWeir(
    `worker_processes 2; events {} http { ${text(await authority.issue('data.test'))}
      server { listen 127.0.0.1:%PORT% ssl; ${pair} ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3;
        ssl_ciphers ALL:@SECLEVEL=0; ${more} }
      server { listen 127.0.0.1:%PORT2% ssl; ssl_certificate ${folder}/$ssl_server_name.crt;
        ssl_certificate_key ${folder}/$ssl_server_name.key; ${more} }
      server { listen 127.0.0.1:%PORT3% ssl; ssl_certificate data:$cert; ssl_certificate_key data:$key; ${more} }
      server { listen 127.0.0.1:%PORT4% ssl; ${pair} ssl_session_ticket_key ${folder}/first.key; ${more} }
      server { listen 127.0.0.1:%PORT5% ssl; ${pair} ssl_session_ticket_key ${folder}/second.key;
        ssl_session_ticket_key ${folder}/first.key; ${more} }
      server { listen 127.0.0.1:%PORT6% ssl; ${pair} ssl_buffer_size 1k;
        location / { root ${folder}; try_files /large =404; } }
      server { listen 127.0.0.1:%PORT7% ssl proxy_protocol; ${pair} location / { return 200 $proxy_protocol_addr; } }
    }`,
  )
  await writeFile(join(folder, 'large'), randomBytes(100_000))
})
afterAll(async () => {
  await Promise.all([proxy?.stop(), authority.remove()])
})

/** What s_client prints; it sends a request that ends the connection. */
async function client(port: number, ...args: string[]): Promise<string> {
  const child = spawn('openssl', [
    ...['s_client', '-connect', `127.0.0.1:${proxy.ports[port - 1]}`, '-ign_eof'],
    ...['-CAfile', authority.certFile, ...args],
  ])
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (bytes) => (text += bytes.toString('latin1')))
  child.stdin.on('error', () => {})
  child.stdin.write('GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n')
  await new Promise((done) => child.once('close', done))
  child.stdin.destroy()
  return text
}

describe('openssl s_client', () => {
  it.each([
    ['-tls1', 'TLSv1'],
    ['-tls1_1', 'TLSv1.1'],
    ['-tls1_2', 'TLSv1.2'],
    ['-tls1_3', 'TLSv1.3'],
  ])('%s speaks %s', async (option, name) => {
    const text = await client(1, option, '-cipher', 'ALL:@SECLEVEL=0')
    expect(text).toMatch(
      new RegExp(`New, .*, Cipher is .*\\n[\\s\\S]*Protocol *: ${name}\\n|New, ${name}, Cipher is`),
    )
    expect(text).toMatch(/connection \d+, https/)
  })

  it.each(['-tls1_2', '-tls1_3'])('%s goes on with its session in each worker', async (option) => {
    const session = join(folder, `session${option}`)
    expect(await client(1, option, '-cipher', 'ALL:@SECLEVEL=0', '-sess_out', session)).toContain('\nNew, ')
    const resumed: string[] = []
    for (let count = 0; count < 4; count++) {
      resumed.push(await client(1, option, '-cipher', 'ALL:@SECLEVEL=0', '-sess_in', session))
    }
    for (const text of resumed) expect(text).toContain('\nReused, ')
    // The number of a connection tells the worker.
    const workers = resumed.map((text) => Number(/connection (\d+)/.exec(text)?.[1]) % 1024)
    expect(new Set(workers).size).toBe(2)
  })

  it.each(['-tls1_2', '-tls1_3'])(
    '%s goes on where its key for tickets is not the first any more',
    async (option) => {
      const session = join(folder, `rotated${option}`)
      expect(await client(4, option, '-sess_out', session)).toContain('\nNew, ')
      expect(await client(4, option, '-sess_in', session)).toContain('\nReused, ')
      const renewed = join(folder, `renewed${option}`)
      const again = await client(5, option, '-sess_in', session, '-sess_out', renewed)
      expect(again).toContain('\nReused, ')
      // s_client keeps the new ticket of a session that goes on in TLS 1.3 only.
      if (option === '-tls1_2') return
      expect(await client(5, option, '-sess_in', renewed)).toContain('\nReused, ')
      expect(await client(4, option, '-sess_in', renewed)).toContain('\nNew, ')
    },
  )

  it('is shown a certificate whose file its SNI names', async () => {
    expect(await client(2, '-servername', 'dynamic.test')).toContain('subject=CN = dynamic.test')
    expect(await client(2, '-servername', 'dynamic.test')).toContain('Verify return code: 0 (ok)')
  })

  it('is refused where there is no such file', async () => {
    expect(await client(2, '-servername', 'missing.test')).toContain('alert internal error')
    await eventually('log', () =>
      proxy.errorLog.includes('missing.test.crt": BIO_new_file() failed (SSL: error:80000002'),
    )
  })

  it('is shown a certificate that a variable holds', async () => {
    expect(await client(3, '-servername', 'data.test')).toContain('subject=CN = data.test')
  })

  it('gets records no longer than ssl_buffer_size', async () => {
    const text = await client(6, '-msg', '-tls1_2')
    const heads = [...text.matchAll(/^ *17 03 03 ([0-9a-f]{2}) ([0-9a-f]{2})$/gm)]
    const lengths = heads.map(([, high, low]) => Number.parseInt(high! + low!, 16))
    expect(lengths.length).toBeGreaterThan(90)
    expect(Math.max(...lengths)).toBeLessThanOrEqual(1024 + 64)
  })

  it('ends with close_notify', async () => {
    expect(await client(1, '-msg', '-tls1_2')).toMatch(
      /<<< TLS 1.2, Alert \[length 0002\], warning close_notify/,
    )
  })
})

describe('curl', () => {
  it('behind the PROXY protocol shows whom it is for', async () => {
    const child = spawn('curl', [
      ...['-sS', '--haproxy-protocol', '--cacert', authority.certFile],
      ...['--resolve', `a.test:${proxy.ports[6]}:127.0.0.1`, `https://a.test:${proxy.ports[6]}/`],
    ])
    let text = ''
    child.stdout.on('data', (bytes) => (text += bytes))
    child.stderr.on('data', (bytes) => (text += bytes))
    await new Promise((done) => child.once('close', done))
    expect(text).toBe('127.0.0.1')
  })
})
