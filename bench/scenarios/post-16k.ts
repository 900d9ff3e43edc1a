// An upload that arrives in more than one read. nginx's default client_body_buffer_size of 8k or 16k makes it keep
// such a body in a file before it connects to the backend; read its figure with that in mind.

import { baseline, type LoadScenario } from '../scenario.ts'

export const post16k: LoadScenario = {
  ...baseline,
  name: 'post-16k',
  title: '16 KiB POST (kept in a file by nginx)',
  method: 'POST',
  path: '/post',
  requestBytes: 16 * 1024,
  connections: 32,
  target: null,
}
