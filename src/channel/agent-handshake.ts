import { base64 } from '../base/encoding.ts';
import { HawserError } from '../base/error.ts';
import { equalBytes } from '../crypto/equal.ts';
import type { EncryptionContext } from '../crypto/kms/key-service.ts';
import { AGENT_VERSION, PayloadType } from './constants.ts';
import { encryptionContext } from './encryption/context.ts';
import { EncryptionError, inContext } from './encryption/error.ts';
import {
  CHALLENGE_LENGTH,
  type Handshake,
  type HandshakeParts,
  noKeyService,
  spoiltChallenge,
  startEncryption,
  unexpected,
} from './handshake.ts';
import {
  formatEncryptionChallenge,
  kmsEncryptionRequest,
  parseEncryptionChallenge,
  parseKmsEncryptionResponse,
} from './payload/encryption.ts';
import {
  ActionStatus,
  agreedExtensions,
  type ClientAction,
  ClientActionType,
  formatHandshakeComplete,
  formatHandshakeRequest,
  type HandshakeExtensions,
  type HandshakeResponse,
  type ProcessedClientAction,
  parseHandshakeResponse,
  type SessionTypeParameters,
} from './payload/handshake.ts';

/** What may be beside the plain handshake of a session. */
export interface AgentHandshakeOptions {
  /** What the agent can do in this session beyond what AWS's can. Default nothing. */
  readonly extensions?: HandshakeExtensions | undefined;
  /** Default: a session in the clear. */
  readonly encryption?: SessionEncryption | undefined;
}

export interface SessionEncryption {
  /** `kmsKeyId` of the session document. */
  readonly keyId: string;
  /** A client that does not put the agent's challenge into the encryption context is refused. Default false. */
  readonly requireChallenge?: boolean | undefined;
}

/** The agent's half: it asks and waits 15 s, has the data key decrypted, challenges and waits 15 s, and completes. */
export class AgentHandshake implements Handshake {
  readonly #parts: HandshakeParts;
  readonly #session: SessionTypeParameters;
  readonly #asked: AgentHandshakeOptions;
  readonly #startedAt: number;
  readonly #randomChallenge: string | undefined;
  #response: HandshakeResponse | undefined;
  #context: EncryptionContext = {};
  #waitsForKey = false;
  #challenge: Uint8Array | undefined;
  /** Whether something came back for it, which may still be being decrypted. */
  #answered = false;

  readonly begun = true;
  deadline: number | undefined;

  constructor(
    parts: HandshakeParts,
    session: SessionTypeParameters,
    asked: AgentHandshakeOptions,
    now: number,
  ) {
    this.#parts = parts;
    this.#session = session;
    this.#asked = asked;
    this.#startedAt = now;
    this.deadline = now + TIMEOUT;
    this.#randomChallenge = this.#drawChallenge();
    const request = formatHandshakeRequest({
      agentVersion: AGENT_VERSION,
      requestedClientActions: this.#actions(),
      ...(asked.extensions && { extensions: asked.extensions }),
    });
    parts.queue.pushHandshake(PayloadType.HandshakeRequest, request);
  }

  get encrypts(): boolean {
    return this.#asked.encryption !== undefined;
  }

  handleTimeout(now: number): void {
    if (this.deadline === undefined || now < this.deadline) return;
    this.deadline = undefined;
    const what = this.#challenge ? NO_CHALLENGE : NO_RESPONSE;
    this.#abandon(new HawserError('ERR_HANDSHAKE_TIMEOUT', `${FAILED} ${what}`));
  }

