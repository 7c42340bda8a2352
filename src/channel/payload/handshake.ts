import {
  asArray,
  asObject,
  type JsonObject,
  own,
  readJson,
  readOptionalString,
  readString,
  writeJson,
} from './json.ts';

/** What an agent asks a client to do before a session starts (PROTOCOL.md section 7). */
export const ClientActionType = { SessionType: 'SessionType', KMSEncryption: 'KMSEncryption' } as const;

export const ActionStatus = { Success: 1, Failed: 2, Unsupported: 3 } as const;

export interface ClientAction {
  /** Usually one of `ClientActionType`. */
  readonly actionType: string;
  /** Its form depends on the type. */
  readonly actionParameters: unknown;
}

/**
 * What hawser's ends agree on beyond what AWS's programs know: the member `Hawser` of HandshakeRequest and
 * HandshakeResponse, which those do not look into (PROTOCOL.md section 13).
 */
export interface HandshakeExtensions {
  /** The version of smux; in the request the highest that the agent speaks, in the response the one to use. */
  readonly smux?: number;
  /**
   * The agent sends the exit status of shells as well in an ExitCode payload, which AWS's plugin would print. In
   * encrypted sessions alone: in others the service may see it.
   */
  readonly exitCode?: boolean;
}

export interface HandshakeRequest {
  readonly agentVersion: string;
  readonly extensions?: HandshakeExtensions;
  readonly requestedClientActions: readonly ClientAction[];
}

export interface ProcessedClientAction {
  readonly actionType: string;
  /** Usually one of `ActionStatus`. The real plugin leaves 0 for an action that it does not know. */
  readonly actionStatus: number;
  readonly actionResult: unknown;
  readonly error: string;
}

export interface HandshakeResponse {
  readonly clientVersion: string;
  readonly extensions?: HandshakeExtensions;
  readonly processedClientActions: readonly ProcessedClientAction[];
  readonly errors: readonly string[];
}

export interface HandshakeComplete {
  readonly handshakeTimeToComplete: number;
  /** For people; empty, or for example that the session is encrypted. */
  readonly customerMessage: string;
}

/** Parameters of the `SessionType` action. */
export interface SessionTypeParameters {
  readonly sessionType: string;
  readonly properties: unknown;
}

/** More actions than any agent sends; a longer list is not worth reading. */
const MAX_ACTIONS = 32;

/** @throws {MessageError} */
export function parseHandshakeRequest(payload: Uint8Array): HandshakeRequest {
  const json = readJson(payload, 'HandshakeRequest');
  return {
    agentVersion: readOptionalString(json, 'AgentVersion', 'HandshakeRequest'),
    ...readExtensions(json),
    requestedClientActions: readList(json, 'RequestedClientActions', 'HandshakeRequest').map((entry) => {
      const action = asObject(entry, 'a requested client action');
      return {
        actionType: readString(action, 'ActionType', 'a requested client action'),
        actionParameters: own(action, 'ActionParameters'),
      };
    }),
  };
}

export function formatHandshakeRequest({
  agentVersion,
  requestedClientActions,
  extensions,
}: HandshakeRequest): Uint8Array {
  return writeJson({
    AgentVersion: agentVersion,
    RequestedClientActions: requestedClientActions.map(({ actionType, actionParameters }) => ({
      ActionType: actionType,
      ActionParameters: actionParameters,
    })),
    ...writeExtensions(extensions),
  });
}

/** @throws {MessageError} */
export function parseHandshakeResponse(payload: Uint8Array): HandshakeResponse {
  const json = readJson(payload, 'HandshakeResponse');
  return {
    clientVersion: readOptionalString(json, 'ClientVersion', 'HandshakeResponse'),
    ...readExtensions(json),
    processedClientActions: readList(json, 'ProcessedClientActions', 'HandshakeResponse').map((entry) => {
      const action = asObject(entry, 'a processed client action');
      const status = own(action, 'ActionStatus');
      return {
        actionType: readString(action, 'ActionType', 'a processed client action'),
        actionStatus: typeof status === 'number' ? status : 0,
        actionResult: own(action, 'ActionResult') ?? null,
        error: readOptionalString(action, 'Error', 'a processed client action'),
      };
    }),
    errors: readList(json, 'Errors', 'HandshakeResponse').filter((error) => typeof error === 'string'),
  };
}

export function formatHandshakeResponse(response: HandshakeResponse): Uint8Array {
  return writeJson({
    ClientVersion: response.clientVersion,
    ProcessedClientActions: response.processedClientActions.map((action) => ({
      ActionType: action.actionType,
      ActionStatus: action.actionStatus,
      ActionResult: action.actionResult,
      Error: action.error,
    })),
    Errors: response.errors.length === 0 ? null : response.errors,
    ...writeExtensions(response.extensions),
  });
}

/** @throws {MessageError} */
export function parseHandshakeComplete(payload: Uint8Array): HandshakeComplete {
  const json = readJson(payload, 'HandshakeComplete');
  const time = own(json, 'HandshakeTimeToComplete');
  return {
    handshakeTimeToComplete: typeof time === 'number' ? time : 0,
    customerMessage: readOptionalString(json, 'CustomerMessage', 'HandshakeComplete'),
  };
}

/** @param handshakeTimeToComplete nanoseconds */
export function formatHandshakeComplete({
  handshakeTimeToComplete,
  customerMessage,
}: HandshakeComplete): Uint8Array {
  return writeJson({ HandshakeTimeToComplete: handshakeTimeToComplete, CustomerMessage: customerMessage });
}

/** @throws {MessageError} */
export function parseSessionTypeParameters(actionParameters: unknown): SessionTypeParameters {
  const json = asObject(actionParameters, 'the parameters of SessionType');
  return {
    sessionType: readString(json, 'SessionType', 'the parameters of SessionType'),
    properties: own(json, 'Properties') ?? null,
  };
}

/** What both ends can do. */
export function agreedExtensions(
  theirs: HandshakeExtensions = {},
  ours: HandshakeExtensions = {},
): HandshakeExtensions {
  const smux = theirs.smux && ours.smux && Math.min(theirs.smux, ours.smux);
  return { ...(smux && { smux }), ...(theirs.exitCode && ours.exitCode && { exitCode: true }) };
}

/** What cannot be read is not agreed on. */
function readExtensions(json: JsonObject): { readonly extensions?: HandshakeExtensions } {
  const hawser = own(json, 'Hawser');
  if (typeof hawser !== 'object' || hawser === null) return {};
  const smux = own(hawser as JsonObject, 'Smux');
  const extensions: HandshakeExtensions = {
    ...(Number.isSafeInteger(smux) && (smux as number) > 0 && { smux: smux as number }),
    ...(own(hawser as JsonObject, 'ExitCode') === true && { exitCode: true }),
  };
  return Object.keys(extensions).length > 0 ? { extensions } : {};
}

function writeExtensions({ smux, exitCode }: HandshakeExtensions = {}): JsonObject {
  if (smux === undefined && !exitCode) return {};
  return { Hawser: { ...(smux !== undefined && { Smux: smux }), ...(exitCode && { ExitCode: true }) } };
}

/** Go writes an empty list as null. */
function readList(json: JsonObject, member: string, what: string): readonly unknown[] {
  const value = own(json, member) ?? [];
  return asArray(value, `${member} of ${what}`).slice(0, MAX_ACTIONS);
}
