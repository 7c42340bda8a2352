import { readJson, readOptionalString, readString, writeJson } from './json.ts';

/** `Connected` once the data channel is open, `Terminating` when a shell ends (PROTOCOL.md section 5, life cycle). */
export type AgentSessionState = 'Connected' | 'Terminating';

/** Payload of `agent_session_state`: agent to service, on the data channel. */
export interface SessionState {
  readonly sessionState: string;
  readonly sessionId: string;
}

/** @throws {MessageError} */
export function parseSessionState(payload: Uint8Array): SessionState {
  const json = readJson(payload, 'agent_session_state');
  return {
    sessionState: readString(json, 'SessionState', 'agent_session_state'),
    sessionId: readOptionalString(json, 'SessionId', 'agent_session_state'),
  };
}

export function formatSessionState({ sessionState, sessionId }: SessionState): Uint8Array {
  return writeJson({ SchemaVersion: 1, SessionState: sessionState, SessionId: sessionId });
}
