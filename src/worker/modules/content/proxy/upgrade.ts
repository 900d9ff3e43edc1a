// `proxy_upgrade`: a client's wish to go on with another protocol (RFC 9110 section 7.8) passed on to the backend where
// the configuration says nothing of the fields that it is expressed in. WebSocket is what it is for.

import type { Fields } from '../../../http/fields.ts'
import { hashName } from '../../../http/fields.ts'
import type { Request } from '../../../http/request.ts'
import type { ProxyConf } from './conf.ts'

export type UpgradeMode = 'auto' | 'off'

const UPGRADE = hashName('upgrade')
const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
const PROTOCOL = `${TOKEN}(?:\\/${TOKEN})?`
const PROTOCOLS = new RegExp(`^${PROTOCOL}(?:[ \\t]*,[ \\t]*${PROTOCOL})*$`)
/**
 * Behind these come more HTTP requests, which would reach the backend past every rule of the configuration: h2c, which
 * RFC 9113 section 3.1 has done away with, HTTP/x, and TLS in which HTTP goes on (RFC 2817).
 */
const CARRIES_HTTP = /(?:^|,)[ \t]*(?:h2c?|h3|https?|tls|spdy)[ \t]*(?:\/|,|$)/i

/** Whether requests that ask for an upgrade are passed on as such: the fields are nobody's, and there is HTTP/1.1. */
export function passesUpgrades(conf: ProxyConf): boolean {
  if (conf.proxyUpgrade === 'off' || conf.proxyHttpVersion !== 1 || !conf.proxyPassRequestHeaders)
    return false
  return !conf.proxySetHeader.some(({ name }) => /^(?:connection|upgrade)$/i.test(name))
}

/** The lines that ask a backend for what the client of `r` asks for, each with a line end before it; '' for nothing. */
export function upgradeLines(r: Request): string {
  const protocols = askedFor(r.fields)
  return protocols === null ? '' : `\r\nUpgrade: ${protocols}\r\nConnection: upgrade`
}

function askedFor(fields: Fields): string | null {
  const value = fields.join('upgrade', UPGRADE, ', ')
  return value !== null && isPassable(value) ? value : null
}

/** Whether `value` is a list of protocols (RFC 9110 section 7.8) none of which carries HTTP requests. */
export function isPassable(value: string): boolean {
  return PROTOCOLS.test(value) && !CARRIES_HTTP.test(value)
}
