// The bytes of requests and answers, short enough for tables of cases.

import type { ParityCase } from './compare.ts'

export type ParityCases = readonly ParityCase[]

/** A request without a body; a `Host: localhost` unless the headers name another. */
export function request(method: string, target: string, ...headers: string[]): string {
  const all = headers.some((header) => /^host:/i.test(header)) ? headers : ['Host: localhost', ...headers]
  return `${method} ${target} HTTP/1.1\r\n${all.map((header) => `${header}\r\n`).join('')}\r\n`
}

export function get(target: string, ...headers: string[]): string {
  return request('GET', target, ...headers)
}

/** An answer of the backend: the status line's rest, header lines, body as it is sent. */
export function reply(status: string, headers: string[] = [], body = ''): string {
  return `HTTP/1.1 ${status}\r\n${headers.map((header) => `${header}\r\n`).join('')}\r\n${body}`
}

/** `reply` with the length of its body. */
export function replyWith(status: string, body: string, ...headers: string[]): string {
  return reply(status, [...headers, `Content-Length: ${body.length}`], body)
}

/** One access-log format for the suites that are not about logs. */
export const LOGGING = `
  log_format parity '$request_method $request_uri -> $uri ? $args, $host $server_name: $status body=$body_bytes_sent';
  access_log logs/access.log parity;`

/** What proxies do since nginx 1.29.7 without being told. */
export const MODERN = `
  proxy_http_version 1.1;`
