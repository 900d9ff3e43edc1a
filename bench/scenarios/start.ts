// How long it takes to check a configuration and to be there, and what it takes of memory: a small one and a large one.

import type { StartScenario } from '../scenario.ts'

export const startSmall: StartScenario = {
  kind: 'start',
  name: 'start-small',
  title: '1 server, 4 locations',
  path: '/many/exact',
  servers: 1,
}

export const startLarge: StartScenario = {
  kind: 'start',
  name: 'start-large',
  title: '500 servers, 2000 locations',
  path: '/many/exact',
  servers: 500,
}
