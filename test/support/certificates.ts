// Certificate authorities made for one test, by the openssl command, and the certificates they sign: for servers and
// clients, with RSA or ECDSA keys, expired, revoked, through intermediates.

import { execFile } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { removeFolder, temporaryFolder } from './temporary.ts'

const run = promisify(execFile)

/** A certificate with its key: PEM texts, and files that hold them. */
export interface Certificate {
  cert: string
  key: string
  certFile: string
  keyFile: string
}

export interface CertificateOptions {
  /** Subject alternative names, without their `DNS:` or `IP:`; default: the common name. */
  names?: readonly string[]
  /** Default `ec`, with P-256; `rsa` has 2048 bits. */
  key?: 'ec' | 'rsa'
  /** It may sign others: an intermediate. */
  ca?: boolean
  /** Days from now; default from 2 days ago until 30 days from now. */
  from?: number
  until?: number
  /** Where its OCSP responder is. */
  ocsp?: string
  /** Asks clients to expect a stapled response (RFC 7633). */
  mustStaple?: boolean
}

const DAY = 86_400_000
const RSA = ['rsa:2048']
const EC = ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256']

function keyArguments({ key = 'ec' }: CertificateOptions): string[] {
  return ['-newkey', ...(key === 'rsa' ? RSA : EC), '-nodes']
}

/** A subject for the command line: a common name, or all of it, as `/C=DE/CN=name`. */
function subject(name: string): string {
  return name.startsWith('/') ? name : `/CN=${name}`
}

function time(days: number): string {
  return `${new Date(Date.now() + days * DAY).toISOString().replace(/[-:T]|\.\d+/g, '')}`
}

function extensions(name: string, options: CertificateOptions): string {
  const names = options.names ?? [name.replace(/.*\/CN=/, '')]
  const alternatives = names.map((text) => (/^[\d.]+$|:/.test(text) ? `IP:${text}` : `DNS:${text}`))
  const lines = [
    `basicConstraints=critical,CA:${options.ca ? 'TRUE' : 'FALSE'}`,
    'subjectKeyIdentifier=hash',
    'authorityKeyIdentifier=keyid',
    options.ca ? 'keyUsage=keyCertSign,cRLSign' : 'keyUsage=digitalSignature,keyEncipherment',
  ]
  if (!options.ca && alternatives.length > 0) lines.push(`subjectAltName=${alternatives.join(',')}`)
  if (options.ocsp !== undefined) lines.push(`authorityInfoAccess=OCSP;URI:${options.ocsp}`)
  if (options.mustStaple) lines.push('tlsfeature=status_request')
  return `${lines.join('\n')}\n`
}

/** An authority in a folder of its own. */
export class Authority implements Certificate {
  readonly folder: string
  cert = ''
  key = ''
  readonly certFile: string
  readonly keyFile: string
  #issued = 0
  #turn: Promise<void> = Promise.resolve()

  private constructor(folder: string) {
    this.folder = folder
    this.certFile = join(folder, 'ca.crt')
    this.keyFile = join(folder, 'ca.key')
  }

  /** A root; remove it with `remove`. */
  static async create(name = 'Test CA', options: CertificateOptions = {}): Promise<Authority> {
    const authority = new Authority(await temporaryFolder())
    const { certFile, keyFile } = authority
    await run('openssl', [
      ...['req', '-x509', ...keyArguments(options), '-subj', subject(name), '-days', '365'],
      ...['-addext', 'keyUsage=critical,keyCertSign,cRLSign', '-keyout', keyFile, '-out', certFile],
    ])
    await authority.#prepare()
    return authority
  }

  /** An authority whose certificate this one signs; it is removed with this one. */
  async intermediate(name: string, options: CertificateOptions = {}): Promise<Authority> {
    const signed = await this.issue(name, { ...options, ca: true })
    const folder = join(this.folder, `intermediate-${this.#issued}`)
    await mkdir(folder)
    const authority = new Authority(folder)
    await writeFile(authority.certFile, signed.cert)
    await writeFile(authority.keyFile, signed.key)
    await authority.#prepare()
    return authority
  }

  /** Signs a certificate for `name`: a common name, or a whole subject as `/O=Org/CN=name`. */
  async issue(name: string, options: CertificateOptions = {}): Promise<Certificate> {
    const base = join(this.folder, `issued-${++this.#issued}`)
    const [certFile, keyFile, request, extra] = ['.crt', '.key', '.csr', '.ext'].map((end) => base + end)
    await run('openssl', [
      ...['req', '-new', ...keyArguments(options), '-subj', subject(name)],
      ...['-keyout', keyFile!, '-out', request!],
    ])
    await writeFile(extra!, extensions(name, options))
    await this.#ca([
      ...['-in', request!, '-out', certFile!, '-notext', '-extfile', extra!],
      ...['-startdate', time(options.from ?? -2), '-enddate', time(options.until ?? 30)],
    ])
    return read(certFile!, keyFile!)
  }

  /** Revokes a certificate of this authority's; `revocations` tells of it. */
  async revoke({ certFile }: Certificate): Promise<void> {
    await this.#ca(['-revoke', certFile])
  }

  /** A file with the list (PEM) of what has been revoked so far. */
  async revocations(): Promise<string> {
    const file = join(this.folder, `revoked-${++this.#issued}.crl`)
    await this.#ca(['-gencrl', '-crldays', '30', '-out', file])
    return file
  }

  /** The index file that `openssl ocsp -index` answers from. */
  get index(): string {
    return join(this.folder, 'index.txt')
  }

  async remove(): Promise<void> {
    await removeFolder(this.folder)
  }

  /** One at a time: the command keeps its numbers in files. */
  #ca(args: string[]): Promise<void> {
    const turn = this.#turn.then(async () => {
      await run('openssl', ['ca', '-batch', '-config', join(this.folder, 'ca.cnf'), ...args])
    })
    this.#turn = turn.catch(() => {})
    return turn
  }

  async #prepare(): Promise<void> {
    this.cert = await readFile(this.certFile, 'latin1')
    this.key = await readFile(this.keyFile, 'latin1')
    const lines = [
      ...['[ca]', 'default_ca=own', '[own]', `database=${this.folder}/index.txt`],
      ...[`new_certs_dir=${this.folder}`, `serial=${this.folder}/serial`, 'default_md=sha256'],
      ...[`certificate=${this.certFile}`, `private_key=${this.keyFile}`, 'policy=any', 'unique_subject=no'],
      ...['crl_extensions=list', '[list]', 'authorityKeyIdentifier=keyid'],
      ...['[any]', ...['C', 'ST', 'L', 'O', 'OU', 'CN', 'emailAddress'].map((part) => `${part}=optional`)],
    ]
    await writeFile(join(this.folder, 'ca.cnf'), `${lines.join('\n')}\n`)
    await writeFile(this.index, '')
    await writeFile(join(this.folder, 'serial'), '1000\n')
  }
}

async function read(certFile: string, keyFile: string): Promise<Certificate> {
  const [cert, key] = await Promise.all([readFile(certFile, 'latin1'), readFile(keyFile, 'latin1')])
  return { cert, key, certFile, keyFile }
}
