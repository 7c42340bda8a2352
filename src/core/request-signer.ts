import { type CredentialProvider, type Credentials, resolveCredentials } from '../crypto/credentials.ts';
import { type PayloadDigest, sha256Digest } from '../crypto/digest.ts';
import { signRequest } from '../crypto/sigv4/sign.ts';
import type { SignableRequest } from '../crypto/sigv4/signable-request.ts';
import type { AwsService } from './endpoints.ts';

/** What is sent from here repeats no header. */
export interface RequestToSign extends SignableRequest {
  readonly headers: Readonly<Record<string, string>>;
}

/** Makes requests a caller's own. */
export interface RequestSigner {
  /**
   * Every header to send, under lower-case names.
   *
   * @param now the service's time; asked for when all that takes long is done
   * @throws {CredentialsError} when there is nothing to sign with
   */
  sign(request: RequestToSign, now: () => number): Promise<Record<string, string>>;
  /** The service did not accept a signature, at the right time: what it was made with may have been replaced. */
  refused?(): void;
}

/** Signs with an access key; a provider is asked for it each time. */
export class CredentialsSigner implements RequestSigner {
  readonly #credentials: Credentials | CredentialProvider;
  readonly #region: string;
  readonly #service: AwsService;
  readonly #digest: PayloadDigest;
  #refused = false;

  /** @param digest SHA-256 to sign with. Default: portable, pure JavaScript */
  constructor(
    credentials: Credentials | CredentialProvider,
    region: string,
    service: AwsService,
    digest: PayloadDigest = sha256Digest,
  ) {
    this.#credentials = credentials;
    this.#region = region;
    this.#service = service;
    this.#digest = digest;
  }

  async sign(request: RequestToSign, now: () => number): Promise<Record<string, string>> {
    const forceRefresh = this.#refused;
    this.#refused = false;
    const credentials = await resolveCredentials(this.#credentials, { forceRefresh });
    return signRequest(request, {
      credentials,
      region: this.#region,
      service: this.#service,
      now: now(),
      digest: this.#digest,
    });
  }

  refused(): void {
    this.#refused = true;
  }
}
