// Logs to syslog: the datagrams that nginx and weir send for the same requests.

import { createSocket, type Socket } from 'node:dgram'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { nginxMissing, type RunningProxy, startNginx, startWeir } from '../support/proxy.ts'
import { rawRequest } from '../support/raw-client.ts'
import { freePort } from '../support/temporary.ts'
import { eventually } from '../support/wait.ts'
import { get } from './requests.ts'

/** A proxy and what its syslog server has received. */
interface Party {
  proxy: RunningProxy
  receiver: Socket
  messages: string[]
}

const CONF = `
  events { }
  http {
    log_format own escape=json '"$request" $status [$http_none] $http_user_agent';
    server {
      listen 127.0.0.1:%PORT%;
      location /all { access_log syslog:server=127.0.0.1:%SYSLOG%,facility=user,severity=warn,tag=my_tag own; return 200; }
      location /default { access_log syslog:server=127.0.0.1:%SYSLOG%; return 200; }
      location /nohostname { access_log syslog:server=127.0.0.1:%SYSLOG%,nohostname,tag=t own; return 200; }
      location /if { access_log syslog:server=127.0.0.1:%SYSLOG% own if=$arg_a; return 200; }
      location /two {
        access_log syslog:server=127.0.0.1:%SYSLOG%,tag=a own;
        access_log syslog:server=127.0.0.1:%SYSLOG%,tag=b own;
        return 200;
      }
      location /error {
        error_log syslog:server=127.0.0.1:%SYSLOG%,tag=errors,facility=local0,severity=debug;
        access_log off;
        proxy_pass http://127.0.0.1:%DEAD%/;
      }
    }
  }`

/** Without what may differ: time, product, process, ports. */
function normal(message: string, { proxy }: Party): string {
  return message
    .replace(/>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d /, '>TIME ')
    .replace(/\[\d\d\/\S+ [+-]\d{4}\]/, '[TIME]')
    .replace(/\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d/, 'TIME')
    .replace(/\d+#\d+: \*\d+/, 'PID#TID: *N')
    .replace(/ (nginx|weir): /, ' PRODUCT: ')
    .replaceAll(String(proxy.port), 'PORT')
}

describe.skipIf(nginxMissing !== null)('syslog', () => {
  const parties: Party[] = []

  beforeAll(async () => {
    const dead = await freePort()
    for (const start of [startNginx, startWeir]) {
      const receiver = createSocket('udp4')
      const messages: string[] = []
      receiver.on('message', (bytes) => messages.push(bytes.toString('latin1')))
      await new Promise<void>((done) => receiver.bind(0, '127.0.0.1', done))
      const { port } = receiver.address() as AddressInfo
      parties.push({ proxy: await start(CONF, { vars: { SYSLOG: port, DEAD: dead } }), receiver, messages })
    }
  })
  afterAll(async () => {
    await Promise.all(parties.map(({ proxy }) => proxy.stop()))
    for (const { receiver } of parties) receiver.close()
  })

  it.each([
    ['facility, severity, tag and escaping', get('/all', 'User-Agent: "\xe9\tb'), 1],
    ['defaults', get('/default'), 1],
    ['nohostname', get('/nohostname'), 1],
    ['if= that holds', get('/if?a=1'), 1],
    ['if= that does not', get('/if') + get('/default'), 1],
    ['two logs', get('/two'), 2],
    ['the error log', get('/error/x'), 1],
  ])('%s', async (_, bytes, count) => {
    const [expected, actual] = await Promise.all(
      parties.map(async (party) => {
        party.messages.length = 0
        await rawRequest(party.proxy.port, bytes, { until: bytes.split('HTTP/1.1').length - 1 })
        await eventually('messages', () => party.messages.length >= count)
        // What weir adds to nginx's own line about a failure may have come too.
        const common = party.messages.filter((message) => !/\*\d+ weir: /.test(message))
        return common.map((message) => normal(message, party))
      }),
    )
    expect(actual).toEqual(expected)
  })
})
