import type { Session, SessionEnd } from 'hawser';
import type { AgentSession, SessionOutcome } from 'hawser/agent';
import {
  type AgentMessage,
  decodeMessage,
  encodeMessage,
  type MessageFields,
  PayloadType,
} from 'hawser/channel';
import { sha256Digest } from 'hawser/crypto';
import type { KeyPolicy, KeyService } from 'hawser/kms';
import type { Sender } from './tap.ts';
import { type EncryptedWorld, type EncryptedWorldOptions, encryptedWorld, jane, node } from './world.ts';

/** What goes wrong, the code of the error, and the world in which it does. */
export type Failure = readonly [what: string, code: string, world: Partial<EncryptedWorldOptions>];

const UNKNOWN = 'arn:aws:kms:eu-central-1:111122223333:key/00000000-0000-4000-8000-000000000000';

/** The client ends the session. */
export const CLIENT_FAILURES: readonly Failure[] = [
  ['without a key service', 'ERR_ENCRYPTION_NO_KEY_SERVICE', { clientKeys: () => undefined }],
  ['that may not use the key', 'ERR_KEY_ACCESS_DENIED', { keyPolicy: allBut(jane.arn) }],
  ['for a key that is not there', 'ERR_KEY_NOT_FOUND', { clientKeys: generating(UNKNOWN) }],
  [
    'when the key service says nothing',
    'ERR_KEY_SERVICE',
    { clientKeys: (keys) => ({ ...keys, generateDataKey: () => new Promise(() => {}) }) },
  ],
  ['with a data key cut short', 'ERR_ENCRYPTION_KEY', { clientKeys: keyed((key) => key.slice(0, 63)) }],
  ['with the halves of the data key swapped', 'ERR_ENCRYPTION_HALVES', { clientKeys: keyed(swapped) }],
  ['with a truncated challenge', 'ERR_ENCRYPTION_CHALLENGE', changing('agent', truncatedChallenge)],
  ['with a flipped bit in a payload', 'ERR_ENCRYPTION_PAYLOAD', changing('agent', flipped)],
  ['with a payload in the clear', 'ERR_ENCRYPTION_PAYLOAD', changing('agent', inTheClear)],
  ['with a replayed payload', 'ERR_ENCRYPTION_REPLAY', replaying('agent')],
];

/** The agent ends the session. */
export const AGENT_FAILURES: readonly Failure[] = [
  ['that may not use the key', 'ERR_KEY_ACCESS_DENIED', { keyPolicy: allBut(node.arn) }],
  [
    'with a data key under another KMS key',
    'ERR_KEY_MISMATCH',
    {
      clientKeys: (keys, { local }) => ({
        ...keys,
        async generateDataKey(_, context) {
          const { arn } = await local.createKey();
          return keys.generateDataKey(arn, context);
        },
      }),
    },
  ],
  [
    'with a data key of another encryption context',
    'ERR_KEY_CIPHERTEXT',
    {
      clientKeys: (keys) => ({
        ...keys,
        generateDataKey: (keyId, context) =>
          keys.generateDataKey(keyId, { ...context, 'aws:ssm:TargetId': 'mi-0fedcba9876543210' }),
      }),
    },
  ],
  ['with a truncated challenge', 'ERR_ENCRYPTION_CHALLENGE', changing('client', truncatedChallenge)],
  ['with a flipped bit in a payload', 'ERR_ENCRYPTION_PAYLOAD', changing('client', flipped)],
  ['with a payload in the clear', 'ERR_ENCRYPTION_PAYLOAD', changing('client', inTheClear)],
  ['with a replayed payload', 'ERR_ENCRYPTION_REPLAY', replaying('client')],
  ['when the client cannot encrypt', 'ERR_ENCRYPTION_REFUSED', { clientKeys: () => undefined }],
  [
    'of a client without its challenge',
    'ERR_ENCRYPTION_NO_CHALLENGE',
    changing('client', unchallenged, true),
  ],
];

export interface Attempt {
  readonly end: SessionEnd | undefined;
  readonly outcome: SessionOutcome;
  readonly stdout: string;
  readonly stderr: string;
  readonly sessionId: string;
}

type Change = (message: AgentMessage) => Uint8Array | undefined;

/** Says hello, and repeats what it hears. */
async function echo(session: AgentSession) {
  await session.write(Buffer.from('hello '));
  for await (const bytes of session.input) await session.write(bytes);
  return {};
}

export interface AttemptOptions extends Partial<EncryptedWorldOptions> {
  readonly start?: { readonly requireEncryption: boolean };
  /** Is shown everything before anything is said. */
  readonly watch?: (world: EncryptedWorld, session: Session) => void;
}

/** A session in which the client types twice, and what became of it at both ends. */
export async function attempt({ start, watch, ...options }: AttemptOptions): Promise<Attempt> {
  const world = await encryptedWorld({ handlers: { Standard_Stream: echo }, ...options });
  const session = await world.start(start);
  watch?.(world, session);
  const [stdout, stderr] = [textOf(session.stdout), textOf(session.stderr)];
  const writer = session.stdin.getWriter();
  writer.closed.catch(() => {});
  for (const text of ['first ', 'second ']) {
    writer.write(Buffer.from(text)).catch(() => {});
    await world.clock.advance(1000);
  }
  await world.clock.advance(20_000);
  const end = session.state === 'ended' ? await session.ended : undefined;
  void session.terminate();
  await world.clock.advance(20_000);
  const { sessionId } = session;
  return { end, outcome: world.outcomes[0]!, stdout: await stdout, stderr: await stderr, sessionId };
}

