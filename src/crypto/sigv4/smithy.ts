import { Sha256 as JsSha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import { concat, utf8 } from '../../base/encoding.ts';
import type { PayloadDigest } from '../digest.ts';
import { hmacSha256 } from '../hmac.ts';
import type { SignOptions } from './signable-request.ts';

/**
 * The signer of AWS's SDK, with which all signing is done. It takes text for paths, queries and headers; what it would
 * sign otherwise than it is sent, `signable-request.ts` spells for it or refuses. It verifies nothing: that is our own.
 */
export function smithySigner({
  credentials,
  region,
  service,
  pathEncoding = 'normal',
  signedSessionToken = true,
  digest,
}: SignOptions): SignatureV4 {
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  return new SignatureV4({
    credentials: {
      accessKeyId,
      secretAccessKey,
      ...(sessionToken && signedSessionToken ? { sessionToken } : {}),
    },
    region,
    service,
    sha256: digest ? hashOver(digest) : JsSha256,
    uriEscapePath: pathEncoding === 'normal',
    // `x-amz-content-sha256`: S3 wants it, the other services hash the body they get.
    applyChecksum: service === 's3',
  });
}

type HashConstructor = ConstructorParameters<typeof SignatureV4>[0]['sha256'];

/** Hash and HMAC in the shape that the package takes them. */
function hashOver(digest: PayloadDigest): HashConstructor {
  return class {
    readonly #key: Uint8Array | undefined;
    #parts: Uint8Array[] = [];

    constructor(secret?: unknown) {
      this.#key = secret === undefined ? undefined : bytesOf(secret);
    }

    update(data: unknown): void {
      this.#parts.push(bytesOf(data));
    }

    async digest(): Promise<Uint8Array> {
      const bytes = this.#parts.length === 1 ? this.#parts[0]! : concat(this.#parts);
      if (this.#key) return hmacSha256(this.#key, bytes, digest);
      const target = new Uint8Array(32);
      digest.write(bytes, target, 0);
      return target;
    }

    reset(): void {
      this.#parts = [];
    }
  };
}

/** The package gives keys as text or bytes, and all else as bytes. */
function bytesOf(data: unknown): Uint8Array {
  return typeof data === 'string' ? utf8(data) : (data as Uint8Array);
}
