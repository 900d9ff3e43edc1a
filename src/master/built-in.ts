// What `-V` says is built in, in the form of nginx's configure arguments.

import { modules } from '../worker/modules.ts'
import { methods } from '../worker/upstream/balance/methods.ts'
import { packageRoot } from './paths.ts'

/** nginx's optional modules that weir may have: option word by the name of weir's module, or of its directive. */
const optional: Record<string, string> = {
  ssl: 'http_ssl_module',
  http2: 'http_v2_module',
  http3: 'http_v3_module',
  realip: 'http_realip_module',
  addition: 'http_addition_module',
  sub: 'http_sub_module',
  gunzip: 'http_gunzip_module',
  gzip_static: 'http_gzip_static_module',
  auth_request: 'http_auth_request_module',
  secure_link: 'http_secure_link_module',
  slice: 'http_slice_module',
  stub_status: 'http_stub_status_module',
  stream: 'stream',
  mail: 'mail',
}

/** nginx's standard modules, which it has unless told otherwise. */
const standard: Record<string, string> = {
  charset: 'http_charset_module',
  gzip: 'http_gzip_module',
  ssi: 'http_ssi_module',
  userid: 'http_userid_module',
  access: 'http_access_module',
  auth_basic: 'http_auth_basic_module',
  mirror: 'http_mirror_module',
  autoindex: 'http_autoindex_module',
  geo: 'http_geo_module',
  map: 'http_map_module',
  split_clients: 'http_split_clients_module',
  referer: 'http_referer_module',
  rewrite: 'http_rewrite_module',
  proxy: 'http_proxy_module',
  fastcgi: 'http_fastcgi_module',
  uwsgi: 'http_uwsgi_module',
  scgi: 'http_scgi_module',
  grpc: 'http_grpc_module',
  memcached: 'http_memcached_module',
  limit_conn: 'http_limit_conn_module',
  limit_req: 'http_limit_req_module',
  empty_gif: 'http_empty_gif_module',
  browser: 'http_browser_module',
  upstream_hash: 'http_upstream_hash_module',
  upstream_ip_hash: 'http_upstream_ip_hash_module',
  upstream_least_conn: 'http_upstream_least_conn_module',
  upstream_least_time: 'http_upstream_least_time_module',
  upstream_random: 'http_upstream_random_module',
  upstream: 'http_upstream_keepalive_module',
  zone: 'http_upstream_zone_module',
}

/** `--prefix=... --with-... --without-...` */
export function configureArguments(): string {
  const built = new Set([
    ...modules.flatMap(({ name, commands }) => [name, ...commands.map((command) => command.name)]),
    ...methods.map(({ name }) => `upstream_${name}`),
  ])
  const withNames = Object.entries(optional).filter(([name]) => built.has(name))
  const withoutNames = Object.entries(standard).filter(([name]) => !built.has(name))
  const lacking = Object.entries(optional).filter(([name]) => !built.has(name))
  return [
    `--prefix=${packageRoot.replace(/\/$/, '')}`,
    '--conf-path=conf/nginx.conf',
    '--error-log-path=logs/error.log',
    '--http-log-path=logs/access.log',
    '--pid-path=logs/weir.pid',
    '--with-threads',
    ...withNames.map(([, option]) => `--with-${option}`),
    ...[...withoutNames, ...lacking].map(([, option]) => `--without-${option}`),
  ].join(' ')
}
