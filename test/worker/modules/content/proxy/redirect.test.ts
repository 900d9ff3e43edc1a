// `proxy_redirect` where Debian's nginx cannot be compared: run-time addresses, and what `$sent_http_location` says.
// The rules themselves are compared with nginx in test/parity.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { serverConf, TestEngine } from '../../../../support/engine.ts'
import { RawBackend } from '../../../../support/raw-backend.ts'
import { rawRequest } from '../../../../support/raw-client.ts'

const CONF = `
  location / { proxy_pass http://%BACKEND%; add_header X-Seen "$sent_http_location"; }
  location /variable { proxy_pass http://$http_x_up; }
  location /variable/own { proxy_redirect http://$http_x_up/ /; proxy_pass http://$http_x_up; }
  location /query { proxy_pass http://%BACKEND%?x; }
  location /unix/ { proxy_pass http://%BACKEND%/deep; proxy_redirect http://unix:/run/a: /; }
  location /hidden { proxy_hide_header Location; proxy_pass http://%BACKEND%; }
`

let engine: TestEngine
let backend: RawBackend

beforeAll(async () => {
  backend = await RawBackend.start()
  engine = await TestEngine.start(
    serverConf(
      CONF,
      `log_format location '$uri $sent_http_location'; access_log logs/location.log location;`,
    ),
    { BACKEND: backend.address },
  )
})
afterAll(() => Promise.all([engine?.stop(), backend?.stop()]))

/** Lines of the head the client gets for a backend's Location. */
async function head(target: string, location: string): Promise<string[]> {
  backend.answer = `HTTP/1.1 302 F\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`
  const request = `GET ${target} HTTP/1.1\r\nHost: front.test\r\nX-Up: ${backend.address}\r\n\r\n`
  const { bytes } = await rawRequest(engine.port, request)
  return bytes.toString('latin1').split('\r\n')
}

describe('proxy_redirect', () => {
  it('has no default where proxy_pass has variables', async () => {
    const location = `http://${backend.address}/x`
    expect(await head('/variable', location)).toContain(`Location: ${location}`)
  })

  it('may name the address by the same variables', async () => {
    expect(await head('/variable/own', `http://${backend.address}/x`)).toContain(
      `Location: http://front.test:${engine.port}/x`,
    )
  })

  it('default takes the URL of proxy_pass as it is written', async () => {
    expect(await head('/query', `http://${backend.address}?xyz`)).toContain(
      `Location: http://front.test:${engine.port}/queryyz`,
    )
  })

  it('replaces a URL of a unix socket', async () => {
    expect(await head('/unix/x', 'http://unix:/run/a:/x')).toContain(
      `Location: http://front.test:${engine.port}//x`,
    )
  })

  it('sees no Location that is hidden', async () => {
    const lines = await head('/hidden', `http://${backend.address}/x`)
    expect(lines.filter((line) => line.startsWith('Location'))).toEqual([])
  })
})

it('$sent_http_location is the path for add_header, and the URL that was sent for the log', async () => {
  expect(await head('/a', `http://${backend.address}/x`)).toContain('X-Seen: /x')
  expect(engine.read('logs/location.log')).toContain(`/a http://front.test:${engine.port}/x\n`)
})
