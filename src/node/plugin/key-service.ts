import type { Transport } from '../../core/socket.ts';
import type { CredentialProvider } from '../../crypto/credentials.ts';
import type { KeyService } from '../../crypto/kms/key-service.ts';
import { callbackKeyService, kmsKeyService } from '../../kms/index.ts';
import { configuredEndpoint } from '../configured-endpoint.ts';
import type { PluginRequest } from './arguments.ts';

/**
 * AWS KMS in the region of the session, with the credentials of its profile, as AWS's plugin calls it. Another key
 * service is never that of the session's endpoint by itself: whoever relays a session must not give its keys, unless
 * its user says so.
 *
 * Nothing is read before a session asks for a data key. Agents alone decrypt.
 */
export function pluginKeyService(
  { region, profile }: Pick<PluginRequest, 'region' | 'profile'>,
  credentials: CredentialProvider,
  transport: Transport,
  environment: NodeJS.ProcessEnv,
): KeyService {
  return callbackKeyService({
    async generateDataKey(keyId, context, call) {
      const configured = await configuredEndpoint('kms', profile, environment);
      const keyService = kmsKeyService({ ...configured, region, credentials, platform: { transport } });
      return keyService.generateDataKey(keyId, context, call);
    },
  });
}
