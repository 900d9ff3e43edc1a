// Every directive nginx knows, up to mainline 1.31 with its commercial modules and its own dynamic ones, and the
// prefixes of widespread third-party modules: so that what weir lacks is refused for what it is.

/** Where a directive of nginx comes from. */
export type Origin = 'nginx' | 'nginx-plus' | 'stream' | 'mail'

function words(text: string): string[] {
  return text.trim().split(/\s+/)
}

/** `prefix_suffix` for each of the suffixes. */
function family(prefixes: string, suffixes: string): string[] {
  return words(prefixes).flatMap((prefix) => words(suffixes).map((suffix) => `${prefix}_${suffix}`))
}

const NEXT_UPSTREAM = 'next_upstream next_upstream_timeout next_upstream_tries'
const CONNECTION = `bind connect_timeout read_timeout send_timeout socket_keepalive socket_sndbuf socket_rcvbuf
  buffer_size pass ${NEXT_UPSTREAM}`
const RELAY = `buffering buffers busy_buffers_size cache cache_background_update cache_bypass cache_key cache_lock
  cache_lock_age cache_lock_timeout cache_max_range_offset cache_methods cache_min_uses cache_path cache_revalidate
  cache_use_stale cache_valid force_ranges hide_header ignore_client_abort ignore_headers intercept_errors limit_rate
  max_temp_file_size no_cache pass_header pass_request_body pass_request_headers request_buffering store store_access
  temp_file_write_size temp_path`
const TLS = `ssl_certificate ssl_certificate_cache ssl_certificate_key ssl_ciphers ssl_conf_command ssl_crl ssl_key_log
  ssl_name ssl_password_file ssl_protocols ssl_server_name ssl_session_reuse ssl_trusted_certificate ssl_verify
  ssl_verify_depth`

