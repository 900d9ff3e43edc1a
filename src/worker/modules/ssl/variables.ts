// The $ssl_* variables: what TLS has agreed on with the client, what it offered, and its certificate. All are not found
// on a plain connection.

import { defineModule, type VariableReader } from '../../http/module.ts'
import type { Request } from '../../http/request.ts'
import { now } from '../../tick.ts'
import type { ClientCertificate } from '../../tls/client-certificate.ts'
import { cipherName } from '../../tls/names/ciphers.ts'
import { groupName } from '../../tls/names/groups.ts'
import { signatureName } from '../../tls/names/signatures.ts'
import type { TlsSession } from '../../tls/session.ts'
import { verifyErrorText } from '../../tls/verify-errors.ts'

/** Reads the connection's TLS; as in nginx, what is empty is not found. */
function ofSession(read: (tls: TlsSession, r: Request) => string): VariableReader {
  return (r) => {
    const { tls } = r.stream.connection
    return tls === null ? null : read(tls, r) || null
  }
}

/** Reads the client's certificate; not found where it has none. */
function ofCertificate(read: (certificate: ClientCertificate) => string): VariableReader {
  return ofSession(({ clientCertificate }) => (clientCertificate === null ? '' : read(clientCertificate)))
}

function names(numbers: readonly number[], name: (number: number) => string): string {
  return numbers.map(name).join(':')
}

/** OpenSSL does not look at the groups of a client that resumes a session, before TLS 1.3. */
function isUnsaid({ reused, protocol }: TlsSession): boolean {
  return reused && protocol !== 'TLSv1.3'
}

function verification({ clientCertificate, verifyResult }: TlsSession): string {
  if (clientCertificate === null) return 'NONE'
  return verifyResult === 0 ? 'SUCCESS' : `FAILED:${verifyErrorText(verifyResult)}`
}

export const sslVariables = defineModule({
  name: 'ssl_variables',
  commands: [],
  variables: {
    ssl_alpn_protocol: ofSession(({ alpn }) => alpn),
    ssl_cipher: ofSession(({ cipher }) => cipher),
    ssl_ciphers: ofSession(({ offer }) => names(offer.ciphers, cipherName)),
    ssl_client_cert: ofCertificate(({ pem }) => pem.slice(0, -1).replaceAll('\n', '\n\t')),
    ssl_client_escaped_cert: ofCertificate(({ pem }) => encodeURIComponent(pem)),
    ssl_client_fingerprint: ofCertificate(({ fingerprint }) => fingerprint),
    ssl_client_i_dn: ofCertificate(({ issuer }) => issuer),
    ssl_client_i_dn_legacy: ofCertificate(({ legacyIssuer }) => legacyIssuer),
    ssl_client_raw_cert: ofCertificate(({ pem }) => pem),
    ssl_client_s_dn: ofCertificate(({ subject }) => subject),
    ssl_client_s_dn_legacy: ofCertificate(({ legacySubject }) => legacySubject),
    ssl_client_serial: ofCertificate(({ serial }) => serial),
    ssl_client_v_end: ofCertificate(({ x509 }) => x509.validTo),
    ssl_client_v_remain: ofCertificate((certificate) => certificate.daysLeft(now())),
    ssl_client_v_start: ofCertificate(({ x509 }) => x509.validFrom),
    ssl_client_verify: ofSession(verification),
    ssl_curve: ofSession(({ group }) => (group === 0 ? '' : groupName(group))),
    ssl_curves: ofSession((tls) => (isUnsaid(tls) ? '' : names(tls.offer.groups, groupName))),
    // Early data is not taken: what comes is never part of it.
    ssl_early_data: () => null,
    ssl_protocol: ofSession(({ protocol }) => protocol),
    ssl_server_name: ofSession(({ serverName }) => serverName),
    ssl_session_id: ofSession(({ sessionId }) => sessionId.toString('hex')),
    ssl_session_reused: ofSession(({ reused }) => (reused ? 'r' : '.')),
    ssl_sigalg: ofSession(({ signature }) => signature),
    ssl_sigalgs: ofSession(({ reused, offer }) => (reused ? '' : names(offer.signatures, signatureName))),
  },
})
