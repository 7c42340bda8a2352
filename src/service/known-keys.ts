import type { AccessRequests } from './access-requests.ts';
import { isAccessTokenKey } from './access-token.ts';
import { type Credentialed, credentialed } from './caller.ts';
import { isIssuedKey } from './issued-key.ts';
import type { CallerRecord, SessionManagerServiceOptions } from './options.ts';
import type { RoleCredentials } from './role-credentials.ts';

/** An access key, and who calls with it. */
export interface KnownKey extends Pick<CallerRecord, 'secretAccessKey' | 'sessionToken' | 'expiration'> {
  readonly caller: Credentialed;
}

/** Every access key there is: the host's, and those that the service itself has issued. */
export class KnownKeys {
  readonly #credentials: SessionManagerServiceOptions['credentials'];
  readonly #roleCredentials: RoleCredentials;
  readonly #accessRequests: AccessRequests;

  constructor(
    credentials: SessionManagerServiceOptions['credentials'],
    roleCredentials: RoleCredentials,
    accessRequests: AccessRequests,
  ) {
    this.#credentials = credentials;
    this.#roleCredentials = roleCredentials;
    this.#accessRequests = accessRequests;
  }

  /** Expired ones are found, too. `undefined` for one that is unknown, or good no more. */
  async find(accessKeyId: string): Promise<KnownKey | undefined> {
    if (isAccessTokenKey(accessKeyId)) return this.#accessToken(accessKeyId);
    const record = isIssuedKey(accessKeyId)
      ? await this.#roleCredentials.find(accessKeyId)
      : await this.#credentials(accessKeyId);
    return record && knownKey(accessKeyId, record);
  }

  /** Such a token acts as who asked for it, and is good as long as the key that it was asked for with is known. */
  async #accessToken(accessKeyId: string): Promise<KnownKey | undefined> {
    const token = await this.#accessRequests.find(accessKeyId);
    const requester = token && (await this.find(token.requesterKeyId));
    if (!requester || requester.caller.principal.arn !== token.requesterArn) return undefined;
    const { secretAccessKey, sessionToken, expires, issued, access, narrow } = token;
    const { principal, sessionPolicies, mfa } = requester.caller;
    return {
      secretAccessKey,
      sessionToken,
      expiration: new Date(expires),
      caller: {
        principal,
        accessKeyId,
        sessionPolicies: [...sessionPolicies, [narrow]],
        issued,
        ...(mfa !== undefined && { mfa }),
        access,
      },
    };
  }
}

function knownKey(accessKeyId: string, record: CallerRecord): KnownKey {
  const { secretAccessKey, sessionToken, expiration } = record;
  return {
    secretAccessKey,
    ...(sessionToken !== undefined && { sessionToken }),
    ...(expiration !== undefined && { expiration }),
    caller: credentialed(accessKeyId, record),
  };
}
