import type { PayloadDigest } from '../digest.ts';
import type { CredentialScope } from './authorization.ts';
import { deriveSigningKey } from './signature.ts';

/**
 * Signing keys of the access keys seen last: deriving one costs as much as checking four signatures.
 *
 * Holds at most `limit` of them, each of a few hundred bytes; the one unused for longest goes first. A stranger cannot
 * choose what comes in: the access key is one that the host knows, and the scope is the expected one, on a day that the
 * clock allows (of a presigned request, one of eight).
 */
export class SigningKeyCache {
  readonly #limit: number;
  readonly #digest: PayloadDigest;
  readonly #entries = new Map<string, Entry>();

  constructor(limit: number, digest: PayloadDigest) {
    this.#limit = limit;
    this.#digest = digest;
  }

  get(accessKeyId: string, secretAccessKey: string, scope: CredentialScope): Uint8Array {
    const id = [accessKeyId, scope.date, scope.region, scope.service, scope.terminator].join('/');
    let entry = this.#entries.get(id);
    // An access key id whose secret was replaced must not go on with the old one.
    if (entry?.secretAccessKey !== secretAccessKey) {
      entry = { secretAccessKey, signingKey: deriveSigningKey(secretAccessKey, scope, this.#digest) };
    }
    this.#entries.delete(id);
    this.#entries.set(id, entry!);
    if (!(this.#entries.size <= this.#limit)) this.#entries.delete(this.#entries.keys().next().value!);
    return entry!.signingKey;
  }
}

interface Entry {
  readonly secretAccessKey: string;
  readonly signingKey: Uint8Array;
}
