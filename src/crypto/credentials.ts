import { HawserError } from '../base/error.ts';

/** AWS credentials. The members are named as in AWS's SDKs, so that what those hand out fits. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Temporary credentials only: sent along as `X-Amz-Security-Token`. */
  readonly sessionToken?: string | undefined;
  /** Temporary credentials only: when they stop being good. */
  readonly expiration?: Date | undefined;
}

/**
 * Asked for credentials before each use, so it can refresh them; it should keep good ones and answer at once.
 * The providers of `@aws-sdk/credential-providers` fit.
 */
export type CredentialProvider = (options?: CredentialProviderOptions) => Promise<Credentials>;

/** Named as in AWS's SDK. */
export interface CredentialProviderOptions {
  /** The service has refused the last ones, so those that are kept may not be good. Default false. */
  readonly forceRefresh?: boolean;
}

/** There are no usable credentials to sign with. `code` is `ERR_CREDENTIALS`. */
export class CredentialsError extends HawserError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_CREDENTIALS', message, options);
  }
}

/**
 * The credentials to use now.
 *
 * @throws {CredentialsError} when the provider fails (its error is the `cause`) or gives something without keys
 */
export async function resolveCredentials(
  source: Credentials | CredentialProvider,
  options?: CredentialProviderOptions,
): Promise<Credentials> {
  const credentials: Partial<Credentials> | undefined =
    typeof source === 'function' ? await ask(source, options) : source;
  if (!credentials?.accessKeyId || !credentials.secretAccessKey) {
    throw new CredentialsError(
      'The credentials have no accessKeyId or no secretAccessKey. Pass both, or a provider that gives both.',
    );
  }
  return credentials as Credentials;
}

async function ask(provider: CredentialProvider, options?: CredentialProviderOptions): Promise<Credentials> {
  try {
    return await provider(options);
  } catch (cause) {
    throw new CredentialsError('The credential provider failed; its error is the cause.', { cause });
  }
}
