// What README says of each variable, beside the code that reads them; a test holds the list complete. NAME stands for
// any name.

const TEXTS = `
arg_NAME | argument NAME of the request line
args | arguments of the request line
binary_remote_addr | the client's address as 4 or 16 bytes
body_bytes_sent | bytes of the body sent to the client
brotli_ratio | how many times smaller Brotli made the response
bytes_sent | bytes sent to the client
connection | number of the connection
connection_requests | requests on the connection so far
connection_time | age of the connection, in seconds
content_length | \`Content-Length\` of the request
content_type | \`Content-Type\` of the request
cookie_NAME | cookie NAME
document_root | \`root\` of the request
document_uri | as \`$uri\`
gzip_ratio | how many times smaller gzip made the response
host | host of the request line, else of \`Host\`, else the first server name
hostname | name of this machine
http2 | \`h2\` for HTTP/2 over TLS, \`h2c\` without TLS, else empty
http_NAME | field NAME of the request, lower case, dashes as underscores
https | \`on\` on a connection with TLS, else empty
is_args | \`?\` where the request line has arguments, else empty
is_request_port | \`:\` where the request names a port, else empty
limit_rate | bytes for each second that the response is limited to
msec | the time in seconds, with milliseconds
nginx_version | version of weir
pid | process id
pipe | \`p\` for a pipelined request, else \`.\`
proxy_add_x_forwarded_for | \`X-Forwarded-For\` of the request with the client's address behind it
proxy_host | name and port of \`proxy_pass\`
proxy_port | port of \`proxy_pass\`
proxy_protocol_addr | client's address in the PROXY protocol's header
proxy_protocol_port | client's port there
proxy_protocol_server_addr | server's address there
proxy_protocol_server_port | server's port there
proxy_protocol_tlv_NAME | value of the TLV called NAME there
query_string | as \`$args\`
realip_remote_addr | the connection's own address, before \`set_real_ip_from\`
realip_remote_port | the connection's own port
realpath_root | \`$document_root\` with symbolic links followed
remote_addr | the client's address
remote_port | the client's port
remote_user | user name of Basic authentication
request | the request line
request_body | body of the request, where it has been read into memory
request_body_file | file it has been read into
request_completion | \`OK\` once the request was answered completely
request_filename | path of the file for the request
request_id | 32 random hexadecimal digits
request_length | bytes of the request
request_method | its method
request_port | port of the request line, else of \`Host\`
request_time | seconds since its first byte
request_uri | its URI with arguments, as it came
scheme | \`http\` or \`https\`
sent_http_NAME | field NAME of the response
sent_trailer_NAME | field NAME of the response's trailer
server_addr | address the request came to
server_name | first name of the server
server_port | port the request came to
server_protocol | \`HTTP/1.0\`, \`HTTP/1.1\` or \`HTTP/2.0\`
ssl_alpn_protocol | protocol that ALPN agreed on
ssl_cipher | cipher of the connection
ssl_ciphers | ciphers that the client offered
ssl_client_cert | certificate of the client (PEM), each line but the first after a tab
ssl_client_escaped_cert | certificate of the client (PEM), escaped as in URIs
ssl_client_fingerprint | SHA-1 of the client's certificate
ssl_client_i_dn | its issuer, as RFC 2253 has it
ssl_client_i_dn_legacy | its issuer, as OpenSSL used to write it
ssl_client_raw_cert | certificate of the client (PEM)
ssl_client_s_dn | its subject, as RFC 2253 has it
ssl_client_s_dn_legacy | its subject, as OpenSSL used to write it
ssl_client_serial | its serial number
ssl_client_v_end | when it expires
ssl_client_v_remain | days until then
ssl_client_v_start | when it becomes valid
ssl_client_verify | \`SUCCESS\`, \`FAILED:\` and the reason, or \`NONE\`
ssl_curve | group of the key exchange
ssl_curves | groups that the client offered
ssl_early_data | empty: early data is not taken
ssl_protocol | \`TLSv1.3\`, \`TLSv1.2\` ...
ssl_server_name | name that the client asked for by SNI
ssl_session_id | the session's id
ssl_session_reused | \`r\` for a session from before, else \`.\`
ssl_sigalg | what the server signed the handshake with; empty for a session from before
ssl_sigalgs | signature algorithms that the client offered
status | status of the response
time_iso8601 | local time, ISO 8601
time_local | local time, as access logs have it
upstream_addr | addresses of the backends asked
upstream_bytes_received | bytes received from them
upstream_bytes_sent | bytes sent to them
upstream_connect_time | seconds for connecting
upstream_cookie_NAME | cookie NAME that the backend set
upstream_header_time | seconds until the head of the answer
upstream_http_NAME | field NAME of the backend's answer
upstream_response_length | bytes of its body
upstream_response_time | seconds until its end
upstream_status | its status
upstream_trailer_NAME | field NAME of its trailer
uri | the URI, decoded, as redirected within the server
weir_reason | code of the last thing that failed at a backend, such as \`connect_refused\`; empty if nothing has
zstd_ratio | how many times smaller Zstandard made the response
`

/** By name without `$`. */
export const variableTexts: ReadonlyMap<string, string> = new Map(
  TEXTS.trim()
    .split('\n')
    .map((line) => {
      const [name = '', ...does] = line.split(' | ')
      return [name, does.join(' | ')]
    }),
)
