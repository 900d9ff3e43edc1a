// Every message of the corpora, cut in two at every byte (long ones at a sample of places): the result is the same as
// uncut. The two parts are separate writes on real connections, many at a time.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { malformedRequests } from '../../corpus/malformed-requests.ts'
import { malformedResponses } from '../../corpus/malformed-responses.ts'
import { validRequests } from '../../corpus/valid-requests.ts'
import { validResponses } from '../../corpus/valid-responses.ts'
import { responseLength } from '../../support/framing.ts'
import { type RunningProxy, startWeir } from '../../support/proxy.ts'
import { RawBackend, type Reply } from '../../support/raw-backend.ts'
import { type RawOptions, rawRequest } from '../../support/raw-client.ts'

const CONF = `
worker_processes 1;
error_log logs/error.log error;
events { worker_connections 4096; }
http {
  access_log off;
  server {
    listen 127.0.0.1:%PORT%;
    location / { proxy_pass http://%BACKEND%; }
    location /text { return 200 "text"; }
  }
}
`
/** Messages up to this length are cut at every byte, longer ones at about as many places. */
const EVERY_BYTE = 400
const AT_ONCE = 64

describe('a message that arrives in two parts', () => {
  let backend: RawBackend
  let weir: RunningProxy

  beforeAll(async () => {
    backend = await RawBackend.start()
    weir = await startWeir(CONF, { vars: { BACKEND: backend.address } })
  })
  afterAll(async () => {
    await Promise.all([weir?.stop(), backend?.stop()])
  })

  async function answerTo(parts: string | string[], options: RawOptions): Promise<string> {
    const { bytes } = await rawRequest(weir.port, parts, options)
    return withoutDate(joinChunks(bytes.toString('latin1')))
  }

  it.each(validRequests)('request: $name', async ({ bytes, responses }) => {
    backend.reset((request) => echo(request))
    const methods = bytes.startsWith('HEAD') ? ['HEAD'] : Array(responses).fill('GET')
    const options = { until: responses, methods }
    const whole = await answerTo(bytes, options)
    await everywhere(bytes, async (first, rest) => expect(await answerTo([first, rest], options)).toBe(whole))
  })

  it.each(malformedRequests)('malformed request, $name', async ({ bytes, status }) => {
    backend.reset()
    await everywhere(bytes, async (first, rest) => {
      const answer = await answerTo([first, rest], { until: 'close' })
      expect(answer.slice(0, 13)).toBe(`HTTP/1.1 ${status} `)
    })
    expect(backend.requests).toEqual([])
  })

  it.each(validResponses)('response: $name', async (response) => {
    const after = response.ends ? { after: 'end' as const } : {}
    const whole = await through('GET', { bytes: response.bytes, ...after })
    await everywhere(response.bytes, async (first, rest) =>
      expect(await through('GET', { bytes: [first, rest], gap: 2, ...after })).toBe(whole),
    )
  })

  const useless = malformedResponses.filter((response) => response.kind === 'head')
  it.each(useless)('malformed response, $name', async (response) => {
    const after = response.ends ? { after: 'end' as const } : {}
    await everywhere(response.parts.join(''), async (first, rest) => {
      const answer = await through('GET', { bytes: [first, rest], gap: 2, ...after })
      expect(answer.slice(0, 13)).toBe('HTTP/1.1 502 ')
    })
  })

  const broken = malformedResponses.filter((response) => response.kind === 'body')
  it.each(broken)('malformed response, $name', async (response) => {
    const after = response.ends ? { after: 'end' as const } : {}
    await everywhere(response.parts.join(''), async (first, rest) => {
      const answer = await through('GET', { bytes: [first, rest], gap: 2, ...after }, 'close')
      // How much the client had depends on the cut; a whole response it never gets.
      expect(answer).toMatch(/^HTTP\/1\.1 (502|200) /)
      if (answer.startsWith('HTTP/1.1 200 ')) expect(answer).not.toMatch(/\r\n0\r\n\r\n$|\|0\r\n\r\n$/)
    })
  })

  const surplus = malformedResponses.filter((response) => response.kind === 'surplus')
  it.each(surplus)('malformed response, $name', async (response) => {
    const method = response.method ?? 'GET'
    const bytes = response.parts.join('')
    const whole = await through(method, { bytes })
    // What comes once the response is over would meet whoever uses the connection next: no cut there.
    const sound = responseLength(Buffer.from(bytes, 'latin1'), method)!
    await everywhere(bytes.slice(0, sound), async (first, rest) => {
      const parts = [first, rest + bytes.slice(sound)]
      expect(await through(method, { bytes: parts, gap: 2 })).toBe(whole)
    })
  })

  /** One request of its own, which the backend answers with `reply`. */
  function through(method: string, reply: Reply, until: number | 'close' = 1): Promise<string> {
    const path = `/${nextPath++}`
    replies.set(path, reply)
    backend.answer = (request) => replies.get(/ (\/\d+) /.exec(request.toString('latin1'))?.[1] ?? '') ?? {}
    return answerTo(`${method} ${path} HTTP/1.1\r\nHost: a\r\n\r\n`, { until })
  }
  const replies = new Map<string, Reply>()
  let nextPath = 0
})

/** Calls `attempt` with both parts of `bytes` for each place to cut, several at a time. */
async function everywhere(
  bytes: string,
  attempt: (first: string, rest: string) => Promise<void>,
): Promise<void> {
  const step = Math.max(1, Math.ceil(bytes.length / EVERY_BYTE))
  let next = 1
  const runner = async (): Promise<void> => {
    while (next < bytes.length) {
      const at = next
      next += step
      await attempt(bytes.slice(0, at), bytes.slice(at)).catch((error: Error) => {
        error.message = `cut at byte ${at}: ${error.message}`
        throw error
      })
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, runner))
}

/** The backend's answer: the request it got, its chunks put together. */
function echo(request: Buffer): string {
  const seen = joinChunks(request.toString('latin1'))
  return `HTTP/1.1 200 OK\r\nContent-Length: ${seen.length}\r\n\r\n${request.toString('latin1', 0, 4) === 'HEAD' ? '' : seen}`
}

function joinChunks(message: string): string {
  return message.replace(
    /(transfer-encoding: chunked[\s\S]*?\r\n\r\n)([\s\S]*)/i,
    (_, head: string, body: string) => {
      let content = ''
      let rest = body
      for (let size = Number.parseInt(rest, 16); size > 0; size = Number.parseInt(rest, 16)) {
        const start = rest.indexOf('\r\n') + 2
        content += rest.slice(start, start + size)
        rest = rest.slice(start + size + 2)
      }
      return `${head}${content}|${rest}`
    },
  )
}

function withoutDate(text: string): string {
  return text.replace(/\r\nDate: [^\r]*/g, '')
}
