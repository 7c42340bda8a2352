import type { KeyService } from '../crypto/kms/key-service.ts';
import type { ResolvedDocument } from './document.ts';
import { AgentError } from './error.ts';

/** What an agent has been told about encryption. */
export interface EncryptionOptions {
  readonly instanceId: string;
  readonly keyService?: KeyService;
  readonly requireEncryption?: boolean;
  readonly requireKmsChallenge?: boolean;
}

/** How one session is to be encrypted with AWS KMS. */
export interface RunEncryption {
  readonly keyService: KeyService;
  readonly keyId: string;
  readonly targetId: string;
  readonly requireChallenge: boolean;
}

/**
 * Undefined for a session in the clear: one without `kmsKeyId`, and every one for ports (PROTOCOL.md section 8).
 *
 * @throws {AgentError} `ERR_AGENT_START`: better no session than one in the clear that was to be encrypted
 */
export function sessionEncryption(
  { sessionType, inputs }: ResolvedDocument,
  { instanceId, keyService, requireEncryption = false, requireKmsChallenge = false }: EncryptionOptions,
): RunEncryption | undefined {
  const { kmsKeyId = '' } = inputs;
  if (typeof kmsKeyId !== 'string') {
    throw new AgentError('ERR_AGENT_START', 'kmsKeyId of the session document must be a string.');
  }
  if (kmsKeyId === '' || sessionType === 'Port') {
    if (!requireEncryption) return undefined;
    throw new AgentError(
      'ERR_AGENT_START',
      `${instanceId} runs encrypted sessions only. Set kmsKeyId in the session preferences; port sessions are never encrypted with AWS KMS.`,
    );
  }
  if (!keyService) {
    throw new AgentError(
      'ERR_AGENT_START',
      `The session must be encrypted with AWS KMS, and the agent of ${instanceId} was given no key service.`,
    );
  }
  return { keyService, keyId: kmsKeyId, targetId: instanceId, requireChallenge: requireKmsChallenge };
}
