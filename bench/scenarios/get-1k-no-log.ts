// The common case without its access log: what the log costs is the difference.

import { baseline, type LoadScenario } from '../scenario.ts'

export const get1kNoLog: LoadScenario = {
  ...baseline,
  name: '1k-no-log',
  title: '1 KiB GET, access log off',
  accessLog: false,
  target: null,
}
