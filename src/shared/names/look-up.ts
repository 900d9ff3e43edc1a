// How names become addresses: by the name servers of a `resolver`, or by the system. Used by workers for names that
// requests bring up, and by the master for names of the configuration.

import { type LookUp, NOT_FOUND, type ResolverSettings } from './found.ts'
import { serverLookUp } from './server-look-up.ts'
import { systemLookUp } from './system-look-up.ts'

const NAME = /^[\w.-]{1,255}$/
/** `127.1`, `2130706433`: no domain is a number, as which the system would take them for addresses, unlike nginx. */
const NUMBER = /(?:^|\.)(?:\d+|0x[\da-f]*)\.?$/i

/** The look-up that `settings` ask for. What can be no name is not looked up at all. */
export function lookUpBy(settings: ResolverSettings): LookUp {
  const { servers, valid } = settings
  const ask = servers === null ? systemLookUp(settings) : serverLookUp({ ...settings, servers })
  return (name, done) => {
    if (!NAME.test(name) || NUMBER.test(name)) return queueMicrotask(() => done(NOT_FOUND))
    ask(name, (found) => done(valid > 0 && 'addresses' in found ? { ...found, ttl: valid } : found))
  }
}
