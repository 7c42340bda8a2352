import { HawserError } from '../base/error.ts';
import { AGENT_VERSION } from './constants.ts';
import type { ReadyEvent } from './events.ts';
import {
  ActionStatus,
  agreedExtensions,
  ClientActionType,
  formatHandshakeComplete,
  formatHandshakeRequest,
  type HandshakeExtensions,
  parseHandshakeResponse,
  type SessionTypeParameters,
} from './payload/handshake.ts';

/** The agent's half of the handshake (PROTOCOL.md section 7): it asks, waits 15 s, and completes. */
export class AgentHandshake {
  readonly #session: SessionTypeParameters;
  readonly #extensions: HandshakeExtensions;
  readonly #startedAt: number;
  /** The HandshakeRequest to send. */
  readonly request: Uint8Array;

  constructor(session: SessionTypeParameters, extensions: HandshakeExtensions, now: number) {
    this.#session = session;
    this.#extensions = extensions;
    this.#startedAt = now;
    const actionParameters = { SessionType: session.sessionType, Properties: session.properties };
    this.request = formatHandshakeRequest({
      agentVersion: AGENT_VERSION,
      requestedClientActions: [{ actionType: ClientActionType.SessionType, actionParameters }],
      extensions,
    });
  }

  get deadline(): number {
    return this.#startedAt + RESPONSE_TIMEOUT;
  }

  /** The text of the real agent, which users know and search for. */
  timedOut(): HawserError {
    return new HawserError(
      'ERR_HANDSHAKE_TIMEOUT',
      'Encountered error while initiating handshake. Handshake timed out. Please ensure that you have the latest version of the session manager plugin.',
    );
  }

  /**
   * Takes the HandshakeResponse.
   *
   * @returns the HandshakeComplete to send and what to tell the driver, or why the session cannot go on
   * @throws {MessageError} for an unreadable response
   */
  handleResponse(
    payload: Uint8Array,
    now: number,
  ): { readonly complete: Uint8Array; readonly ready: ReadyEvent } | HawserError {
    const { clientVersion, processedClientActions, extensions } = parseHandshakeResponse(payload);
    const action = processedClientActions.find(
      ({ actionType }) => actionType === ClientActionType.SessionType,
    );
    if (action?.actionStatus !== ActionStatus.Success) {
      return new HawserError(
        'ERR_HANDSHAKE_ACTION',
        `The client did not accept a session of type ${this.#session.sessionType}.`,
      );
    }
    return {
      complete: formatHandshakeComplete({
        handshakeTimeToComplete: Math.round((now - this.#startedAt) * 1_000_000),
        customerMessage: '',
      }),
      ready: {
        type: 'ready',
        handshake: {
          ...this.#session,
          ...agreedExtensions(extensions, this.#extensions),
          clientVersion,
          customerMessage: '',
        },
      },
    };
  }
}

/** Milliseconds (PROTOCOL.md section 7). */
const RESPONSE_TIMEOUT = 15_000;
