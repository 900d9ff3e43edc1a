// A guide's configuration at work: completed to a whole one, with backends of the test's own in place of those it
// names, and without the directives that weir does not have yet, which are reported.

import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { dirname, join } from 'node:path'
import { connect } from 'node:tls'
import { ConfError } from '../../src/shared/conf/directive.ts'
import { Authority } from '../support/certificates.ts'
import { serverConf, TestEngine } from '../support/engine.ts'
import { RawBackend, type Received } from '../support/raw-backend.ts'
import { rawRequest } from '../support/raw-client.ts'
import { freePort, removeFolder, temporaryFolder } from '../support/temporary.ts'

/** The statements of a block's outermost level. */
export function statementsOf(text: string): string[] {
  const found: string[] = []
  let depth = 0
  let start = 0
  for (const { 0: token, index } of text.matchAll(/"[^"]*"|'[^']*'|[{};]/g)) {
    if (token === '{') depth++
    if (token === '}') depth--
    if (depth > 0 || !/[};]/.test(token)) continue
    found.push(text.slice(start, index + 1).trim())
    start = index + 1
  }
  return found
}

/** `text` as a whole configuration, its addresses and paths still the guide's own; `http` comes before it. */
export function completed(text: string, http = ''): string {
  const whole = /^http \{([\s\S]*)\}$/.exec(text)
  const statements = statementsOf(whole === null ? text : whole[1]!)
  const named = (...names: string[]) =>
    statements.filter((statement) => names.includes(/^\w+/.exec(statement)![0]))
  const locations = named('location')
  const outer = statements.filter((statement) => !locations.includes(statement))
  const upstream = /^upstream (\S+)/.exec(named('upstream')[0] ?? '')?.[1]
  let content: string[]
  if (named('server').length > 0) content = statements
  else if (locations.length > 0) content = [...outer, `server { ${locations.join('\n')} }`]
  else if (upstream !== undefined) {
    content = [...outer, `server { location / { proxy_pass http://${upstream}; } }`]
  } else {
    const pass = named('proxy_pass').length > 0 ? '' : 'proxy_pass http://backend;'
    content = [`server { location / { ${statements.join('\n')} ${pass} } }`]
  }
  const all = content.map((statement) =>
    statement.startsWith('server') && !/\blisten /.test(statement)
      ? statement.replace('{', '{ listen 80;')
      : statement,
  )
  return `error_log logs/error.log info;\nevents {}\nhttp {\n${http}\n${all.join('\n')}\n}\n`
}

/** One running configuration of a guide. */
export class GuideRun {
  /** What the configuration asks for that weir refuses by name; it runs without. */
  readonly missing: string[] = []
  readonly #folder: string
  readonly #backends = new Map<string, RawBackend>()
  #engine!: TestEngine
  #tls: Server | null = null
  #tlsPort = 0

  private constructor(folder: string) {
    this.#folder = folder
  }