  handlePayload(payloadType: number, payload: Uint8Array, now: number): boolean {
    switch (payloadType) {
      case PayloadType.HandshakeResponse:
        if (this.#response) throw unexpected('HandshakeResponse');
        this.#handleResponse(parseHandshakeResponse(payload), now);
        return true;
      case PayloadType.EncChallengeResponse:
        if (!this.#challenge || this.#answered) throw unexpected('EncChallengeResponse');
        this.#handleChallenge(this.#challenge, parseEncryptionChallenge(payload), now);
        return true;
      default:
        return false;
    }
  }

  handleDataKey({ plaintext }: { readonly plaintext: Uint8Array }, now: number): void {
    if (!this.#waitsForKey) return;
    try {
      startEncryption(this.#parts, plaintext);
      this.#waitsForKey = false;
      this.#sendChallenge(now);
    } catch (error) {
      this.handleDataKeyError(error as Error);
    }
  }

  handleDataKeyError(error: Error): void {
    if (!this.#waitsForKey) return;
    this.#waitsForKey = false;
    this.#fail(error);
  }

  #drawChallenge(): string | undefined {
    const { encryption } = this.#parts.options;
    if (!this.encrypts) return undefined;
    if (!encryption) throw noKeyService('agent');
    return base64(encryption.randomBytes(RANDOM_CHALLENGE_LENGTH));
  }

  #actions(): ClientAction[] {
    const { sessionType, properties } = this.#session;
    const { encryption } = this.#asked;
    const typeAction: ClientAction = {
      actionType: ClientActionType.SessionType,
      actionParameters: { SessionType: sessionType, Properties: properties },
    };
    if (!encryption) return [typeAction];
    const kmsEncryption: ClientAction = {
      actionType: ClientActionType.KMSEncryption,
      actionParameters: kmsEncryptionRequest({ keyId: encryption.keyId, challenge: this.#randomChallenge }),
    };
    return [typeAction, kmsEncryption];
  }

  #handleResponse(response: HandshakeResponse, now: number): void {
    this.#response = response;
    this.deadline = undefined;
    if (actionOf(response, ClientActionType.SessionType)?.actionStatus !== ActionStatus.Success) {
      const { sessionType } = this.#session;
      this.#abandon(
        new HawserError(
          'ERR_HANDSHAKE_ACTION',
          `The client did not accept a session of type ${sessionType}.`,
        ),
      );
    } else if (this.#asked.encryption) this.#readDataKey(response, this.#asked.encryption);
    else this.#complete(now);
  }

  #readDataKey(response: HandshakeResponse, { keyId, requireChallenge }: SessionEncryption): void {
    const { sessionId, encryption } = this.#parts.options;
    const targetId = encryption?.targetId ?? '';
    this.#context = encryptionContext(sessionId, targetId, undefined);
    const action = actionOf(response, ClientActionType.KMSEncryption);
    const done = action?.actionStatus === ActionStatus.Success;
    const result = done ? parseKmsEncryptionResponse(action.actionResult) : undefined;
    if (!done) this.#fail(refused(action));
    else if (!result) this.#fail(noDataKey());
    else if (requireChallenge && !result.challengeAcknowledgement) this.#fail(notInContext());
    else {
      if (result.challengeAcknowledgement)
        this.#context = encryptionContext(sessionId, targetId, this.#randomChallenge);
      this.#waitsForKey = true;
      const { ciphertextKey: ciphertext } = result;
      this.#parts.request({ type: 'decryptDataKey', keyId, context: this.#context, ciphertext });
    }
  }

  #sendChallenge(now: number): void {
    const { options, stage, queue } = this.#parts;
    const challenge = options.encryption!.randomBytes(CHALLENGE_LENGTH);
    this.#challenge = challenge;
    this.deadline = now + TIMEOUT;
    stage.seal(challenge, (sealed) =>
      queue.pushHandshake(PayloadType.EncChallengeRequest, formatEncryptionChallenge(sealed)),
    );
  }

  #handleChallenge(challenge: Uint8Array, returned: Uint8Array, now: number): void {
    this.#answered = true;
    this.#parts.stage.open(returned, (result) => {
      if (result instanceof EncryptionError) this.#fail(spoiltChallenge(result));
      else if (!equalBytes(result, challenge)) this.#fail(anotherChallenge());
      else this.#complete(now);
    });
  }

  #complete(now: number): void {
    const { extensions } = this.#asked;
    const customerMessage = this.encrypts ? 'This session is encrypted using AWS KMS.' : '';
    const complete = formatHandshakeComplete({
      handshakeTimeToComplete: Math.round((now - this.#startedAt) * 1_000_000),
      customerMessage,
    });
    this.deadline = undefined;
    this.#challenge?.fill(0);
    this.#challenge = undefined;
    this.#parts.queue.pushHandshake(PayloadType.HandshakeComplete, complete);
    this.#parts.complete({
      type: 'ready',
      handshake: {
        ...this.#session,
        ...agreedExtensions(this.#response?.extensions, extensions),
        encrypted: this.encrypts,
        clientVersion: this.#response?.clientVersion ?? '',
        customerMessage,
      },
    });
  }

  #fail(cause: Error): void {
    const { code, message } = inContext(cause, this.#context);
    this.#abandon(new EncryptionError(code, `${FAILED} ${message}`, { cause }));
  }

  #abandon(error: HawserError): void {
    this.deadline = undefined;
    this.#parts.fail(error);
  }
}

/** Milliseconds, for the response and for the challenge (PROTOCOL.md section 7). */
const TIMEOUT = 15_000;
/** Bytes. */
const RANDOM_CHALLENGE_LENGTH = 16;

/** Texts of the real agent, which users know and search for. */
const FAILED = 'Encountered error while initiating handshake.';
const NO_RESPONSE =
  'Handshake timed out. Please ensure that you have the latest version of the session manager plugin.';
const NO_CHALLENGE = 'Timed out waiting for encryption challenge.';

function actionOf(response: HandshakeResponse, type: string): ProcessedClientAction | undefined {
  return response.processedClientActions.find(({ actionType }) => actionType === type);
}

function refused(action: ProcessedClientAction | undefined): EncryptionError {
  const said = action
    ? `KMSEncryption failed on client with status ${action.actionStatus} error: ${action.error.slice(0, MAX_SAID)}`
    : 'The client has not said whether it can encrypt the session with AWS KMS.';
  return new EncryptionError('ERR_ENCRYPTION_REFUSED', said);
}

/** Characters of a client's error. */
const MAX_SAID = 1_000;

function noDataKey(): EncryptionError {
  return new EncryptionError('ERR_ENCRYPTION_KEY', 'The client sent something that is no data key.');
}

function notInContext(): EncryptionError {
  return new EncryptionError(
    'ERR_ENCRYPTION_NO_CHALLENGE',
    'The client did not put the random challenge of this agent into the encryption context. Update the client, or do not require it.',
  );
}

function anotherChallenge(): EncryptionError {
  return new EncryptionError(
    'ERR_ENCRYPTION_CHALLENGE',
    'Encryption challenge does not match! What the client sent back is not what it was sent.',
  );
}
