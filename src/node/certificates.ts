import { existsSync, readFileSync } from 'node:fs';
import { NodeError } from './error.ts';

/**
 * The certificate authorities to trust, in PEM: a bundle in `AWS_CA_BUNDLE`, as with AWS's tools; or those of the system,
 * as programs in Go have them, which `SSL_CERT_FILE` can stand in for. `NODE_EXTRA_CA_CERTS` adds to either. Undefined
 * where there is no such file: then Node.js trusts its own.
 *
 * @throws {NodeError} `ERR_ENVIRONMENT` for a file that cannot be read
 */
export function trustedCertificates(environment: NodeJS.ProcessEnv): readonly string[] | undefined {
  const { AWS_CA_BUNDLE, SSL_CERT_FILE, NODE_EXTRA_CA_CERTS } = environment;
  const system = SSL_CERT_FILE || SYSTEM_FILES.find((path) => existsSync(path));
  if (!AWS_CA_BUNDLE && !system) return undefined;
  const main = AWS_CA_BUNDLE ? read('AWS_CA_BUNDLE', AWS_CA_BUNDLE) : read('SSL_CERT_FILE', system!);
  // What is given to TLS replaces what Node.js has put together of it.
  return NODE_EXTRA_CA_CERTS ? [main, read('NODE_EXTRA_CA_CERTS', NODE_EXTRA_CA_CERTS)] : [main];
}

/** Where Debian and Alpine, Fedora and Red Hat, and macOS and the BSDs keep them in one file. */
const SYSTEM_FILES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/cert.pem',
];

/** Whether a connection was not made since nobody who is trusted vouches for the other end. */
export function isUntrusted(error: Error): boolean {
  return UNTRUSTED.test((error as NodeJS.ErrnoException).code ?? '');
}

const UNTRUSTED = /^(DEPTH_ZERO_)?SELF_SIGNED_CERT|^UNABLE_TO_(VERIFY_LEAF|GET_ISSUER)/;

function read(variable: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new NodeError('ERR_ENVIRONMENT', `The certificates that ${variable} names cannot be read.`, {
      cause,
    });
  }
}
