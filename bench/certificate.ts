// The certificate of the proxies under load: ECDSA with P-256, made by the openssl command.

import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

/** Makes `cert.pem` and `key.pem` in `folder`. */
export function makeCertificate(openssl: string, folder: string): void {
  const files = ['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')]
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  const name = ['-subj', '/CN=example.com', '-addext', 'subjectAltName=DNS:example.com']
  execFileSync(openssl, ['req', '-x509', ...key, ...files, ...name, '-days', '30'], { stdio: 'ignore' })
}
