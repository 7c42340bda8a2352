import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type CredentialProvider, type Credentials, CredentialsError } from '../../crypto/credentials.ts';
import { NodeError } from '../error.ts';

/**
 * The credentials with which the AWS CLI started the session: those of the environment, unless another profile was asked
 * for; else whatever `@aws-sdk/credential-providers` finds, where that is installed; else the keys that the shared
 * files hold for the profile; else those that `aws configure export-credentials` of the AWS CLI 2 hands out, which knows
 * single sign-on, roles and credential processes.
 *
 * Nothing is looked for before it is needed. The provider fails with a {@link NodeError} `ERR_ENVIRONMENT` when there
 * is no source left to ask, so that asking again is of no use.
 */
export function pluginCredentials(
  profile: string | undefined,
  environment: NodeJS.ProcessEnv,
): CredentialProvider {
  let kept: { credentials: Credentials; until: number } | undefined;
  let search: Promise<Credentials> | undefined;
  const look = async () => {
    try {
      const credentials = await find(profile, environment);
      const expiry = credentials.expiration?.getTime() ?? Infinity;
      kept = { credentials, until: Math.min(Date.now() + KEPT, expiry - MARGIN) };
      search = undefined;
      return credentials;
    } catch (error) {
      // Where nobody is left to ask, the search has been the last.
      if (!(error instanceof NodeError)) search = undefined;
      throw error;
    }
  };
  return async () => {
    if (kept && Date.now() < kept.until) return kept.credentials;
    // One search at a time: a try that gave up on it leaves its result to the next.
    search ??= look();
    return search;
  };
}

/** Milliseconds: for so long they are not looked for again. */
const KEPT = 300_000;
/** Milliseconds before their expiry in which they are not used any more. */
const MARGIN = 60_000;

async function find(profile: string | undefined, environment: NodeJS.ProcessEnv): Promise<Credentials> {
  // A profile from the environment gives way to keys from there; one asked for by name does not.
  const named = profile !== undefined && profile !== environment.AWS_PROFILE;
  return (
    (named ? undefined : ofEnvironment(environment)) ??
    (await ofSdk(profile)) ??
    (await ofSharedFiles(profile ?? 'default')) ??
    (await ofCli(profile, environment))
  );
}

function ofEnvironment(environment: NodeJS.ProcessEnv): Credentials | undefined {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = environment;
  return credentials(AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN);
}

async function ofSdk(profile: string | undefined): Promise<Credentials | undefined> {
  // By a variable: the package is the user's, and neither compiler nor bundler need find it.
  const name: string = '@aws-sdk/credential-providers';
  let providers: { fromNodeProviderChain(options: { profile?: string }): CredentialProvider };
  try {
    providers = await import(name);
  } catch {
    return undefined;
  }
  return providers.fromNodeProviderChain(profile === undefined ? {} : { profile })();
}

async function ofSharedFiles(profile: string): Promise<Credentials | undefined> {
  const { loadSharedConfigFiles } = await import('@smithy/core/config');
  const { configFile, credentialsFile } = await loadSharedConfigFiles({ ignoreCache: true });
  const settings = { ...configFile[profile], ...credentialsFile[profile] };
  const keys = [
    settings.aws_access_key_id,
    settings.aws_secret_access_key,
    settings.aws_session_token,
  ] as const;
  // Keys beside a role are only those that the role is assumed with.
  return settings.role_arn ? undefined : credentials(...keys);
}

async function ofCli(profile: string | undefined, environment: NodeJS.ProcessEnv): Promise<Credentials> {
  const args = ['configure', 'export-credentials', ...(profile === undefined ? [] : ['--profile', profile])];
  let stdout: string;
  try {
    ({ stdout } = await promisify(execFile)('aws', args, { env: environment, timeout: CLI_TIMEOUT }));
  } catch (error) {
    const { code, stderr = '' } = error as { code?: unknown; stderr?: string };
    // AWS CLI 1 has no such command.
    if (code === 'ENOENT' || stderr.includes('Invalid choice')) throw noCredentials();
    const why = stderr.trim().split('\n').at(-1)?.slice(0, 200) || 'it failed';
    throw new CredentialsError(`aws configure export-credentials: ${why}`);
  }
  const found = parse(stdout);
  if (found) return found;
  throw new CredentialsError('aws configure export-credentials answered something that cannot be read.');
}

/** Milliseconds; a credential process can ask its user something. */
const CLI_TIMEOUT = 60_000;

function parse(json: string): Credentials | undefined {
  try {
    const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = JSON.parse(json);
    const found = credentials(AccessKeyId, SecretAccessKey, SessionToken);
    return found && Expiration ? { ...found, expiration: new Date(Expiration) } : found;
  } catch {
    return undefined;
  }
}

function credentials(
  accessKeyId: string | undefined,
  secretAccessKey: string | undefined,
  sessionToken: string | undefined,
): Credentials | undefined {
  if (!accessKeyId || !secretAccessKey) return undefined;
  return { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) };
}

function noCredentials(): NodeError {
  return new NodeError(
    'ERR_ENVIRONMENT',
    'There are no credentials. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, put the keys of the profile into ~/.aws/credentials, install @aws-sdk/credential-providers, or use AWS CLI 2.',
  );
}
