// Side by side: the same configuration and the same bytes to nginx and to weir; what the client gets, what the backend
// sees and what the logs say must be equal. What nginx does at that moment is the expectation, nothing is written down.
//
// PARITY_AGAINST=nginx puts a second nginx in weir's place: a case that differs then is a bad case.
// PARITY_SHOW=1 prints every case with what both did, a line of JSON each.

import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { nginxMissing, type RunningProxy, startNginx, startWeir } from '../support/proxy.ts'
import { RawBackend } from '../support/raw-backend.ts'
import { rawRequest } from '../support/raw-client.ts'
import { freePort, removeFolder, temporaryFolder } from '../support/temporary.ts'
import { eventually } from '../support/wait.ts'
import { accessLines, answerLines, errorLines, requestLines } from './normalise.ts'

/** One exchange with each proxy. */
export interface ParityCase {
  name: string
  /** The client's bytes; several parts are several writes. `%PORT%` is the proxy's port. */
  send: string | string[]
  /** What the backend answers; default a 200 with the body `ok`. */
  answer?: RawBackend['answer']
  /** Final responses to wait for (default 1), or the end of the connection. */
  until?: number | 'close'
  /** The client ends its side after the last byte. */
  halfClose?: boolean
  /** Which address to connect to; default 127.0.0.1. */
  host?: string
  /** Which %PORTn% to connect to; default 1. */
  port?: number
  /** Lines of access log to wait for, or as many as there are answers; default 1. */
  logged?: number | 'answers'
  /** The backend may get a chunked body with a length instead: nginx chooses by what has arrived. */
  anyFraming?: boolean
  /** The request goes to the backend on %LOCAL%. */
  local?: true
  /** Compare info messages of the error log too. */
  info?: boolean
  /** Compare whether the connection ends with a reset too. */
  reset?: true
}

const AGAINST_ITSELF = process.env.PARITY_AGAINST === 'nginx'
const SHOW = process.env.PARITY_SHOW === '1'

/** What happened, ready to be compared. */
export interface View {
  answer: string[]
  closed: boolean | 'by reset' | null
  backend: string[]
  access: string[]
  error: string[]
}

if (nginxMissing !== null) console.warn(`parity with nginx is not tested: ${nginxMissing}`)

/**
 * Declares a test for each case. `http` is the content of the http block; in it, %BACKEND% is the address of the
 * recording backend, %LOCAL% that of another one on a unix socket, and %REFUSED% one where nothing listens. `pending`: uses directives or variables that weir may not
 * have yet; when weir refuses them, the cases are skipped and its reason is printed. `vars`: what other words between %
 * stand for, made before the proxies start.
 */
export function describeParity(
  area: string,
  http: string,
  cases: readonly ParityCase[],
  options: { pending?: true; vars?: () => Promise<Record<string, string | number>> } = {},
): void {
  describe.skipIf(nginxMissing !== null)(area, () => {
    const pair = new ProxyPair()
    let refused: string | null = null

    beforeAll(async () => {
      try {
        await pair.start(http, await options.vars?.())
      } catch (error) {
        refused = /\[emerg\] (.*not supported by weir yet)/.exec(String(error))?.[1] ?? null
        if (options.pending !== true || refused === null) throw error
        console.warn(`parity of "${area}" is not tested: ${refused}`)
      }
    })
    afterAll(() => pair.stop())

    it.for(cases)('$name', async (parityCase, { skip }) => {
      if (refused !== null) skip(refused)
      const { expected, actual } = await pair.run(parityCase)
      const { name, send } = parityCase
      if (SHOW) console.log(`PARITY ${JSON.stringify({ area, name, send, expected, actual })}`)
      expect(actual).toEqual(expected)
    })
  })
}

/** Both proxies on the same configuration, with the backends they share. */
export class ProxyPair {
  #folder = ''
  #backend!: RawBackend
  #local!: RawBackend
  #nginx: RunningProxy | null = null
  #weir: RunningProxy | null = null

  /** `http` and `others`: as for describeParity. */
  async start(http: string, others: Record<string, string | number> = {}): Promise<void> {
    this.#folder = await temporaryFolder()
    const socket = join(this.#folder, 'backend.sock')
    this.#backend = await RawBackend.start()
    this.#local = await RawBackend.start(socket)
    const vars = {
      BACKPORT: this.#backend.port,
      LOCAL: `unix:${socket}`,
      BACKEND: this.#backend.address,
      REFUSED: `127.0.0.1:${await freePort()}`,
      ...others,
    }
    const conf = `worker_processes 1;\nevents { worker_connections 256; }\nhttp {\n${http}\n}\n`
    this.#nginx = await startNginx(conf, { vars })
    this.#weir = await (AGAINST_ITSELF ? startNginx : startWeir)(conf, { vars })
  }

  async stop(): Promise<void> {
    await Promise.all([this.#nginx?.stop(), this.#weir?.stop(), this.#backend?.stop(), this.#local?.stop()])
    await removeFolder(this.#folder)
  }

  /** Runs one case through both; `patience` as for view. */
  async run(parityCase: ParityCase, patience?: number): Promise<{ expected: View; actual: View }> {
    const backend = parityCase.local ? this.#local : this.#backend
    const expected = await view(this.#nginx!, backend, parityCase, patience)
    const actual = await view(this.#weir!, backend, parityCase, patience)
    return { expected, actual }
  }
}

/** Runs one case through one proxy. `patience`: milliseconds to wait for a line of access log that does not come. */
async function view(
  proxy: RunningProxy,
  backend: RawBackend,
  parityCase: ParityCase,
  patience = 3000,
): Promise<View> {
  backend.reset(parityCase.answer)
  const before = { access: wholeLines(proxy.accessLog), error: wholeLines(proxy.errorLog) }
  const parts = [parityCase.send].flat().map((part) => withPorts(part, proxy))
  const until = parityCase.until ?? 1
  const answer = await rawRequest(proxy.ports[(parityCase.port ?? 1) - 1]!, parts, {
    until,
    ...(parityCase.host === undefined ? {} : { host: parityCase.host }),
    ...(parityCase.halfClose === undefined ? {} : { halfClose: parityCase.halfClose }),
  })
  const { logged: lines = 1 } = parityCase
  const logged = lines === 'answers' ? statusLines(answer.bytes.toString('latin1')) : lines
  const access = (): string => proxy.accessLog.slice(before.access)
  // A missing line shows in the comparison; the wait only bounds how long it may take to appear.
  await eventually('access log', () => access().split('\n').length > logged, patience).catch(() => {})
  const bytes = answer.bytes.toString('latin1')
  const { errorLog } = proxy
  return {
    answer: answerLines(bytes, proxy),
    closed: until === 'close' ? (parityCase.reset && answer.reset ? 'by reset' : answer.closed) : null,
    backend: backend.requests.flatMap((request) =>
      requestLines(request.bytes.toString('latin1'), proxy, parityCase.anyFraming ?? false),
    ),
    access: accessLines(access(), bytes, proxy),
    error: errorLines(errorLog.slice(before.error, wholeLines(errorLog)), proxy, parityCase.info ?? false),
  }
}

/** Length of what is written completely: a line may be read while it is being written. */
function wholeLines(log: string): number {
  return log.lastIndexOf('\n') + 1
}

function withPorts(text: string, proxy: RunningProxy): string {
  return text.replace(/%PORT(\d*)%/g, (_, number) => String(proxy.ports[Number(number || 1) - 1]))
}

function statusLines(bytes: string): number {
  return bytes.match(/HTTP\/1\.1 [2-5]\d\d /g)?.length ?? 0
}