  /** Starts `conf`, which is whole. `files`: what lies where the guide's paths lead. */
  static async start(conf: string, files: Record<string, string> = {}): Promise<GuideRun> {
    const run = new GuideRun(await temporaryFolder())
    try {
      for (const [path, content] of Object.entries(files)) {
        mkdirSync(dirname(join(run.#folder, path)), { recursive: true })
        writeFileSync(join(run.#folder, path), content)
      }
      run.#tlsPort = await freePort()
      await run.#load(await run.#localised(conf))
    } catch (error) {
      await run.stop()
      throw error
    }
    return run
  }

  async stop(): Promise<void> {
    this.#tls?.close()
    await this.#engine?.stop()
    for (const backend of this.#backends.values()) await backend.stop()
    await removeFolder(this.#folder)
  }

  get port(): number {
    return this.#engine.port
  }

  get errorLog(): string {
    return this.#engine.errorLog
  }

  /** The backend in the place of the one that the guide calls `name`: an address or an upstream without a block. */
  backend(name: string): RawBackend {
    const backend = this.#backends.get(name)
    if (backend === undefined)
      throw new Error(`the guide names no ${name}, but ${[...this.#backends.keys()]}`)
    return backend
  }

  /** The last request that a backend got, line by line. */
  received(name: string): string[] {
    const last: Received | undefined = this.backend(name).requests.at(-1)
    return (last?.bytes.toString('latin1') ?? '').split('\r\n')
  }

  /** How many requests the backends got, in the order the guide names them. */
  counts(): number[] {
    return [...this.#backends.values()].map((backend) => backend.requests.length)
  }

  /** The whole answer to a request; `host` is also what chooses the server. */
  async get(host: string, target: string, ...headers: string[]): Promise<string> {
    return this.send(
      `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n${headers.map((line) => `${line}\r\n`).join('')}\r\n`,
    )
  }

  async send(bytes: string, port = this.port): Promise<string> {
    return (await rawRequest(port, bytes)).bytes.toString('latin1')
  }

  /** As `get`, from the server on port 443. */
  async getTls(host: string, target: string): Promise<string> {
    const port = this.#tlsPort
    const socket = connect({ port, host: '127.0.0.1', servername: host, rejectUnauthorized: false })
    let text = ''
    socket.on('data', (bytes) => (text += bytes.toString('latin1')))
    socket.write(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
    await once(socket, 'end')
    socket.end()
    return text
  }

  /** Everything that comes behind a WebSocket client's first request, until the connection ends. */
  async upgrade(host: string, target: string): Promise<string> {
    const head = `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`
    return (await rawRequest(this.port, head, { until: 'close' })).bytes.toString('latin1')
  }

  async #load(conf: string): Promise<void> {
    let text = conf
    this.#engine = await TestEngine.start(serverConf(''), { SECURE: this.#tlsPort })
    for (;;) {
      try {
        this.#engine.load(text)
        break
      } catch (error) {
        if (!(error instanceof ConfError)) throw error
        const lacking =
          /the (?:"(\w+)" parameter of the )?"(\w+)" (directive|variable) is not supported/.exec(
            error.message,
          )
        if (lacking === null) throw error
        const before = text
        text = this.#without(text, lacking)
        if (text === before) throw error
      }
    }
    if (!text.includes('%SECURE%')) return
    const { engine, stats } = this.#engine
    const key = `127.0.0.1:${this.#tlsPort}`
    this.#tls = createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true }, (socket) => {
      stats.addActive(1)
      engine.adopt(socket, key)
    })
    await new Promise<void>((done) => this.#tls!.listen(this.#tlsPort, '127.0.0.1', done))
  }

  /** `text` without what weir has refused in it. */
  #without(text: string, [, parameter, name, kind]: RegExpExecArray): string {
    if (parameter !== undefined) {
      this.missing.push(`${name} ${parameter}`)
      return text.replace(new RegExp(`(?<=\\b${name} [^;]*) ${parameter}(=[^\\s;]*)?(?=[\\s;])`, 'g'), '')
    }
    if (kind === 'variable') {
      this.missing.push(`$${name}`)
      return text.replace(new RegExp(`[^;{}]*\\$${name}\\b[^;]*;`, 'g'), '')
    }
    this.missing.push(name!)
    return text.replace(new RegExp(`(?<=[;{}\\s])${name}\\s[^;]*;|(?<=[;{}\\s])${name};`, 'g'), '')
  }

  /** The guide's addresses and paths replaced by ours. */
  async #localised(conf: string): Promise<string> {
    const upstreams = new Set([...conf.matchAll(/\bupstream (\S+)/g)].map((match) => match[1]))
    let text = conf.replace(/\blisten 80;/g, 'listen 127.0.0.1:%PORT%;')
    text = text.replace(/\blisten 443\b/g, 'listen 127.0.0.1:%SECURE%')
    text = text.replaceAll('include fastcgi_params;', 'fastcgi_param QUERY_STRING $query_string;')
    for (const [, , name] of text.matchAll(/(\bserver |\bproxy_pass http:\/\/)([\w.:/-]+?)(?=[/; ])/g)) {
      if (name === undefined || name === 'unix:' || upstreams.has(name) || this.#backends.has(name)) continue
      this.#backends.set(name, await RawBackend.start())
    }
    const socket = /unix:(\/tmp\/[\w.]+)/.exec(text)?.[1]
    if (socket !== undefined) {
      const path = join(this.#folder, 'backend.sock')
      this.#backends.set(`unix:${socket}`, await RawBackend.start(path))
      text = text.replaceAll(socket, path)
    }
    text = text.replace(/(\bserver |\bproxy_pass http:\/\/)([\w.:/-]+?)(?=[/; ])/g, (whole, before, name) => {
      const backend = this.#backends.get(name)
      return backend === undefined ? whole : before + backend.address
    })
    text = text.replace(/(?<=[ :])\/(?:var|etc)\//g, (path) => this.#folder + path)
    await writeCertificates(text)
    return text
  }
}

/** A certificate and its key where `conf` looks for them. */
async function writeCertificates(conf: string): Promise<void> {
  const files = [...conf.matchAll(/\bssl_certificate(_key)? (\S+);/g)]
  if (files.length === 0) return
  const authority = await Authority.create('guide')
  for (const [, isKey, path] of files) {
    mkdirSync(dirname(path!), { recursive: true })
    writeFileSync(path!, isKey === undefined ? authority.cert : authority.key)
  }
  await authority.remove()
}
