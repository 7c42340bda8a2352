import { HawserError } from '../base/error.ts';
import type { DataKey, EncryptionContext } from '../crypto/kms/key-service.ts';
import { CLIENT_VERSION, PayloadType } from './constants.ts';
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
  kmsEncryptionResponse,
  parseEncryptionChallenge,
  parseKmsEncryptionRequest,
} from './payload/encryption.ts';
import {
  ActionStatus,
  agreedExtensions,
  type ClientAction,
  ClientActionType,
  formatHandshakeResponse,
  type HandshakeExtensions,
  type HandshakeRequest,
  type ProcessedClientAction,
  parseHandshakeComplete,
  parseHandshakeRequest,
  parseSessionTypeParameters,
  type SessionTypeParameters,
} from './payload/handshake.ts';

/** The client's half: it does what the agent asks, and says so. */
export class ClientHandshake implements Handshake {
  readonly #parts: HandshakeParts;
  #request: HandshakeRequest | undefined;
  #agreed: HandshakeExtensions = {};
  #session: SessionTypeParameters = { sessionType: 'Standard_Stream', properties: null };
  #encryption: Encryption | undefined;
  /** Whether a data key has been asked for and has not come. */
  #waitsForKey = false;
  /** Whether the agent's challenge has come. */
  #challenged = false;
  /** Whether it was a good one, and has its answer. */
  #answered = false;

  /** The agent watches the time. */
  readonly deadline = undefined;

  constructor(parts: HandshakeParts) {
    this.#parts = parts;
  }

  get begun(): boolean {
    return this.#request !== undefined;
  }

  get encrypts(): boolean {
    return this.#encryption !== undefined;
  }

  handleTimeout(): void {}

  handlePayload(payloadType: number, payload: Uint8Array): boolean {
    switch (payloadType) {
      case PayloadType.HandshakeRequest:
        if (this.begun || this.#parts.isReady()) throw unexpected('HandshakeRequest');
        this.#handleRequest(payload);
        return true;
      case PayloadType.EncChallengeRequest:
        if (!this.encrypts || !this.#completes || this.#challenged) throw unexpected('EncChallengeRequest');
        this.#handleChallenge(parseEncryptionChallenge(payload));
        return true;
      case PayloadType.HandshakeComplete:
        if (!this.#completes) throw unexpected('HandshakeComplete');
        this.#handleComplete(payload);
        return true;
      default:
        return false;
    }
  }

  handleDataKey({ plaintext, ciphertext = new Uint8Array(0) }: Partial<DataKey>): void {
    if (!this.#waitsForKey || !plaintext) return;
    try {
      startEncryption(this.#parts, plaintext);
      this.#waitsForKey = false;
      const challengeAcknowledgement = this.#encryption?.challenge !== undefined;
      const kmsResult = kmsEncryptionResponse({ ciphertextKey: ciphertext, challengeAcknowledgement });
      this.#respond({ kmsResult });
    } catch (error) {
      this.handleDataKeyError(error as Error);
    }
  }

  handleDataKeyError(error: Error): void {
    if (!this.#waitsForKey) return;
    this.#waitsForKey = false;
    this.#refuse({ actionType: ClientActionType.KMSEncryption, error: this.#inContext(error) });
  }

  /** Whether only its completion is missing, on this side. */
  get #completes(): boolean {
    return this.begun && !this.#waitsForKey && !this.#parts.isReady();
  }

  #handleRequest(payload: Uint8Array): void {
    const request = parseHandshakeRequest(payload);
    const failures = request.requestedClientActions.flatMap((action) => this.#read(action) ?? []);
    const { extensions, requireEncryption = false } = this.#parts.options;
    this.#request = request;
    this.#agreed = agreedExtensions(request.extensions, extensions);
    if (!this.#encryption && requireEncryption) {
      failures.push({ actionType: ClientActionType.SessionType, error: notEncrypted() });
    }
    const [failure] = failures;
    if (failure) this.#refuse(failure);
    else if (this.#encryption) this.#requestDataKey(this.#encryption);
    else this.#respond({});
  }

  /** @returns why it cannot be done */
  #read({ actionType, actionParameters }: ClientAction): Failure | undefined {
    switch (actionType) {
      case ClientActionType.SessionType:
        this.#session = parseSessionTypeParameters(actionParameters);
        return undefined;
      case ClientActionType.KMSEncryption: {
        const { sessionId, role, encryption } = this.#parts.options;
        if (!encryption) return { actionType, error: noKeyService(role) };
        if (encryption.targetId === undefined) return { actionType, error: noTarget() };
        const { keyId, challenge } = parseKmsEncryptionRequest(actionParameters);
        const context = encryptionContext(sessionId, encryption.targetId, challenge);
        this.#encryption = { keyId, challenge, context };
        return undefined;
      }
      default:
        return { actionType, error: unknownAction(actionType) };
    }
  }

  #requestDataKey({ keyId, context }: Encryption): void {
    this.#waitsForKey = true;
    this.#parts.request({ type: 'generateDataKey', keyId, context });
  }

  #refuse(failure: Failure): void {
    this.#respond({ failure });
    this.#parts.fail(failure.error);
  }

  #respond({ failure, kmsResult }: { failure?: Failure; kmsResult?: object }): void {
    const process = ({ actionType }: ClientAction): ProcessedClientAction => {
      const isKms = actionType === ClientActionType.KMSEncryption;
      // After another failure no data key has been asked for.
      if (failure && (actionType === failure.actionType || isKms)) return refused(actionType, failure.error);
      const actionResult = isKms ? kmsResult : null;
      return { actionType, actionStatus: ActionStatus.Success, actionResult, error: '' };
    };
    const processedClientActions = (this.#request?.requestedClientActions ?? []).map(process);
    const response = formatHandshakeResponse({
      clientVersion: CLIENT_VERSION,
      processedClientActions,
      errors: processedClientActions.flatMap(({ error }) => error || []),
      extensions: this.#agreed,
    });
    this.#parts.queue.pushHandshake(PayloadType.HandshakeResponse, response);
  }

  /** Decrypts it, and sends it back under this end's own half of the data key. */
  #handleChallenge(challenge: Uint8Array): void {
    this.#challenged = true;
    this.#parts.stage.open(challenge, (result) => {
      if (result instanceof EncryptionError) this.#fail(spoiltChallenge(result));
      else if (result.length !== CHALLENGE_LENGTH) this.#fail(spoiltChallenge());
      else this.#answer(result);
    });
  }

