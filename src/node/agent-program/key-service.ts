import { nodeEndpoint } from '../../agent/node-endpoint.ts';
import { isOfAws } from '../../core/endpoints.ts';
import type { CredentialProvider } from '../../crypto/credentials.ts';
import type { KeyService } from '../../crypto/kms/key-service.ts';
import { kmsKeyService } from '../../kms/index.ts';
import type { NodeLocation } from '../identity.ts';

/**
 * AWS KMS for the role of a hybrid node. A service of one's own has made that role's credentials, so no other could know
 * them: it is asked for the keys as well, unless `endpoint` says who is.
 *
 * Data keys from elsewhere are safe from it all the same: it cannot decrypt them, and such a session fails.
 *
 * @throws {EndpointError} for an endpoint or region that cannot be used
 */
export function nodeKeyService(
  location: NodeLocation,
  credentials: CredentialProvider,
  endpoint: string | undefined,
): KeyService {
  const issuer = nodeEndpoint('ssm', location);
  const ofIssuer = isOfAws(issuer) ? undefined : issuer;
  return kmsKeyService({ ...location, credentials, endpoint: endpoint ?? ofIssuer });
}
