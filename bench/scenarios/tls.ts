// TLS 1.3 between client and proxy, with an ECDSA certificate: what encrypting adds to requests, and what connecting costs
// with a whole handshake and with a resumed one.

import { baseline, type LoadScenario } from '../scenario.ts'

export const tls: LoadScenario = {
  ...baseline,
  name: 'tls',
  title: '1 KiB GET over TLS',
  tls: true,
  target: 0.85,
}

export const tls64k: LoadScenario = {
  ...baseline,
  name: 'tls-64k',
  title: '64 KiB GET over TLS',
  path: '/64k',
  tls: true,
  target: null,
}

export const tlsConnect: LoadScenario = {
  ...baseline,
  name: 'tls-connect',
  title: 'One request per TLS connection, whole handshake',
  connections: 16,
  keepalive: false,
  tls: true,
  target: null,
}

export const tlsResumed: LoadScenario = {
  ...tlsConnect,
  name: 'tls-resumed',
  title: 'One request per TLS connection, session resumed',
  resumed: true,
}