async function textOf(stream: Session['stdout']): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += Buffer.from(chunk).toString();
  return text;
}

export function allBut(arn: string): KeyPolicy {
  return ({ principal }) =>
    principal.arn === arn
      ? { effect: 'ExplicitDeny', policyType: 'resource-based policy' }
      : { effect: 'Allow' };
}

function generating(keyId: string) {
  return (keys: KeyService): KeyService => ({
    ...keys,
    generateDataKey: (_, context) => keys.generateDataKey(keyId, context),
  });
}

function keyed(change: (key: Uint8Array) => Uint8Array) {
  return (keys: KeyService): KeyService => ({
    ...keys,
    async generateDataKey(keyId, context) {
      const { plaintext, ciphertext } = await keys.generateDataKey(keyId, context);
      return { plaintext: change(plaintext), ciphertext };
    },
  });
}

function swapped(key: Uint8Array): Uint8Array {
  return new Uint8Array([...key.subarray(32), ...key.subarray(0, 32)]);
}

/** What the service makes of the messages of one end, the digest put right. */
export function changing(
  who: Sender,
  change: Change,
  requireKmsChallenge = false,
): Partial<EncryptedWorldOptions> {
  return {
    agent: { requireKmsChallenge },
    change(frame, from) {
      const payload = from === who ? change(decodeMessage(frame, sha256Digest)) : undefined;
      return [payload ? withPayload(frame, payload) : frame];
    },
  };
}

function withPayload(
  frame: Uint8Array,
  payload: Uint8Array,
  changes: Partial<MessageFields> = {},
): Uint8Array {
  const { messageType, messageId, createdDate, sequenceNumber, flags, payloadType } = decodeMessage(
    frame,
    sha256Digest,
  );
  const message = { messageType, messageId: messageId!, createdDate, sequenceNumber, flags, payloadType };
  return encodeMessage({ ...message, payload, ...changes }, sha256Digest);
}

function flipped({ payloadType, payload }: AgentMessage): Uint8Array | undefined {
  if (payloadType !== PayloadType.Output) return undefined;
  const changed = new Uint8Array(payload);
  changed[14]! ^= 1;
  return changed;
}

function inTheClear({ payloadType }: AgentMessage): Uint8Array | undefined {
  return payloadType === PayloadType.Output ? Buffer.from('hello ') : undefined;
}

function truncatedChallenge({ payloadType, payload }: AgentMessage): Uint8Array | undefined {
  if (payloadType !== PayloadType.EncChallengeRequest && payloadType !== PayloadType.EncChallengeResponse)
    return undefined;
  const { Challenge } = JSON.parse(Buffer.from(payload).toString());
  const cut = Buffer.from(Challenge, 'base64').subarray(0, -1).toString('base64');
  return Buffer.from(JSON.stringify({ Challenge: cut }));
}

function unchallenged({ payloadType, payload }: AgentMessage): Uint8Array | undefined {
  if (payloadType !== PayloadType.HandshakeResponse) return undefined;
  return Buffer.from(Buffer.from(payload).toString().replace(',"ChallengeAcknowledgement":true', ''));
}

export function withoutEncryption({ payloadType, payload }: AgentMessage): Uint8Array | undefined {
  if (payloadType !== PayloadType.HandshakeRequest && payloadType !== PayloadType.HandshakeResponse)
    return undefined;
  const json = JSON.parse(Buffer.from(payload).toString());
  for (const list of ['RequestedClientActions', 'ProcessedClientActions']) json[list]?.splice(1);
  return Buffer.from(JSON.stringify(json));
}

/** The second payload with data is the first once more, as a message of its own. */
function replaying(who: Sender): Partial<EncryptedWorldOptions> {
  let first: Uint8Array | undefined;
  return {
    change(frame, from) {
      const { payloadType, payload } = decodeMessage(frame, sha256Digest);
      if (from !== who || payloadType !== PayloadType.Output) return [frame];
      first ??= payload;
      return [withPayload(frame, first)];
    },
  };
}

/** Puts a message of its own behind one of the agent's, and moves the others up. */
export function inserting(behind: number, payloadType: number = PayloadType.Output) {
  let inserted = 0;
  return (frame: Uint8Array, from: Sender): readonly Uint8Array[] => {
    if (from !== 'agent') return [frame];
    const message = decodeMessage(frame, sha256Digest);
    if (message.messageType !== 'output_stream_data') return [frame];
    const sequenceNumber = message.sequenceNumber + inserted;
    const moved = withPayload(frame, message.payload, { sequenceNumber });
    if (message.payloadType !== behind || inserted > 0) return [moved];
    inserted = 1;
    const changes = {
      sequenceNumber: sequenceNumber + 1,
      payloadType,
      messageId: '11111111-2222-4333-8444-555555555555',
      flags: 0,
    };
    return [moved, withPayload(frame, Buffer.from('injected'), changes)];
  };
}