const nginx = [
  // main and events
  ...words(`daemon debug_points env error_log events http include load_module lock_file master_process pcre_jit pid
    ssl_engine ssl_object_cache_inheritable thread_pool timer_resolution user worker_cpu_affinity worker_priority
    worker_processes worker_rlimit_core worker_rlimit_nofile worker_shutdown_timeout working_directory
    google_perftools_profiles accept_mutex accept_mutex_delay debug_connection multi_accept use worker_aio_requests
    worker_connections epoll_events kqueue_changes kqueue_events eventport_events devpoll_changes devpoll_events`),
  // http core
  ...words(`absolute_redirect aio aio_write alias auth_delay chunked_transfer_encoding client_body_buffer_size
    client_body_early_read client_body_in_file_only client_body_in_single_buffer client_body_temp_path
    client_body_timeout client_header_buffer_size client_header_timeout client_max_body_size connection_pool_size
    default_type directio directio_alignment disable_symlinks early_hints error_page etag if_modified_since
    ignore_invalid_headers internal keepalive_disable keepalive_min_timeout keepalive_requests keepalive_time
    keepalive_timeout large_client_header_buffers limit_except limit_rate limit_rate_after lingering_close
    lingering_time lingering_timeout listen location log_not_found log_subrequest max_headers max_ranges
    merge_slashes msie_padding msie_refresh open_file_cache open_file_cache_errors open_file_cache_events
    open_file_cache_min_uses open_file_cache_valid output_buffers port_in_redirect post_action postpone_output
    read_ahead recursive_error_pages request_pool_size reset_timedout_connection resolver resolver_timeout root
    satisfy send_lowat send_timeout sendfile sendfile_max_chunk server server_name server_name_in_redirect
    server_names_hash_bucket_size server_names_hash_max_size server_tokens subrequest_output_buffer_size
    tcp_nodelay tcp_nopush try_files types types_hash_bucket_size types_hash_max_size underscores_in_headers
    variables_hash_bucket_size variables_hash_max_size`),
  // access, authentication, limits
  ...words(`allow deny auth_basic auth_basic_user_file auth_request auth_request_set limit_conn limit_conn_dry_run
    limit_conn_log_level limit_conn_status limit_conn_zone limit_req limit_req_dry_run limit_req_log_level
    limit_req_status limit_req_zone limit_zone real_ip_header real_ip_recursive set_real_ip_from secure_link
    secure_link_md5 secure_link_secret referer_hash_bucket_size referer_hash_max_size valid_referers`),
  // variables and rewriting
  ...words(`break if return rewrite rewrite_log set uninitialized_variable_warn geo geoip_city geoip_country
    geoip_org geoip_proxy geoip_proxy_recursive map map_hash_bucket_size map_hash_max_size split_clients userid
    userid_domain userid_expires userid_flags userid_mark userid_name userid_p3p userid_path userid_service
    ancient_browser ancient_browser_value modern_browser modern_browser_value json_max_depth json_set`),
  // content
  ...words(`autoindex autoindex_exact_size autoindex_format autoindex_localtime create_full_put_path dav_access
    dav_methods min_delete_depth empty_gif flv index mp4 mp4_buffer_size mp4_max_buffer_size mp4_start_key_frame
    random_index stub_status perl perl_modules perl_require perl_set mirror mirror_request_body`),
  // response filters and logs
  ...words(`access_log log_format open_log_file_cache add_after_body add_before_body addition_types add_header
    add_header_inherit add_trailer add_trailer_inherit expires charset charset_map charset_types override_charset
    source_charset gunzip gunzip_buffers gzip gzip_buffers gzip_comp_level gzip_disable gzip_hash gzip_http_version
    gzip_min_length gzip_no_buffer gzip_proxied gzip_static gzip_types gzip_vary gzip_window postpone_gzipping
    image_filter image_filter_buffer image_filter_interlace image_filter_jpeg_quality image_filter_sharpen
    image_filter_transparency image_filter_webp_quality slice ssi ssi_ignore_recycled_buffers ssi_last_modified
    ssi_min_file_chunk ssi_silent_errors ssi_types ssi_value_length sub_filter sub_filter_last_modified
    sub_filter_once sub_filter_types xml_entities xml_external_entities xslt_last_modified xslt_param
    xslt_string_param xslt_stylesheet xslt_types`),
  // upstreams and the protocols to them
  ...words(`hash ip_hash keepalive least_conn least_time queue random sticky upstream zone fastcgi_catch_stderr
    fastcgi_index fastcgi_keep_conn fastcgi_param fastcgi_send_lowat fastcgi_split_path_info grpc_hide_header
    grpc_ignore_headers grpc_intercept_errors grpc_pass_header grpc_set_header memcached_gzip_flag
    proxy_cache_convert_head proxy_cookie_domain proxy_cookie_flags proxy_cookie_path proxy_headers_hash_bucket_size
    proxy_headers_hash_max_size proxy_http_version proxy_method proxy_pass_trailers proxy_redirect proxy_send_lowat
    proxy_set_body proxy_set_header scgi_param tunnel_send_lowat uwsgi_modifier1 uwsgi_modifier2 uwsgi_param
    uwsgi_string`),
  ...family('proxy fastcgi uwsgi scgi grpc memcached tunnel', CONNECTION),
  ...family('proxy fastcgi uwsgi scgi', RELAY),
  ...family('proxy grpc uwsgi', TLS),
  // TLS, HTTP/2 and HTTP/3
  ...words(`ssl ssl_buffer_size ssl_certificate ssl_certificate_cache ssl_certificate_compression ssl_certificate_key
    ssl_ciphers ssl_client_certificate ssl_conf_command ssl_crl ssl_dhparam ssl_early_data ssl_ecdh_curve
    ssl_ech_file ssl_key_log ssl_ocsp ssl_ocsp_cache ssl_ocsp_responder ssl_password_file ssl_prefer_server_ciphers
    ssl_protocols ssl_reject_handshake ssl_session_cache ssl_session_ticket_key ssl_session_tickets
    ssl_session_timeout ssl_stapling ssl_stapling_file ssl_stapling_responder ssl_stapling_verify
    ssl_trusted_certificate ssl_verify_client ssl_verify_depth http2 http2_body_preread_size http2_chunk_size
    http2_idle_timeout http2_max_concurrent_pushes http2_max_concurrent_streams http2_max_field_size
    http2_max_header_size http2_max_requests http2_pool_size http2_push http2_push_preload http2_recv_buffer_size
    http2_recv_timeout http2_streams_index_size http3 http3_hq http3_max_concurrent_streams
    http3_stream_buffer_size quic_active_connection_id_limit quic_bpf quic_gso quic_host_key quic_retry
    spdy_chunk_size spdy_headers_comp`),
  // dynamic modules of nginx itself: njs, ACME, OpenTelemetry
  ...words(`js_access js_body_filter js_content js_context_reuse js_context_reuse_max_size js_engine
    js_fetch_buffer_size js_fetch_ciphers js_fetch_keepalive js_fetch_keepalive_requests js_fetch_keepalive_time
    js_fetch_keepalive_timeout js_fetch_max_response_buffer_size js_fetch_protocols js_fetch_proxy js_fetch_timeout
    js_fetch_trusted_certificate js_fetch_verify js_fetch_verify_depth js_filter js_header_filter js_import
    js_include js_load_http_native_module js_load_stream_native_module js_path js_periodic js_preload_object
    js_preread js_set js_shared_array_zone js_shared_dict_zone js_var acme_certificate acme_issuer acme_shared_zone
    otel_exporter otel_resource_attr otel_service_name otel_span_attr otel_span_name otel_trace otel_trace_context`),
]

