import { SessionClient, type SessionClientOptions } from '../core/client.ts';
import type { CredentialProvider, Credentials } from '../crypto/credentials.ts';
import { kmsKeyService } from '../kms/index.ts';
import { endpointOfEnvironment } from './configured-endpoint.ts';
import { NodeError } from './error.ts';

/**
 * A client as AWS's own tools would set it up: the region of `AWS_REGION` or `AWS_DEFAULT_REGION`, the service of
 * `AWS_ENDPOINT_URL_SSM` or `AWS_ENDPOINT_URL` or AWS's own, and the credentials of `AWS_ACCESS_KEY_ID`,
 * `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`, or else of `@aws-sdk/credential-providers` where that is installed:
 * profiles, SSO, roles. Data keys of encrypted sessions come from AWS KMS with the same credentials, or from the key
 * service of `AWS_ENDPOINT_URL_KMS`.
 *
 * @param options what is not to come from the environment; with `keyService: undefined` encrypted sessions are refused
 * @throws {NodeError} `ERR_ENVIRONMENT` says what is missing
 * @throws {EndpointError} for a region or an endpoint that cannot be, or would send secrets in the clear
 */
export async function clientFromEnvironment(
  options: Partial<SessionClientOptions> = {},
): Promise<SessionClient> {
  const { AWS_REGION, AWS_DEFAULT_REGION } = process.env;
  const region = options.region ?? (AWS_REGION || AWS_DEFAULT_REGION);
  if (!region) throw missing('Set AWS_REGION to the region of the node, for example eu-central-1.');
  const endpoint = options.endpoint ?? endpointOfEnvironment('ssm', process.env);
  const credentials = options.credentials ?? (await environmentCredentials());
  const keyService = kmsKeyService({
    ...options,
    region,
    credentials,
    endpoint: endpointOfEnvironment('kms', process.env),
  });
  return new SessionClient({ keyService, ...options, region, endpoint, credentials });
}

async function environmentCredentials(): Promise<Credentials | CredentialProvider> {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = process.env;
  if (AWS_ACCESS_KEY_ID && AWS_SECRET_ACCESS_KEY) {
    return {
      accessKeyId: AWS_ACCESS_KEY_ID,
      secretAccessKey: AWS_SECRET_ACCESS_KEY,
      ...(AWS_SESSION_TOKEN && { sessionToken: AWS_SESSION_TOKEN }),
    };
  }
  // By a variable: the package is the user's, and neither compiler nor bundler need find it.
  const providers: string = '@aws-sdk/credential-providers';
  let found: { fromNodeProviderChain(): CredentialProvider };
  try {
    found = await import(providers);
  } catch (cause) {
    throw missing(
      'No credentials. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or install @aws-sdk/credential-providers to use your AWS profile.',
      cause,
    );
  }
  return found.fromNodeProviderChain();
}

function missing(message: string, cause?: unknown): NodeError {
  return new NodeError('ERR_ENVIRONMENT', message, cause === undefined ? {} : { cause });
}
