// What README's table says of each directive beside what the command tables know (contexts, whether it is nginx's):
// its arguments as nginx's documentation writes them, the default, and what it does. A test holds the list to the
// command tables: names, number of arguments, and that the default written out means what leaving it out means.

export interface DirectiveText {
  /** Forms, separated by `; `: `[x]` may be left out, `x ...` may be repeated, `a | b` is a choice. */
  args: string
  /** Arguments that mean the same as no directive at all; '' where no arguments do. */
  default: string
  does: string
}

/**
 * Name, arguments, default and purpose on a line each. A directive that means something else in another context has
 * that context before its name.
 */
const TEXTS = `
absolute_redirect | on/off | on | redirects of weir's own name scheme and host
access_log | path/syslog:server=address[,...] [format] [parameters ...]; off | logs/access.log combined | writes a line for each request; several are allowed, and \`path\` may hold variables
add_header | name value [always] | | adds a field to responses
add_header_inherit | on/off/merge | on | whether fields of the level around are kept when this level has its own
add_trailer | name value [always] | | adds a field behind the body of responses
add_trailer_inherit | on/off/merge | on | whether trailers of the level around are kept when this level has its own
alias | path | | the folder or file that stands for the location's part of the URI
allow | address/CIDR/unix:/all | | lets clients in; the first rule that fits decides
auth_basic | string; off | off | asks for user and password; the text is the realm browsers show
auth_basic_user_file | file | | the users and their passwords, a \`user:password\` a line
auth_delay | time | 0s | how long answers with 401 wait
auth_request | uri; off | off | asks another location whether a request is let in
auth_request_set | $variable value | | keeps something of that location's answer
autoindex | on/off | off | lists the files of a folder that has no index
autoindex_exact_size | on/off | on | whether lists give sizes in bytes or rounded to K, M and G
autoindex_format | html/json/jsonp/xml | html | the form of such a list
autoindex_localtime | on/off | off | whether lists give times in the local zone or UTC
break | | | ends the rewriting of this round
brotli | on/off | off | compresses responses with Brotli
brotli_comp_level | level | 6 | how well: 0 (fast) to 11 (small)
brotli_min_length | length | 20 | shortest \`Content-Length\` that is compressed
brotli_static | off/on/always | off | sends \`FILE.br\` in place of \`FILE\` to clients that take it, or to all
brotli_types | type/* ... | text/html | types that are compressed, with \`text/html\` always among them
brotli_window | size | 512k | how far back repetitions are found: 1k to 16m
charset | name/$variable/off | off | names the character set in \`Content-Type\`; content is not converted
charset_types | type/* ... | text/xml text/plain text/vnd.wap.wml application/javascript application/rss+xml | types that \`charset\` is for, with \`text/html\` always among them
client_body_buffer_size | size | 16k | about how much of a request's body is in memory before it goes to a file
client_body_in_file_only | off/on/clean | off | puts every body into a file, which stays (on) or goes with the request (clean)
client_body_in_single_buffer | on/off | off | nothing more than is done anyway: a body in memory is one piece
client_body_temp_path | path [level1] [level2] [level3] | client_body_temp | folder of those files, and how many characters name the folders in it
client_body_timeout | time | 60s | longest pause between two reads of a request's body
client_header_buffer_size | size | 1k | first buffer of a request's head
client_header_timeout | time | 60s | time for a request's head
client_max_body_size | size | 1m | longest body of a request, 413 for others; 0: any
daemon | on/off | on | whether weir leaves the terminal
default_type | type | text/plain | content type of answers for which \`types\` knows none
deny | address/CIDR/unix:/all | | keeps clients out; the first rule that fits decides
disable_symlinks | off; on/if_not_owner [from=part] | off | which symbolic links on the way to a file are followed: all, none, or those whose owner owns what they lead to
early_hints | string ... | | passes 103 (Early Hints) responses of backends to HTTP/1.1 clients if at least one of the values is neither empty nor \`0\`
error_log | file/stderr/syslog:server=address[,...] [level ...] | logs/error.log error | where errors go, from which level on
error_page | code ... [=response] uri | | what is answered in place of a status
etag | on/off | on | whether files have an ETag
events | { ... } | | holds what concerns connections
expires | [modified] time; epoch; max; off | off | how long clients may keep responses: Expires and Cache-Control
grpc_bind | address [transparent]; off | off | address from which gRPC backends are connected to
grpc_buffer_size | size | 4k | how long the head of a gRPC backend's response may be
grpc_connect_timeout | time | 60s | time for a connection to a gRPC backend
grpc_hide_header | field | | a field or trailer of gRPC backends that clients do not get
grpc_ignore_headers | field ... | | fields of gRPC backends that are passed on but not obeyed
grpc_intercept_errors | on/off | off | has \`error_page\` answer in place of gRPC backends, for statuses of 300 and above that it names
grpc_next_upstream | condition ... | error timeout | failures after which a call goes to another server, as with \`proxy_next_upstream\`
grpc_next_upstream_timeout | time | 0 | time in which a call may go to another server; 0: any
grpc_next_upstream_tries | number | 0 | servers a call may go to, the first included; 0: all
grpc_pass | address | | passes requests to a gRPC server or an \`upstream\` by HTTP/2: \`host:port\`, \`grpc://host:port\`, by TLS \`grpcs://host:port\`
grpc_pass_header | field | | a field of gRPC backends that clients get although it is hidden otherwise
grpc_read_timeout | time | 60s | longest silence of a gRPC backend
grpc_send_timeout | time | 60s | longest time in which a gRPC backend takes nothing of a call
grpc_set_header | field value | | a field of requests to gRPC backends; \`Host\` becomes \`:authority\`
grpc_socket_keepalive | on/off | off | has the system look after connections to gRPC backends
grpc_ssl_certificate | file | | a certificate (PEM) for backends that ask for one; the name may hold variables
grpc_ssl_certificate_cache | off; max=number [inactive=time] [valid=time] | off | keeps certificates whose names hold variables, instead of reading them for each request
grpc_ssl_certificate_key | file | | its key; the name may hold variables
grpc_ssl_ciphers | list | DEFAULT | ciphers before TLS 1.3, as OpenSSL lists them; \`@SECLEVEL=0\` among them allows TLS 1.0 and 1.1
grpc_ssl_conf_command | name value | | a configuration command of OpenSSL: those that Node.js has a way to say
grpc_ssl_crl | file | | certificates (PEM) that were revoked, for \`grpc_ssl_verify\`
grpc_ssl_key_log | path | | a log of the secrets of connections to backends, for analysers of traffic
grpc_ssl_name | name | | the name in certificates of backends, and for SNI, without a port behind it; where nothing is said, that of the URL
grpc_ssl_password_file | file | | passwords of the key, a line each, tried in turn
grpc_ssl_protocols | protocol ... | TLSv1.2 TLSv1.3 | versions that are spoken: TLSv1, TLSv1.1, TLSv1.2, TLSv1.3
grpc_ssl_server_name | on/off | off | names the backend by SNI, unless the name is an address
grpc_ssl_session_reuse | on/off | on | sessions go on in the next connection to the same server
grpc_ssl_trusted_certificate | file | | certificates (PEM) of authorities that backends are trusted for
grpc_ssl_verify | on/off | off | checks certificates of backends: whether they are trusted, and for that name
grpc_ssl_verify_depth | number | 1 | certificates between a backend's and a root at most
gunzip | on/off | off | unpacks what backends send as gzip for clients that do not take it
gzip | on/off | off | compresses responses with gzip
gzip_comp_level | level | 1 | how well: 1 (fast) to 9 (small)
gzip_disable | regex/msie6 ... | | browsers that do not get gzip
gzip_hash | size | 64k | memory for finding repetitions: 512 to 128k
gzip_http_version | 1.0/1.1 | 1.1 | least version of requests that are answered with gzip
gzip_min_length | length | 20 | shortest \`Content-Length\` that is compressed
gzip_proxied | off/expired/no-cache/no-store/private/no_last_modified/no_etag/auth/any ... | off | which responses to requests of proxies (with \`Via\`) are compressed
gzip_static | off/on/always | off | sends \`FILE.gz\` in place of \`FILE\` to clients that take it, or to all
gzip_types | type/* ... | text/html | types that are compressed, with \`text/html\` always among them
gzip_vary | on/off | off | tells caches, in \`Vary\`, of every response that may be compressed by gzip, Brotli or Zstandard
gzip_window | size | 32k | how far back repetitions are found: 512 to 32k
hash | key [consistent] | | a text decides which server is next
health_check | [parameters ...] | | asks the servers of the upstream behind \`proxy_pass\` now and then whether they are well: those that are not get no requests. Parameters as in NGINX Plus: \`interval=time\` (5s), \`jitter=time\`, \`fails=number\` (1), \`passes=number\` (1), \`uri=uri\` (/), \`port=number\`, \`match=name\`, \`mandatory\`, \`persistent\`, \`type=http\` or \`tcp\`, \`keepalive_time=time\`
http | { ... } | | holds servers
http2 | on/off | off | lets clients speak HTTP/2: agreed on by ALPN over TLS, begun at once on plain connections
http2_body_preread_size | size | 64k | bytes of a body that may come on an HTTP/2 stream before it is asked for; its first window
http2_chunk_size | size | 8k | longest piece of content in one HTTP/2 frame
http2_idle_timeout | time | | obsolete: warned of and ignored; use \`keepalive_timeout\`
http2_max_concurrent_pushes | number | | obsolete: warned of and ignored; there is no push
http2_max_concurrent_streams | number | 128 | requests that an HTTP/2 connection may have open at the same time
http2_max_field_size | size | | obsolete: warned of and ignored; use \`large_client_header_buffers\`
http2_max_header_size | size | | obsolete: warned of and ignored; use \`large_client_header_buffers\`
http2_max_requests | number | | obsolete: warned of and ignored; use \`keepalive_requests\`
http2_push | uri/off | | obsolete: warned of and ignored; there is no push
http2_push_preload | on/off | | obsolete: warned of and ignored; there is no push
http2_recv_timeout | time | | obsolete: warned of and ignored; use \`client_header_timeout\`
if | condition ... { ... } | | directives for requests that fit
if_modified_since | off/exact/before | exact | how If-Modified-Since is held against the time of a change
ignore_invalid_headers | on/off | on | leaves out request fields with invalid names
include | file | | reads other files here; a mask may name several
index | file ... | index.html | files that stand for a URI ending in a slash, the first that exists
internal | | | the location is open to redirects of the configuration only
ip_hash | | | the client's address decides which server is next
keepalive_disable | none/msie6/safari ... | msie6 | browsers whose connections are not kept
keepalive_min_timeout | time | 0 | time before which a kept connection is not closed for lack of room or at the end
keepalive_requests | number | 1000 | requests on one client connection
keepalive_time | time | 1h | longest age of a client connection that is kept
keepalive_timeout | time [header-time] | 75s | time an idle client connection is kept; the second is told in \`Keep-Alive\`
large_client_header_buffers | number size | 4 8k | further buffers of a request's head: the longest line, and how many
least_conn | | | the server with the fewest requests for its weight is next
least_time | header/last_byte [inflight] | | the server that is expected to answer first is next
limit_except | method ... { ... } | | directives for all other methods
limit_rate | rate | 0 | bytes a second that a response is sent with at most; 0: as fast as its client takes it
limit_rate_after | size | 0 | how much of a response is sent before \`limit_rate\` holds
lingering_close | off/on/always | on | reads on what a client still sends before its connection is closed
lingering_time | time | 30s | how long that may last
lingering_timeout | time | 5s | longest wait for more of it
listen | address[:port]/port/unix:path [parameters ...] | | where a server accepts connections
location | [modifier] pattern { ... } | | what is done with URIs that match
log_format | name [escape=default/json/none] string ... | | a format for \`access_log\`
log_not_found | on/off | on | writes requests that nothing answers to the error log
log_subrequest | on/off | off | writes subrequests to access logs too
map | string $variable { ... } | | a variable whose value depends on another string
master_process | on/off | on | off: no worker threads, for debugging
match | name { ... } | | tests of \`status\`, \`header\`, \`body\` and required variables (\`require\`) that answers to health checks have to pass
max_headers | number | 1000 | fields a request may have
max_ranges | number | 2147483647 | ranges a request may ask for; 0: none are offered
merge_slashes | on/off | on | takes several slashes in a row for one
msie_padding | on/off | on | pads pages of errors for browsers that hide short ones
msie_refresh | on/off | off | pages that lead on in place of redirects, for MSIE
open_file_cache | off; max=number [inactive=time] | off | holds files open, with what is known of them
open_file_cache_errors | on/off | off | holds what could not be opened too
open_file_cache_min_uses | number | 1 | how often a file has to be asked for to be held
open_file_cache_valid | time | 60s | time after which what is held is compared with the disk
override_charset | on/off | off | whether \`charset\` counts for responses of backends that name one
pid | file | logs/weir.pid | file with the process id
port_in_redirect | on/off | on | redirects of weir's own name the port
proxy_bind | address [transparent]; off | off | address from which backends are connected to
proxy_buffer_size | size | 4k | how long the head of a backend's response may be
proxy_buffering | on/off | on | takes responses from backends as they come and keeps what clients do not take at once
proxy_buffers | number size | 8 4k | how much of a response is kept in memory: the two multiplied
proxy_busy_buffers_size | size | 8k | how much of that is given to the client at a time
proxy_connect_timeout | time | 60s | time for a connection to a backend
proxy_cookie_domain | domain replacement; off | off | rewrites \`Domain\` of \`Set-Cookie\`
proxy_cookie_flags | cookie [flag ...]; off | off | sets and removes flags of cookies
proxy_cookie_path | path replacement; off | off | rewrites \`Path\` of \`Set-Cookie\`
proxy_force_ranges | on/off | off | answers requests for a part of what backends send whole, whatever they say of ranges
proxy_forwarded_headers | on/off | off | sends \`Host\`, \`X-Real-IP\` and \`X-Forwarded-For\`, \`-Proto\`, \`-Host\` and \`-Port\`, unless \`proxy_set_header\` sets them
proxy_hide_header | field | | a field of backends that clients do not get
proxy_http_version | 1.0/1.1/2 | 1.1 | version spoken to backends
proxy_ignore_client_abort | on/off | off | goes on with a request at its backend after the client has gone
proxy_ignore_headers | field ... | | fields of backends that are passed on but not obeyed
proxy_intercept_errors | on/off | off | has \`error_page\` answer in place of backends, for statuses of 300 and above that it names
proxy_limit_rate | rate | 0 | bytes a second that a buffered response is read with at most; 0: as it comes
proxy_max_temp_file_size | size | 1024m | how much of a response is kept in a file beyond that; 0: nothing
proxy_method | method | | method of requests to backends, in place of the client's
proxy_next_upstream | condition ... | error timeout | failures after which a request goes to another server: error, timeout, invalid_header, http_500, http_502, http_503, http_504, http_403, http_404, http_429, non_idempotent, off
proxy_next_upstream_timeout | time | 0 | time in which a request may go to another server; 0: any
proxy_next_upstream_tries | number | 0 | servers a request may go to; 0: all
proxy_pass | URL | | sends requests to this backend or upstream
proxy_pass_header | field | | a field of backends that clients get although it is hidden by default
proxy_pass_request_body | on/off | on | whether backends get the client's body
proxy_pass_request_headers | on/off | on | whether backends get the client's fields
proxy_pass_trailers | on/off | off | whether clients get the trailers of backends
proxy_read_timeout | time | 60s | longest pause between two reads of a response
proxy_redirect | default; off; redirect replacement | default | rewrites \`Location\` and \`Refresh\` of backends
proxy_request_buffering | on/off | on | reads the client's body before a backend is asked; off: it goes on as it comes
proxy_send_timeout | time | 60s | longest pause between two writes of a request
proxy_set_body | value | | body of requests to backends, in place of the client's
proxy_set_header | field value | | a field of requests to backends; an empty value: none
proxy_set_header_inherit | on/off/merge | on | whether fields of the level around are kept when this level sets its own
proxy_socket_keepalive | on/off | off | TCP keepalive for connections to backends
proxy_ssl_certificate | file | | a certificate (PEM) for backends that ask for one; the name may hold variables
proxy_ssl_certificate_cache | off; max=number [inactive=time] [valid=time] | off | keeps certificates whose names hold variables, instead of reading them for each request
proxy_ssl_certificate_key | file | | its key; the name may hold variables
proxy_ssl_ciphers | list | DEFAULT | ciphers before TLS 1.3, as OpenSSL lists them; \`@SECLEVEL=0\` among them allows TLS 1.0 and 1.1
proxy_ssl_conf_command | name value | | a configuration command of OpenSSL: those that Node.js has a way to say
proxy_ssl_crl | file | | certificates (PEM) that were revoked, for \`proxy_ssl_verify\`
proxy_ssl_key_log | path | | a log of the secrets of connections to backends, for analysers of traffic
proxy_ssl_name | name | | the name in certificates of backends, and for SNI, without a port behind it; where nothing is said, that of the URL
proxy_ssl_password_file | file | | passwords of the key, a line each, tried in turn
proxy_ssl_protocols | protocol ... | TLSv1.2 TLSv1.3 | versions that are spoken: TLSv1, TLSv1.1, TLSv1.2, TLSv1.3
proxy_ssl_server_name | on/off | off | names the backend by SNI, unless the name is an address
proxy_ssl_session_reuse | on/off | on | sessions go on in the next connection to the same server
proxy_ssl_trusted_certificate | file | | certificates (PEM) of authorities that backends are trusted for
proxy_ssl_verify | on/off | off | checks certificates of backends: whether they are trusted, and for that name
proxy_ssl_verify_depth | number | 1 | certificates between a backend's and a root at most
proxy_temp_file_write_size | size | 8k | how much is gathered for one write to it
proxy_temp_path | path [level1] [level2] [level3] | proxy_temp 1 2 | where such files are, without names, and in how many levels of folders
proxy_unbuffered_types | type ...; off | text/event-stream application/grpc* | types of responses that are passed on and never kept, unless the backend asks for it; \`*\` at an end stands for anything
proxy_upgrade | auto/off | auto | passes on that a client asks for another protocol, such as WebSocket, where \`proxy_set_header\` sets neither \`Upgrade\` nor \`Connection\`
random | [two] [least_conn/least_time=header/least_time=last_byte] | | chance decides which server is next, or which two are compared
real_ip_header | field/X-Real-IP/X-Forwarded-For/proxy_protocol | X-Real-IP | where the client's address is read from
real_ip_recursive | on/off | off | skips trusted addresses in a list of them
recursive_error_pages | on/off | off | lets an error page fail into another one
reset_timedout_connection | on/off | off | ends connections that timed out with a reset
resolver | address ... [valid=time] [ipv4=on/off] [ipv6=on/off] | | name servers that are asked for names at run time; without it the system is
resolver_timeout | time | 30s | time a name server may take to answer
return | code [text]; code URL; URL | | answers at once
rewrite | regex replacement [last/break/redirect/permanent] | | changes the URI, or redirects
rewrite_log | on/off | off | writes what rewriting does to the error log
root | path | html | the folder that URIs are files of
satisfy | all/any | all | whether all access rules have to let a request in, or one
send_timeout | time | 60s | longest pause between two writes of a response
server | { ... } | | a virtual server
server_name | name ... | "" | names of a server: exact, with an asterisk, or \`~regex\`
server_name_in_redirect | on/off | off | redirects of weir's own name the first \`server_name\` instead of \`Host\`
server_tokens | on/off/build/string | on | whether \`Server\` and error pages tell the version
set | $variable value | | gives a variable a value
set_real_ip_from | address/network/unix: | | proxies whose word about the client's address is trusted
ssl_buffer_size | size | 16k | bytes of one TLS record at most: 512 to 16k, whatever is said
ssl_certificate | file | | the certificate (PEM) with its chain behind it; again for a key of another type. A name may hold variables, \`data:\` stands before the text itself
ssl_certificate_cache | off; max=number [inactive=time] [valid=time] | off | keeps certificates whose names hold variables, instead of reading them for each handshake
ssl_certificate_compression | on/off | off | compresses certificates for clients of TLS 1.3 that can read that
ssl_certificate_key | file | | the key of each certificate, in the same order. It is read before \`user\` takes effect; a reload reads it again, as that user
ssl_ciphers | list | HIGH:!aNULL:!MD5 | ciphers before TLS 1.3, as OpenSSL lists them; \`@SECLEVEL=0\` among them allows TLS 1.0 and 1.1
ssl_client_certificate | file | | certificates (PEM) of authorities that clients are trusted for, and told of, where \`ssl_verify_client\` asks them
ssl_conf_command | name value | | a configuration command of OpenSSL: those that Node.js has a way to say
ssl_crl | file | | certificates (PEM) of clients that were revoked
ssl_dhparam | file | | parameters for ciphers with DHE; none are used without
ssl_early_data | on/off | off | \`on\` is refused: Node.js cannot read early data
ssl_ecdh_curve | list | auto | groups for key exchanges, as OpenSSL lists them
ssl_handshake_timeout | time | | time for the handshake of a client; where nothing is said, that of \`client_header_timeout\`
ssl_password_file | file | | passwords of keys, a line each, tried in turn
ssl_prefer_server_ciphers | on/off | off | the order of the server's ciphers counts, not the client's
ssl_protocols | protocol ... | TLSv1.2 TLSv1.3 | versions that are spoken: TLSv1, TLSv1.1, TLSv1.2, TLSv1.3
ssl_reject_handshake | on/off | off | ends handshakes with clients that ask for this server
ssl_session_cache | off/none; builtin[:number] [shared:name:size]; shared:name:size | none | keeps sessions of clients that have no tickets: in each worker, or in memory that all workers share
ssl_session_ticket_key | file | | a key of 48 or 80 bytes for session tickets; those of further files are taken, but not given any more. Made up for all workers where none is named
ssl_session_tickets | on/off | on | sessions go on with tickets that clients keep
ssl_session_timeout | time | 5m | how long a session may go on
ssl_stapling | on/off | off | sends clients that ask for it the OCSP response for the certificate, fetched when weir starts
ssl_stapling_file | file | | the response (DER), in place of one that is fetched
ssl_stapling_responder | url | | OCSP responder (\`http://\`), in place of the one that the certificate names
ssl_stapling_verify | on/off | off | whether who signs responses has to be trusted, by \`ssl_trusted_certificate\`
ssl_trusted_certificate | file | | as \`ssl_client_certificate\`, without telling clients; and authorities of the server's own certificate, for stapling
ssl_verify_client | on/off/optional/optional_no_ca | off | asks clients for a certificate: each has to have one, or may; with \`optional_no_ca\` one that nobody vouches for
ssl_verify_depth | number | 1 | certificates between a client's and a root at most
sticky | cookie name [expires=time/max] [domain=domain] [httponly] [samesite=strict/lax/none/$variable] [secure] [path=path]; route $variable ...; learn create=$variable lookup=$variable zone=name:size [timeout=time] [header] | | requests of a client go to the same server: the one its cookie names, that variables name, or that began its session
tcp_nodelay | on/off | on | sends small pieces at once
try_files | file ... uri/=code | | makes the first file or folder that exists the URI, else goes on with the last argument
types | { ... } | text/html html; image/gif gif; image/jpeg jpg | content type by file name extension
underscores_in_headers | on/off | off | takes field names with underscores for valid
uninitialized_variable_warn | on/off | on | warns of variables that \`set\` has not set
upstream | name { ... } | | a group of backends
upstream: keepalive | number [local] | 32 | idle connections a worker keeps open
upstream: keepalive_requests | number | 1000 | requests on one connection
upstream: keepalive_time | time | 1h | longest age of a connection that is used again
upstream: keepalive_timeout | time | 60s | time an idle connection is kept
upstream: server | address [parameters ...] | | a backend
upstream: zone | name [size] | | how many addresses there is room for; what is known of backends is shared by all workers with or without it
upstream_unresolvable | emerg/down | down | whether a backend whose name has no address makes the configuration invalid, or counts as down until it has one
user | user [group] | | whom the process turns into after start
worker_connections | number | 512 | connections of a worker, clients' and backends' together
worker_processes | number/auto | 1 | worker threads
worker_rlimit_nofile | number | | limit of open files
worker_shutdown_timeout | time | 0 | how long a worker that ends waits for requests in flight, tunnels included, before it closes their connections; 0: as long as they take
working_directory | folder | | working directory
zstd | on/off | off | compresses responses with Zstandard
zstd_comp_level | level | 1 | how well: 1 (fast) to 22 (small)
zstd_min_length | length | 20 | shortest \`Content-Length\` that is compressed
zstd_static | off/on/always | off | sends \`FILE.zst\` in place of \`FILE\` to clients that take it, or to all
zstd_types | type/* ... | text/html | types that are compressed, with \`text/html\` always among them
`

/** By name, with the context before it where the table has one. */
export const directiveTexts: ReadonlyMap<string, DirectiveText> = new Map(
  TEXTS.trim()
    .split('\n')
    .map((line) => {
      const [name = '', args = '', standard = '', ...does] = line.split(/ ?\| ?/)
      return [name, { args: args.replaceAll('/', ' | '), default: standard, does: does.join(' | ') }]
    }),
)
