// Field names that requests and responses mostly have. A name that was spelled out becomes the same string that the
// code compares with, and costs no memory of its own.

import { STATIC_NAMES } from './static-table.ts'

const NAMES: readonly string[] = [
  ...STATIC_NAMES,
  ':protocol',
  'alt-svc',
  'accept-post',
  'access-control-allow-credentials',
  'access-control-allow-headers',
  'access-control-allow-methods',
  'access-control-expose-headers',
  'access-control-max-age',
  'access-control-request-headers',
  'access-control-request-method',
  'connection',
  'content-security-policy',
  'dnt',
  'early-data',
  'grpc-accept-encoding',
  'grpc-encoding',
  'grpc-message',
  'grpc-status',
  'grpc-timeout',
  'keep-alive',
  'origin',
  'pragma',
  'priority',
  'proxy-connection',
  'sec-ch-ua',
  'sec-ch-ua-mobile',
  'sec-ch-ua-platform',
  'sec-fetch-dest',
  'sec-fetch-mode',
  'sec-fetch-site',
  'sec-fetch-user',
  'sec-websocket-extensions',
  'sec-websocket-key',
  'sec-websocket-protocol',
  'sec-websocket-version',
  'te',
  'trailer',
  'upgrade',
  'upgrade-insecure-requests',
  'x-accel-buffering',
  'x-accel-expires',
  'x-accel-redirect',
  'x-content-type-options',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-frame-options',
  'x-powered-by',
  'x-real-ip',
  'x-request-id',
  'x-requested-with',
  'x-xss-protection',
]

const known = new Map(NAMES.map((name) => [name, name]))

/** `name`, as the one string that stands for it where it is a common one. */
export function internedName(name: string): string {
  return known.get(name) ?? name
}
