// `allow` and `deny`: clients by address; the first rule that fits decides.

import type { Scope } from '../../../shared/conf/build.ts'
import { HTTP_ANY, LIMIT_EXCEPT, type Setter } from '../../../shared/conf/command.ts'
import {
  contains,
  type IpAddress,
  type Network,
  parseAddress,
  parseNetwork,
  unmapped,
} from '../../http/address.ts'
import { DECLINED, defineModule, type Module, OK, type Result } from '../../http/module.ts'
import type { Request } from '../../http/request.ts'
import { satisfy } from './satisfy.ts'

interface Rule {
  /** Whom it is about: clients of a network, of unix sockets, or everybody. */
  clients: Network | 'unix:' | 'all'
  allows: boolean
}

interface AccessConf {
  /** Those of the innermost level that has any; settled by `finish`. */
  rules: readonly Rule[]
}

const CONTEXTS = HTTP_ANY | LIMIT_EXCEPT

export const access: Module<AccessConf> = defineModule<AccessConf>({
  name: 'access',
  commands: [
    { name: 'allow', in: CONTEXTS, args: 1, set: addRule, repeat: true, inherit: false },
    { name: 'deny', in: CONTEXTS, args: 1, set: addRule, repeat: true, inherit: false },
  ],
  finish(conf, scope) {
    conf.rules = own.get(scope) ?? scope.parent?.conf(access).rules ?? []
  },
  phases: { access: { when: (conf) => conf.rules.length > 0, run: handleAccess } },
})

/** Rules of both directives as they stand in a block. */
const own = new WeakMap<Scope, Rule[]>()

function addRule(...[directive, context]: Parameters<Setter>): true {
  let rules = own.get(context.scope)
  if (rules === undefined) own.set(context.scope, (rules = []))
  const text = directive.args[0]!
  const allows = directive.name === 'allow'
  if (text === 'all' || text === 'unix:') {
    rules.push({ clients: text, allows })
    return true
  }
  const network = parseNetwork(text) ?? context.error(`invalid parameter "${text}"`)
  if (!network.exact) context.warn(`low address bits of ${text} are meaningless`)
  rules.push({ clients: network, allows })
  return true
}

function handleAccess(r: Request): Result {
  const { remoteAddress } = r
  const address = remoteAddress === 'unix:' ? null : parseAddress(remoteAddress.replace(/%.*$/, ''))
  const client = address === null ? 'unix:' : unmapped(address)
  const rule = r.conf(access).rules.find(({ clients }) => covers(clients, client))
  if (rule === undefined) return DECLINED
  if (rule.allows) return OK
  if (r.conf(satisfy).satisfy === 'all') r.log('error', 'access forbidden by rule')
  return 403
}

function covers(clients: Rule['clients'], client: IpAddress | 'unix:'): boolean {
  if (clients === 'all' || clients === client) return true
  return clients !== 'unix:' && client !== 'unix:' && contains(clients, client)
}