  #answer(challenge: Uint8Array): void {
    const { stage, queue } = this.#parts;
    this.#answered = true;
    stage.seal(challenge, (sealed) =>
      queue.pushHandshake(PayloadType.EncChallengeResponse, formatEncryptionChallenge(sealed)),
    );
  }

  #handleComplete(payload: Uint8Array): void {
    if (this.encrypts && !this.#answered) {
      this.#fail(unchallenged());
      return;
    }
    const { customerMessage } = parseHandshakeComplete(payload);
    this.#parts.complete({
      type: 'ready',
      handshake: {
        ...this.#session,
        ...this.#agreed,
        encrypted: this.encrypts,
        customerMessage,
        agentVersion: this.#request?.agentVersion ?? '',
      },
    });
  }

  #fail(error: EncryptionError): void {
    this.#parts.fail(this.#inContext(error));
  }

  #inContext(error: Error): EncryptionError {
    return inContext(error, this.#encryption?.context ?? {});
  }
}

interface Encryption {
  readonly keyId: string;
  readonly challenge: string | undefined;
  readonly context: EncryptionContext;
}

interface Failure {
  readonly actionType: string;
  readonly error: HawserError;
}

function refused(actionType: string, { code, message }: HawserError): ProcessedClientAction {
  const unsupported = code === 'ERR_HANDSHAKE_ACTION' || code === 'ERR_ENCRYPTION_NO_KEY_SERVICE';
  return {
    actionType,
    actionStatus: unsupported ? ActionStatus.Unsupported : ActionStatus.Failed,
    actionResult: null,
    // The words of the real plugin, which the agent repeats and users search for.
    error: `Failed to process action ${actionType}: ${message}`,
  };
}

function unknownAction(actionType: string): HawserError {
  return new HawserError(
    'ERR_HANDSHAKE_ACTION',
    `The agent asks for the client action ${JSON.stringify(actionType.slice(0, 64))}, which this client does not know.`,
  );
}

/** Also of a shell that speaks without a handshake. */
export function notEncrypted(): EncryptionError {
  return new EncryptionError(
    'ERR_ENCRYPTION_REQUIRED',
    'This client demands an encrypted session, and the agent does not encrypt this one. Set kmsKeyId in the session preferences; port sessions are never encrypted with KMS.',
  );
}

function noTarget(): EncryptionError {
  return new EncryptionError(
    'ERR_ENCRYPTION_NO_TARGET',
    'The session must be encrypted with AWS KMS, and its target is not known here. Whoever attaches to a session must say `target`.',
  );
}

function unchallenged(): EncryptionError {
  return new EncryptionError(
    'ERR_ENCRYPTION_CHALLENGE',
    'The agent went on without its encryption challenge, so it has not shown that it has the data key.',
  );
}
