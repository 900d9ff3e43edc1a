// One request per connection, accepted by the worker thread on a listening socket of its own.

import { baseline, type LoadScenario } from '../scenario.ts'

export const connectReuseport: LoadScenario = {
  ...baseline,
  name: 'connect-reuseport',
  title: 'One request per connection, reuseport',
  keepalive: false,
  reuseport: true,
  target: 0.6,
}
