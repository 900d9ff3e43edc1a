// `sticky learn`: the servers begin sessions of their own; which of them began one, or went on with it last, is learned
// from their responses and kept for all workers.

import type { BuildContext } from '../../../shared/conf/build.ts'
import { parseSize, parseTime } from '../../../shared/conf/values.ts'
import { claimZoneName } from '../../../shared/conf/zone-uses.ts'
import { SessionZone } from '../../../shared/session-zone.ts'
import type { VariableReader } from '../../http/module.ts'
import type { Request } from '../../http/request.ts'
import { sharedNow } from '../../shared-clock.ts'
import type { Peer } from '../peers.ts'
import type { Selection } from '../selection.ts'
import type { PeerHead } from '../wire.ts'
import { firstValue, lookupVariable } from './lookup.ts'
import { serverId } from './server-id.ts'
import type { Stickiness } from './stickiness.ts'

/** Eight pages: nginx's least. */
const LEAST_SIZE = 32_768
const DEFAULT_TIMEOUT = 600_000

interface LearnOptions {
  /** Name of the zone. */
  readonly name: string
  readonly memory: SharedArrayBuffer
  readonly timeout: number
  readonly lookup: readonly VariableReader[]
  readonly create: readonly VariableReader[]
}

abstract class Learn {
  readonly #options: LearnOptions
  #zone: SessionZone | null = null

  constructor(options: LearnOptions) {
    this.#options = options
  }

  bind(worker: number): void {
    const { memory, timeout } = this.#options
    this.#zone = new SessionZone(memory, worker, timeout)
  }

  boundTo(r: Request): string {
    const session = firstValue(this.#options.lookup, r)
    return session === '' ? '' : this.#zone!.find(session, sharedNow())
  }

  /** The session that the response begins, or else that of the request, goes on at `peer`. */
  protected learn(r: Request, peer: Peer): void {
    const { name, lookup, create } = this.#options
    const created = firstValue(create, r)
    const session = created === '' ? firstValue(lookup, r) : created
    if (session === '') return
    const stored = this.#zone!.store(session, serverId(peer), sharedNow(), created !== '')
    if (stored !== 'pushed out') return
    r.log('warn', `sticky session zone "${name}" is full, the session unused longest is forgotten`)
  }
}

class LearnAtEnd extends Learn implements Stickiness {
  ended({ r }: Selection, peer: Peer): void {
    this.learn(r, peer)
  }
}

/** `header` */
class LearnAtHead extends Learn implements Stickiness {
  answered({ r }: Selection, peer: Peer, head: PeerHead): void {
    const upstream = r.upstream!
    const before = upstream.fields
    // Variables are not told of the head before it is known to be the client's.
    upstream.fields = head.fields
    this.learn(r, peer)
    upstream.fields = before
  }
}

/** Upstreams by the zone of their sessions, of each configuration. */
const zones = new WeakMap<BuildContext, Map<string, string>>()

interface Words {
  zone: { name: string; size: number } | null
  timeout: number | null
  lookup: VariableReader[]
  create: VariableReader[]
  header: boolean
}

/** Reads the words behind `sticky learn`. */
export function stickyLearn(args: readonly string[], context: BuildContext): Stickiness {
  const words: Words = { zone: null, timeout: null, lookup: [], create: [], header: false }
  for (const word of args) readWord(word, words, context)
  const { zone, timeout, lookup, create, header } = words
  if (lookup.length === 0) context.error('"sticky" directive "lookup" parameter is not specified')
  if (create.length === 0) context.error('"sticky" directive "create" parameter is not specified')
  if (zone === null) return context.error('"sticky" directive "zone" parameter is not specified')
  const memory = claimZone(zone.name, zone.size, context)
  const options = { name: zone.name, memory, timeout: timeout ?? DEFAULT_TIMEOUT, lookup, create }
  return header ? new LearnAtHead(options) : new LearnAtEnd(options)
}

function readWord(word: string, words: Words, context: BuildContext): void {
  const fail = (what: string): never => context.error(`"sticky" directive ${what}`)
  const at = word.indexOf('=') + 1
  const name = word.slice(0, at)
  const value = word.slice(at)
  if (name === 'zone=') {
    if (words.zone !== null) fail('duplicate zone')
    words.zone = readZone(value, fail)
  } else if (name === 'timeout=') {
    if (words.timeout !== null) fail('duplicate timeout')
    words.timeout = parseTime(value) || fail('invalid timeout')
  } else if (name === 'create=' || name === 'lookup=') {
    const kind = name === 'create=' ? 'create' : 'lookup'
    if (!value.startsWith('$')) fail(`missing variable in the "${kind}" parameter`)
    words[kind].push(lookupVariable(value, context))
  } else if (word === 'header') words.header = true
  else if (word === 'sync') {
    context.error('the "sync" parameter of the "sticky" directive is not supported by weir yet')
  } else context.error(`unknown parameter "${word}"`)
}

function readZone(text: string, fail: (what: string) => never): { name: string; size: number } {
  const colon = text.indexOf(':')
  if (colon < 0) fail('zone size is not specified')
  if (colon === 0) fail('zone name is not specified')
  const size = parseSize(text.slice(colon + 1)) ?? fail('invalid zone size')
  if (size < LEAST_SIZE) fail('zone is too small')
  return { name: text.slice(0, colon), size }
}

/** A zone is of one upstream: what its sessions lead to means nothing in another one. */
function claimZone(name: string, size: number, context: BuildContext): SharedArrayBuffer {
  let known = zones.get(context)
  if (known === undefined) zones.set(context, (known = new Map()))
  const upstream = context.scope.directive!.args[0]!
  const other = known.get(name)
  if (other !== undefined) context.error(`sticky zone "${name}" is already used in upstream "${other}"`)
  known.set(name, upstream)
  claimZoneName(name, 'sticky', context)
  return context.zone(`sticky ${name} ${upstream}`, size)
}
