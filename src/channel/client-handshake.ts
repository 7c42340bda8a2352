import { HawserError } from '../base/error.ts';
import { CLIENT_VERSION } from './constants.ts';
import type { ReadyEvent } from './events.ts';
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

/** The client's half of the handshake (PROTOCOL.md section 7): it does what the agent asks, and says so. */
export class ClientHandshake {
  readonly #extensions: HandshakeExtensions;
  #request: HandshakeRequest | undefined;
  #agreed: HandshakeExtensions = {};
  #session: SessionTypeParameters = { sessionType: 'Standard_Stream', properties: null };

  /** @param extensions what this client can do beyond what AWS's can */
  constructor(extensions: HandshakeExtensions) {
    this.#extensions = extensions;
  }

  /** Whether the agent has begun one. */
  get requested(): boolean {
    return this.#request !== undefined;
  }

  /**
   * Takes a HandshakeRequest.
   *
   * @returns the HandshakeResponse to send, and an error when the session cannot go on
   * @throws {MessageError} for an unreadable request
   */
  handleRequest(payload: Uint8Array): { readonly response: Uint8Array; readonly error?: HawserError } {
    const request = parseHandshakeRequest(payload);
    const processed = request.requestedClientActions.map((action) => this.#process(action));
    this.#request = request;
    this.#agreed = agreedExtensions(request.extensions, this.#extensions);
    const response = formatHandshakeResponse({
      clientVersion: CLIENT_VERSION,
      processedClientActions: processed,
      errors: [],
      extensions: this.#agreed,
    });
    const failed = processed.find((action) => action.actionStatus !== ActionStatus.Success);
    return failed ? { response, error: new HawserError('ERR_HANDSHAKE_ACTION', failed.error) } : { response };
  }

  /** Takes HandshakeComplete. @throws {MessageError} */
  handleComplete(payload: Uint8Array): ReadyEvent {
    const { customerMessage } = parseHandshakeComplete(payload);
    return {
      type: 'ready',
      handshake: {
        ...this.#session,
        ...this.#agreed,
        customerMessage,
        agentVersion: this.#request?.agentVersion ?? '',
      },
    };
  }

  #process(action: ClientAction): ProcessedClientAction {
    const known = Object.hasOwn(ACTIONS, action.actionType) ? ACTIONS[action.actionType] : undefined;
    if (!known) return unsupported(action);
    this.#session = known(action.actionParameters);
    return {
      actionType: action.actionType,
      actionStatus: ActionStatus.Success,
      actionResult: null,
      error: '',
    };
  }
}

/** What a client can do, by ActionType. Session encryption will stand here. */
const ACTIONS: Readonly<Record<string, (actionParameters: unknown) => SessionTypeParameters>> = {
  [ClientActionType.SessionType]: parseSessionTypeParameters,
};

function unsupported({ actionType }: ClientAction): ProcessedClientAction {
  const error =
    actionType === ClientActionType.KMSEncryption
      ? 'The session must be encrypted with AWS KMS, which this client cannot do: it ends rather than go on in the clear.'
      : `The agent asks for the client action ${JSON.stringify(actionType.slice(0, 64))}, which this client does not know.`;
  return { actionType, actionStatus: ActionStatus.Unsupported, actionResult: null, error };
}
