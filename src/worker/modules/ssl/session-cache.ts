// `ssl_session_cache`: where sessions are kept that clients resume without tickets: nowhere, in each worker, in memory that
// all workers share, or in both of these.

import type { BuildContext, Scope } from '../../../shared/conf/build.ts'
import { HTTP, SERVER, type Setter } from '../../../shared/conf/command.ts'
import { parseInteger, parseSize } from '../../../shared/conf/values.ts'
import { claimZoneName } from '../../../shared/conf/zone-uses.ts'
import { defineModule } from '../../http/module.ts'
import type { SessionStoreSettings } from '../../tls/session-store.ts'
import { asksForCertificates } from './verify-client.ts'

/** What the directives of one level say together. */
interface SessionCacheSettings {
  /** `none` or `off`, whatever else is said: nothing is resumed. */
  readonly none: boolean
  /** Sessions each worker keeps; 0: any number; null: none. */
  readonly builtin: number | null
  readonly shared: { readonly name: string; readonly memory: SharedArrayBuffer } | null
}

interface SessionCacheConf {
  sslSessionCache: SessionCacheSettings
}

/** Eight pages: nginx's least. */
const LEAST_SIZE = 32_768
/** OpenSSL's, for `builtin` without a size. */
const BUILTIN = 20_480
/** Zones are told apart from those of other directives, whose names may be the same. */
export const SESSION_ZONE = 'ssl_session '

const NONE: SessionCacheSettings = { none: true, builtin: null, shared: null }

export const sessionCache = defineModule<SessionCacheConf>({
  name: 'ssl_session_cache',
  commands: [
    {
      name: 'ssl_session_cache',
      in: HTTP | SERVER,
      args: [1, 2],
      repeat: true,
      set: setCache,
      default: NONE,
    },
  ],
  finish: inheritShared,
})

/** Sizes of the zones of each configuration by name. */
const declared = new WeakMap<BuildContext, Map<string, number>>()

/** As in nginx, further directives change what the first ones say. */
function setCache(...[directive, context, previous]: Parameters<Setter>): SessionCacheSettings {
  let { none, builtin, shared } = (previous as SessionCacheSettings | undefined) ?? { ...NONE, none: false }
  for (const word of directive.args) {
    const invalid = (): never => context.error(`invalid session cache "${word}"`)
    if (word === 'off' || word === 'none') none = true
    else if (word === 'builtin') [builtin, none] = [BUILTIN, false]
    else if (/^builtin:./s.test(word)) {
      builtin = parseInteger(word.slice('builtin:'.length)) ?? invalid()
      none = false
    } else if (word.startsWith('shared:')) {
      const [, name = '', text] = /^shared:([^:]*)(?::(.*))?$/s.exec(word) ?? []
      const size = text === undefined || name === '' ? null : parseSize(text)
      if (size === null) invalid()
      else shared = claim(word, name, size, context)
    } else invalid()
  }
  return { none, builtin, shared }
}

function claim(
  word: string,
  name: string,
  size: number,
  context: BuildContext,
): SessionCacheSettings['shared'] {
  if (size < LEAST_SIZE) context.error(`session cache "${word}" is too small`)
  claimZoneName(name, 'ssl_session_cache', context)
  let zones = declared.get(context)
  if (zones === undefined) declared.set(context, (zones = new Map()))
  const known = zones.get(name)
  if (known !== undefined && known !== size) {
    context.error(
      `the size ${size} of shared memory zone "${name}" conflicts with already declared size ${known}`,
    )
  }
  zones.set(name, size)
  return { name, memory: context.zone(SESSION_ZONE + name, size) }
}

/** As in nginx a level that says `builtin` alone goes on using the shared memory of the level around it. */
function inheritShared(conf: SessionCacheConf, scope: Scope): void {
  const { sslSessionCache: settings } = conf
  if (settings.none || settings.shared !== null) return
  const outer = scope.parent?.conf(sessionCache).sslSessionCache
  if (outer?.shared) conf.sslSessionCache = { ...settings, shared: outer.shared }
}

/** Bytes for sessions whose clients have certificates, where `ssl_session_cache` names no other place. */
const CLIENT_SESSIONS = 8 * 1024 * 1024

/**
 * How clients of a server may resume sessions. Those that have certificates cannot do so by tickets: whether the chain of
 * one was too long is not written in a ticket. Their sessions are kept in memory that all workers share instead.
 */
export function sessionPolicy(
  tickets: boolean,
  timeout: number,
  scope: Scope,
  context: BuildContext,
): { tickets: boolean; sessions: SessionStoreSettings | null } {
  const { none, builtin, shared } = scope.conf(sessionCache).sslSessionCache
  const memory = shared?.memory ?? null
  const kept = !none && (builtin !== null || memory !== null)
  if (!tickets || !asksForCertificates(scope)) {
    return { tickets, sessions: kept ? { builtin, shared: memory, timeout } : null }
  }
  const own = kept ? memory : context.zone(`${SESSION_ZONE} of clients with certificates`, CLIENT_SESSIONS)
  return { tickets: false, sessions: { builtin: kept ? builtin : null, shared: own, timeout } }
}
