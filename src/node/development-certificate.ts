import { createPrivateKey, createPublicKey, webcrypto, X509Certificate } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import { NodeError } from './error.ts';

export interface DevelopmentCertificateOptions {
  /** Where authority, certificate and keys are kept, so that they are trusted once. Made with mode 0700. */
  readonly directory: string;
  /** Names and addresses that the server is reached by. Default `localhost`, `127.0.0.1` and `::1`. */
  readonly hosts?: readonly string[];
}

/** What `serve` takes for `tls`, and what others need to trust it. */
export interface DevelopmentCertificate {
  /** PEM. */
  readonly key: string;
  /** PEM. */
  readonly cert: string;
  /** PEM of the authority that signed `cert`. */
  readonly ca: string;
  /** The file with `ca`, for `AWS_CA_BUNDLE`, `NODE_EXTRA_CA_CERTS`, `SSL_CERT_FILE`. */
  readonly caFile: string;
}

/**
 * A certificate for development, signed by an authority of your own: AWS's agent speaks nothing but TLS. Both are made
 * at the first call and kept; the certificate is made anew when it has less than 30 days left or lacks a host, the
 * authority stays for ten years. Whoever has `ca-key.pem` can pretend to be any host to those who trust the authority:
 * trust it on machines for development alone. Needs the optional peer dependency `@peculiar/x509`.
 *
 * @throws {NodeError} `ERR_X509_MISSING`
 */
export async function developmentCertificate(
  options: DevelopmentCertificateOptions,
): Promise<DevelopmentCertificate> {
  const { directory, hosts = ['localhost', '127.0.0.1', '::1'] } = options;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const file = (name: string) => resolve(join(directory, name));
  const caFile = file('ca.pem');

  let authority = await readPair(caFile, file('ca-key.pem'));
  if (!authority || daysLeft(authority.certificate) < 2 * DAYS_LEFT) {
    const made = await makeAuthority();
    await write(file('ca-key.pem'), made.key, 0o600);
    await write(caFile, made.cert, 0o644);
    authority = made;
  }
  let pair = await readPair(file('cert.pem'), file('key.pem'));
  if (!pair || !isGood(pair.certificate, authority.certificate, hosts)) {
    const made = await makeCertificate(authority, hosts);
    await write(file('key.pem'), made.key, 0o600);
    await write(file('cert.pem'), made.cert, 0o644);
    pair = made;
  }
  return { key: pair.key, cert: pair.cert, ca: authority.cert, caFile };
}

/** Less than this, and a certificate is made anew. */
const DAYS_LEFT = 30;
/** Clients refuse server certificates that are good for more than 398 days. */
const CERTIFICATE_DAYS = 397;
const AUTHORITY_DAYS = 3650;
const DAY = 24 * 3_600_000;

interface Pair {
  readonly cert: string;
  readonly key: string;
  readonly certificate: X509Certificate;
}

/** `undefined` when a file is missing, or the two do not belong together: a crash may have come between them. */
async function readPair(certFile: string, keyFile: string): Promise<Pair | undefined> {
  try {
    const [cert, key] = await Promise.all([readFile(certFile, 'utf8'), readFile(keyFile, 'utf8')]);
    const certificate = new X509Certificate(cert);
    return certificate.checkPrivateKey(createPrivateKey(key)) ? { cert, key, certificate } : undefined;
  } catch {
    return undefined;
  }
}

/** Readers see the old file or the new one, never a part. */
async function write(file: string, text: string, mode: number): Promise<void> {
  const part = `${file}.${process.pid}.part`;
  await writeFile(part, text, { mode });
  await rename(part, file);
}

function isGood(certificate: X509Certificate, authority: X509Certificate, hosts: readonly string[]): boolean {
  const named = hosts.every((host) =>
    isIP(host) ? certificate.checkIP(host) : certificate.checkHost(host, { subject: 'never' }),
  );
  return named && certificate.verify(authority.publicKey) && daysLeft(certificate) >= DAYS_LEFT;
}

function daysLeft({ validTo }: X509Certificate): number {
  return (Date.parse(validTo) - Date.now()) / DAY;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const SERVER_AUTHENTICATION = '1.3.6.1.5.5.7.3.1';

async function makeAuthority(): Promise<Pair> {
  const x509 = await loadX509();
  const keys = await makeKeys();
  const made = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=hawser development authority',
    ...lifetime(AUTHORITY_DAYS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return toPair(made.toString('pem'), keys.privateKey);
}

async function makeCertificate(authority: Pair, hosts: readonly string[]): Promise<Pair> {
  const x509 = await loadX509();
  const { subtle } = webcrypto;
  const signingKey = await subtle.importKey(
    'pkcs8',
    createPrivateKey(authority.key).export({ format: 'der', type: 'pkcs8' }),
    ALGORITHM,
    false,
    ['sign'],
  );
  const issuerKey = await subtle.importKey(
    'spki',
    createPublicKey(authority.key).export({ format: 'der', type: 'spki' }),
    ALGORITHM,
    true,
    ['verify'],
  );
  const keys = await makeKeys();
  const made = await x509.X509CertificateGenerator.create({
    subject: 'CN=hawser development certificate',
    issuer: new x509.X509Certificate(authority.cert).subject,
    ...lifetime(CERTIFICATE_DAYS),
    signingAlgorithm: ALGORITHM,
    signingKey,
    publicKey: keys.publicKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([SERVER_AUTHENTICATION]),
      new x509.SubjectAlternativeNameExtension(
        hosts.map((host) => ({ type: isIP(host) ? ('ip' as const) : ('dns' as const), value: host })),
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuerKey),
    ],
  });
  return toPair(made.toString('pem'), keys.privateKey);
}

/** From a day ago: the clocks of other machines may be behind. */
function lifetime(days: number): { notBefore: Date; notAfter: Date } {
  const now = Date.now();
  return { notBefore: new Date(now - DAY), notAfter: new Date(now + (days - 1) * DAY) };
}

function makeKeys() {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

async function toPair(cert: string, privateKey: webcrypto.CryptoKey): Promise<Pair> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', privateKey));
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }).export({
    format: 'pem',
    type: 'pkcs8',
  });
  return { cert: `${cert}\n`, key: `${key}`, certificate: new X509Certificate(cert) };
}

async function loadX509() {
  try {
    return await import('@peculiar/x509');
  } catch (cause) {
    throw new NodeError(
      'ERR_X509_MISSING',
      'A development certificate needs the package @peculiar/x509, which could not be loaded. Install it beside hawser: npm install @peculiar/x509@1',
      { cause },
    );
  }
}
