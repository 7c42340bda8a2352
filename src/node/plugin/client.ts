import { SessionClient } from '../../core/client.ts';
import { TransportError } from '../../core/errors.ts';
import { FORWARD_EXTENSIONS } from '../../core/port/forward.ts';
import type { Session } from '../../core/session.ts';
import { trustedCertificates } from '../certificates.ts';
import { nodeTransport } from '../transport.ts';
import type { PluginRequest } from './arguments.ts';
import { pluginCredentials } from './credentials.ts';
import { pluginKeyService } from './key-service.ts';

/**
 * A client for one session: resumes and terminates it as whoever started it, and asks for its data key as that, too. Its stream may lead wherever the service
 * said, since it was the CLI that asked it; in the clear only to this machine.
 *
 * @throws {EndpointError} for a region or an endpoint that cannot be, or would send secrets in the clear
 * @throws {NodeError} `ERR_ENVIRONMENT` for certificates that cannot be read
 */
export function pluginClient(request: PluginRequest, environment: NodeJS.ProcessEnv): SessionClient {
  const { access, region, profile } = request;
  const credentials = pluginCredentials(profile, environment);
  const transport = nodeTransport({ certificates: trustedCertificates(environment) });
  return new SessionClient({
    region,
    endpoint: endpointOf(request, environment),
    credentials,
    keyService: pluginKeyService(request, credentials, transport, environment),
    allowedStreamHosts: [hostOf(access.streamUrl)],
    platform: { transport },
  });
}

/**
 * Opens the data channel. When that fails, the token may be spent all the same, so ResumeSession is asked for another one,
 * once. When that fails as well, the session is terminated, so that none stays on the node.
 *
 * @throws what `SessionClient.attach` throws
 */
export async function openSession(
  client: SessionClient,
  { access, target }: PluginRequest,
  signal: AbortSignal,
): Promise<Session> {
  const options = { signal, target, extensions: FORWARD_EXTENSIONS };
  try {
    return await client.attach(access, options).catch((error: unknown) => {
      if (!(error instanceof TransportError)) throw error;
      return client.resumeSession(access.sessionId, options).catch(() => {
        throw error;
      });
    });
  } catch (error) {
    await client.terminateSession(access.sessionId).catch(() => {});
    throw error;
  }
}

/**
 * Where the session is resumed and terminated; undefined for AWS's own in the region. `aws ecs execute-command` hands on
 * the endpoint of ECS, which knows no sessions. What is not AWS's own may well be one program for both.
 */
export function endpointOf(
  { target, endpoint }: Pick<PluginRequest, 'target' | 'endpoint'>,
  environment: NodeJS.ProcessEnv,
): string | undefined {
  if (!target?.startsWith('ecs:')) return endpoint;
  const ofEcs = endpoint !== undefined && /^ecs[.-]/.test(hostOf(endpoint));
  return environment.AWS_ENDPOINT_URL_SSM || (ofEcs ? undefined : endpoint);
}

/** Empty for what is no URL, which is told of when it is opened. */
function hostOf(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    return '';
  }
}