const plus = [
  ...words(`api api_location auth_jwt auth_jwt_claim_set auth_jwt_header_set auth_jwt_key_cache auth_jwt_key_file
    auth_jwt_key_request auth_jwt_leeway auth_jwt_require auth_jwt_type auth_oidc auth_require f4f f4f_buffer_size
    health_check health_check_timeout hls hls_buffers hls_forward_args hls_fragment hls_mp4_buffer_size
    hls_mp4_max_buffer_size internal_redirect keyval keyval_zone match mgmt ntlm num_map oidc_provider
    proxy_protocol_vendor session_log session_log_format session_log_zone state status status_format status_zone
    sticky_cookie_insert upstream_conf usage_report`),
  ...family('proxy fastcgi uwsgi scgi', 'cache_purge'),
  ...family('proxy fastcgi uwsgi scgi grpc memcached tunnel', 'allow_upstream bind_dynamic request_dynamic'),
]

const stream =
  words(`stream js_stream mqtt mqtt_buffers mqtt_preread mqtt_rewrite_buffer_size mqtt_set_connect pass
  preread_buffer_size preread_timeout proxy_download_rate proxy_half_close proxy_protocol proxy_protocol_timeout
  proxy_requests proxy_responses proxy_session_drop proxy_ssl proxy_ssl_alpn proxy_timeout proxy_upload_rate
  ssl_alpn ssl_handshake_timeout ssl_preread tcp_nodelay zone_sync zone_sync_buffers zone_sync_connect_retry_interval
  zone_sync_connect_timeout zone_sync_interval zone_sync_recv_buffer_size zone_sync_server zone_sync_ssl
  zone_sync_timeout ${family('zone_sync', TLS).join(' ')}`)

const mail = words(`mail auth_http auth_http_header auth_http_pass_client_cert auth_http_timeout imap_auth
  imap_capabilities imap_client_buffer max_errors pop3_auth pop3_capabilities protocol proxy_buffer
  proxy_pass_error_message proxy_smtp_auth smtp_auth smtp_capabilities smtp_client_buffer smtp_greeting_delay
  starttls timeout xclient`)

/** Names that http and another module have are in the first: what matters is that http has them. */
export const nginxDirectives: ReadonlyMap<string, Origin> = new Map([
  ...mail.map((name) => [name, 'mail'] as const),
  ...stream.map((name) => [name, 'stream'] as const),
  ...plus.map((name) => [name, 'nginx-plus'] as const),
  ...nginx.map((name) => [name, 'nginx'] as const),
])

/** Widespread modules that are not nginx's, by the shape of their directives' names. */
export const thirdPartyModules: readonly [RegExp, string][] = [
  [/^lua_|_by_lua(_|$)/, 'lua-nginx-module'],
  [/^more_(set|clear)(_input)?_headers$/, 'headers-more-nginx-module'],
  [/^brotli(_|$)/, 'ngx_brotli'],
  [/^zstd(_|$)/, 'zstd-nginx-module'],
  [/^modsecurity(_|$)/, 'ModSecurity-nginx'],
  [/^pagespeed$/, 'ngx_pagespeed'],
  [/^passenger_/, 'Passenger'],
  [/^rtmp(_|$)/, 'nginx-rtmp-module'],
  [/^vhost_traffic_status(_|$)/, 'nginx-module-vts'],
  [/^geoip2(_|$)/, 'ngx_http_geoip2_module'],
  [/^echo(_|$)/, 'echo-nginx-module'],
  [
    /^(set_(un)?escape_uri|set_encode_|set_decode_|set_md5$|set_sha1$|set_if_empty$)/,
    'set-misc-nginx-module',
  ],
  [/^subs_filter(_|$)/, 'ngx_http_substitutions_filter_module'],
  [/^fancyindex(_|$)/, 'ngx-fancyindex'],
  [/^dav_ext_/, 'nginx-dav-ext-module'],
  [/^auth_ldap(_|$)/, 'nginx-auth-ldap'],
  [/^auth_pam(_|$)/, 'ngx_http_auth_pam_module'],
  [/^upload_(pass|store|set_form|max)/, 'nginx-upload-module'],
]
