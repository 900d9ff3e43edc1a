// Configurations with health checks, built in the test's own process.

import { buildCycle } from '../../src/shared/conf/build.ts'
import { parseText } from '../../src/shared/conf/parser.ts'
import { modules } from '../../src/worker/modules.ts'
import { type HealthCheck, healthChecks } from '../../src/worker/upstream/health/health-check.ts'

export interface CheckParts {
  /** `server` lines of the upstream `u`; default one. */
  servers?: string
  /** What stands in http{}. */
  http?: string
  /** What stands beside `proxy_pass http://u`. */
  location?: string
}

/** The text of a configuration with one server, whose location passes to `u`. */
export function checkConf({ servers, http = '', location = '' }: CheckParts): string {
  return `events {}
http {
  access_log off;
  upstream u { ${servers ?? 'server 127.0.0.1:1;'} }
  ${http}
  server { listen 127.0.0.1:1; server_name first.test; location / { proxy_pass http://u; ${location} } }
}`
}

/** The checks of a configuration. Throws ConfError. */
export function checksOf(conf: string): readonly HealthCheck[] {
  const cycle = buildCycle(parseText(conf, 'nginx.conf', '/'), modules, { prefix: '/', confPrefix: '/' })
  return healthChecks(cycle.context)
}

/** What is wrong with a configuration; '' where nothing is. */
export function refusal(conf: string): string {
  try {
    checksOf(conf)
    return ''
  } catch (error) {
    return (error as Error).message
  }
}
