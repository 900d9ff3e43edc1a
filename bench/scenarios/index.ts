// Every scenario, in the order of the report.

import type { Scenario } from '../scenario.ts'
import { connectHandOff } from './connect-hand-off.ts'
import { connectReuseport } from './connect-reuseport.ts'
import { file1k, file1m, file64k } from './files.ts'
import { get1k } from './get-1k.ts'
import { get1kThousand } from './get-1k-1000.ts'
import { get1kNoLog } from './get-1k-no-log.ts'
import { get1m } from './get-1m.ts'
import { get64k } from './get-64k.ts'
import { gzipFile, gzipProxy } from './gzip.ts'
import { http2, http2Plain } from './http2.ts'
import { idle } from './idle.ts'
import { manyServers, oneServer } from './many-servers.ts'
import { post16k } from './post-16k.ts'
import { sse } from './sse.ts'
import { startLarge, startSmall } from './start.ts'
import { tls, tls64k, tlsConnect, tlsResumed } from './tls.ts'
import { upstream16 } from './upstream-16.ts'
import { websocket } from './websocket.ts'

export const scenarios: readonly Scenario[] = [
  get1k,
  get1kNoLog,
  upstream16,
  get64k,
  get1m,
  post16k,
  connectHandOff,
  connectReuseport,
  get1kThousand,
  file1k,
  file64k,
  file1m,
  gzipFile,
  gzipProxy,
  oneServer,
  manyServers,
  tls,
  tls64k,
  tlsConnect,
  tlsResumed,
  http2,
  http2Plain,
  sse,
  websocket,
  idle,
  startSmall,
  startLarge,
]
