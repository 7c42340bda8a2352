import type { EncryptionContext } from '../../crypto/kms/key-service.ts';

/** What both ends bind the data key to (PROTOCOL.md section 8). */
export function encryptionContext(
  sessionId: string,
  targetId: string,
  challenge: string | undefined,
): EncryptionContext {
  return {
    'aws:ssm:SessionId': sessionId,
    'aws:ssm:TargetId': targetId,
    ...(challenge !== undefined && { [CHALLENGE]: challenge }),
  };
}

/** For people: all but the challenge, which is nobody's business. */
export function contextText(context: EncryptionContext): string {
  const members = Object.entries(context).map(([name, value]) =>
    name === CHALLENGE ? `${name} (not shown)` : `${name}=${value}`,
  );
  return `encryption context: ${members.join(', ')}`;
}

const CHALLENGE = 'aws:ssm:RandomChallenge';
