// One request per connection, each connection accepted by the master and handed to the worker thread.

import { baseline, type LoadScenario } from '../scenario.ts'

export const connectHandOff: LoadScenario = {
  ...baseline,
  name: 'connect',
  title: 'One request per connection, hand-off',
  keepalive: false,
  target: 0.4,
}
