// Variables of nginx and NGINX Plus, to tell one that weir does not have yet from one that does not exist.

const NAMES = new Set(
  `ancient_browser bytes_received connections_active connections_reading connections_waiting
  connections_writing date_gmt date_local fastcgi_path_info
  fastcgi_script_name geoip_area_code geoip_city geoip_city_continent_code geoip_city_country_code
  geoip_city_country_code3 geoip_city_country_name geoip_country_code geoip_country_code3 geoip_country_name
  geoip_dma_code geoip_latitude geoip_longitude geoip_org geoip_postal_code geoip_region geoip_region_name
  http3 invalid_referer limit_conn_status limit_req_status
  modern_browser quic secure_link secure_link_expires session_log_binary_id
  session_log_id slice_range spdy ssl_client_sigalg ssl_ech_outer_server_name ssl_ech_status
  ssl_preread_alpn_protocols ssl_preread_protocol ssl_preread_server_name tcpinfo_rcv_space tcpinfo_rtt
  tcpinfo_rttvar tcpinfo_snd_cwnd
  uid_got uid_reset uid_set upstream_cache_age upstream_cache_key upstream_cache_last_modified
  upstream_cache_status upstream_first_byte_time upstream_last_addr upstream_last_server_name
  upstream_queue_time upstream_session_time`.split(/\s+/),
)

const FAMILIES =
  /^(cookie|http|jwt_claim|jwt_header|otel|sent_http|sent_trailer|upstream_cookie|upstream_http|upstream_trailer)_/

/** Whether nginx has a variable called `name` (lower case). */
export function isNginxVariable(name: string): boolean {
  return NAMES.has(name) || FAMILIES.test(name)
}

/** Fields that nginx has a variable of its own for, beside the prefix: they cannot be declared again. */
const FIXED_FIELDS = new Set(
  `http_cookie http_host http_referer http_user_agent http_via http_x_forwarded_for sent_http_cache_control
  sent_http_connection sent_http_content_length sent_http_content_type sent_http_keep_alive sent_http_last_modified
  sent_http_link sent_http_location sent_http_transfer_encoding`.split(/\s+/),
)

/** Of modules that a build of nginx may well lack: their names are free then. */
const OPTIONAL = /^(geoip|jwt|otel|session_log|spdy)/

/** Whether `name` (lower case) is nginx's own, present here or not, so that a configuration cannot declare it. */
export function isFixed(name: string): boolean {
  return FIXED_FIELDS.has(name) || (NAMES.has(name) && !OPTIONAL.test(name))
}

const CHANGEABLE = new Set(['args', 'invalid_referer', 'limit_rate', 'proxy_host', 'proxy_port'])
/** All of those of TLS. */
const CHANGEABLE_TLS = /^ssl_(?!preread_)/

/** Whether a directive may give the built-in variable `name` another value. */
export function isChangeable(name: string): boolean {
  return CHANGEABLE.has(name) || CHANGEABLE_TLS.test(name)
}
