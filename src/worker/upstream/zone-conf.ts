// `zone` of upstream{}: accepted as in nginx. Workers share the state of peers with or without it; its size says how many
// peers there is room for.

import type { BuildContext } from '../../shared/conf/build.ts'
import type { Setter } from '../../shared/conf/command.ts'
import { parseSize } from '../../shared/conf/values.ts'
import { claimZoneName } from '../../shared/conf/zone-uses.ts'

/** Eight pages: nginx's least. */
const LEAST_SIZE = 32_768
/** Of a zone's size, for each peer: about what one takes in nginx. */
const BYTES_PER_PEER = 512

/** Sizes of the zones of each configuration by name; 0: not said yet. */
const declared = new WeakMap<BuildContext, Map<string, number>>()

/** The name of an upstream's zone. */
export function setZone(...[directive, context]: Parameters<Setter>): string {
  const [name, text] = directive.args as [string, string | undefined]
  if (name === '') context.error(`invalid zone name "${name}"`)
  const size = text === undefined ? 0 : (parseSize(text) ?? context.error(`invalid zone size "${text}"`))
  if (text !== undefined && size < LEAST_SIZE) context.error(`zone "${name}" is too small`)
  claimZoneName(name, 'upstream', context)
  const zones = zonesOf(context)
  const known = zones.get(name) ?? 0
  if (known > 0 && size > 0 && known !== size) {
    context.error(
      `the size ${size} of shared memory zone "${name}" conflicts with already declared size ${known}`,
    )
  }
  zones.set(name, known || size)
  return name
}

/** Peers that the zone called `name` has room for. One that nobody gave a size is an error. */
export function zoneRoom(name: string, context: BuildContext): number {
  const size = zonesOf(context).get(name) ?? 0
  if (size === 0) context.error(`zero size shared memory zone "${name}"`, null)
  return Math.floor(size / BYTES_PER_PEER)
}

function zonesOf(context: BuildContext): Map<string, number> {
  let zones = declared.get(context)
  if (zones === undefined) declared.set(context, (zones = new Map()))
  return zones
}
