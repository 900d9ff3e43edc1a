// What the size of the configuration costs a request: the same requests over 500 servers with 2000 locations, and
// over one server with four.

import { baseline, type LoadScenario } from '../scenario.ts'

export const oneServer: LoadScenario = {
  ...baseline,
  name: 'one-server',
  title: '1 KiB GET over 4 locations of 1 server',
  path: '/many/exact',
  servers: 1,
  target: null,
}

export const manyServers: LoadScenario = {
  ...oneServer,
  name: 'many-servers',
  title: '1 KiB GET over 2000 locations of 500 servers',
  servers: 500,
}
