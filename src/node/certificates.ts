import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import { NodeError } from './error.ts';

/**
 * The certificate authorities to trust, in PEM, where the environment names some; undefined for those of Node.js alone,
 * which `NODE_EXTRA_CA_CERTS` adds to. A bundle in `AWS_CA_BUNDLE` takes the place of all others, as with AWS's tools;
 * one in `SSL_CERT_FILE`, which programs in Go and of OpenSSL take, is added.
 *
 * @throws {NodeError} `ERR_ENVIRONMENT` for a file that cannot be read
 */
export function trustedCertificates(environment: NodeJS.ProcessEnv): readonly string[] | undefined {
  const { AWS_CA_BUNDLE, SSL_CERT_FILE, NODE_EXTRA_CA_CERTS } = environment;
  if (!AWS_CA_BUNDLE && !SSL_CERT_FILE) return undefined;
  const own = AWS_CA_BUNDLE
    ? [read('AWS_CA_BUNDLE', AWS_CA_BUNDLE)]
    : [...rootCertificates, read('SSL_CERT_FILE', SSL_CERT_FILE!)];
  // What is given to TLS replaces what Node.js has put together of it.
  return NODE_EXTRA_CA_CERTS ? [...own, read('NODE_EXTRA_CA_CERTS', NODE_EXTRA_CA_CERTS)] : own;
}

function read(variable: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new NodeError('ERR_ENVIRONMENT', `The certificates that ${variable} names cannot be read.`, {
      cause,
    });
  }
}
