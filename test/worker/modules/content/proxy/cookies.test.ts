// Set-Cookie values one by one: how attributes are found, changed and put together again. The rules themselves are
// compared with nginx in test/parity.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { serverConf, TestEngine } from '../../../../support/engine.ts'
import { RawBackend } from '../../../../support/raw-backend.ts'
import { rawRequest } from '../../../../support/raw-client.ts'

const CONF = `
  proxy_cookie_path /a /b;
  location / { proxy_pass http://%BACKEND%; }
  location /domain { proxy_cookie_domain \xc9.test new.test; proxy_cookie_domain old.test "$http_x_to"; proxy_pass http://%BACKEND%; }
  location /slow { proxy_cookie_path ~^/(x+x+)+y$ /never; proxy_cookie_path / /next; proxy_pass http://%BACKEND%; }
  location /flags { proxy_cookie_flags s secure samesite=$http_x_to; proxy_pass http://%BACKEND%; }
  location /hidden { proxy_hide_header Set-Cookie; proxy_cookie_flags ~ secure; proxy_pass http://%BACKEND%; }
`

let engine: TestEngine
let backend: RawBackend

beforeAll(async () => {
  backend = await RawBackend.start()
  engine = await TestEngine.start(serverConf(CONF), { BACKEND: backend.address })
})
afterAll(() => Promise.all([engine?.stop(), backend?.stop()]))

/** What the client gets of the backend's cookies. */
async function cookies(target: string, to: string, ...values: string[]): Promise<string[]> {
  const fields = values.map((value) => `Set-Cookie: ${value}\r\n`).join('')
  backend.answer = `HTTP/1.1 200 OK\r\n${fields}Content-Length: 0\r\n\r\n`
  const request = `GET ${target} HTTP/1.1\r\nHost: a\r\nX-To: ${to}\r\n\r\n`
  const { bytes } = await rawRequest(engine.port, request)
  return [...bytes.toString('latin1').matchAll(/^Set-Cookie: (.*)\r\n/gm)].map((match) => match[1]!)
}

describe('a Set-Cookie field', () => {
  it('keeps its own form where no rule applies', async () => {
    expect(await cookies('/', '', 'a=b ;  Path=/x;Secure', 'c')).toEqual(['a=b ;  Path=/x;Secure', 'c'])
  })

  it('is put together anew where one does', async () => {
    expect(await cookies('/', '', 'a=b ;  Path= /a/x;Secure;;')).toEqual(['a=b; Path=/b/x; Secure; ; '])
  })

  it('is changed apart from its neighbours', async () => {
    expect(await cookies('/', '', 'a=1; path=/a', 'b=2; path=/x', 'c=3; path=/a')).toEqual([
      'a=1; path=/b',
      'b=2; path=/x',
      'c=3; path=/b',
    ])
  })

  it('that is hidden is not sent', async () => {
    expect(await cookies('/hidden', '', 'a=1; path=/a')).toEqual([])
  })
})

describe('proxy_cookie_domain', () => {
  it('evaluates its replacement', async () => {
    expect(await cookies('/domain', 'it.test', 'a=b; Domain=Old.Test')).toEqual(['a=b; Domain=it.test'])
  })

  it('knows upper and lower case of ASCII only', async () => {
    expect(await cookies('/domain', '', 'a=b; Domain=\xe9.test')).toEqual(['a=b; Domain=\xe9.test'])
  })
})

describe('proxy_cookie_flags', () => {
  it('skips what a variable makes no flag', async () => {
    expect(await cookies('/flags', 'other', 's=1;x')).toEqual(['s=1; x; Secure'])
    expect(await cookies('/flags', 'LAX', 's=1;x')).toEqual(['s=1; x; Secure; SameSite=Lax'])
  })
})

it('an expression that would not end does not apply', async () => {
  const path = `/${'x'.repeat(40)}`
  const [cookie] = await cookies('/slow', '', `a=b; Path=${path}`)
  expect(cookie).toBe(`a=b; Path=/next${path.slice(1)}`)
})
