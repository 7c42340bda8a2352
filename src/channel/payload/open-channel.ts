import { MessageError } from '../error.ts';
import { asObject, type JsonObject, own, readString } from './json.ts';

/**
 * The TEXT frames that open a channel (PROTOCOL.md section 5). Not AgentMessages: plain JSON, sent once, first,
 * with no reply.
 */
export interface OpenDataChannel {
  readonly requestId: string;
  readonly tokenValue: string;
  /** The client's own id, kept across resumes; empty from agents. */
  readonly clientId: string;
  /** Only from clients. */
  readonly clientVersion?: string;
  /** Only from agents: the managed node. */
  readonly clientInstanceId?: string;
}

export interface OpenControlChannel {
  readonly requestId: string;
  readonly tokenValue: string;
  readonly agentVersion: string;
  readonly platformType: string;
}

/** @throws {MessageError} */
export function parseOpenDataChannel(text: string): OpenDataChannel {
  const json = read(text, 'the message that opens a data channel');
  return {
    requestId: optional(json, 'RequestId') ?? '',
    tokenValue: readString(json, 'TokenValue', 'the message that opens a data channel'),
    clientId: optional(json, 'ClientId') ?? '',
    ...optionalMember('clientVersion', optional(json, 'ClientVersion')),
    ...optionalMember('clientInstanceId', optional(json, 'ClientInstanceId')),
  };
}

export function formatOpenDataChannel(open: OpenDataChannel): string {
  return JSON.stringify({
    MessageSchemaVersion: '1.0',
    RequestId: open.requestId,
    TokenValue: open.tokenValue,
    ClientInstanceId: open.clientInstanceId,
    ClientId: open.clientId,
    ClientVersion: open.clientVersion,
  });
}

/** @throws {MessageError} */
export function parseOpenControlChannel(text: string): OpenControlChannel {
  const json = read(text, 'the message that opens a control channel');
  return {
    requestId: optional(json, 'RequestId') ?? '',
    tokenValue: readString(json, 'TokenValue', 'the message that opens a control channel'),
    agentVersion: optional(json, 'AgentVersion') ?? '',
    platformType: optional(json, 'PlatformType') ?? '',
  };
}

export function formatOpenControlChannel(open: OpenControlChannel): string {
  return JSON.stringify({
    Cookie: null,
    MessageSchemaVersion: '1.0',
    RequestId: open.requestId,
    TokenValue: open.tokenValue,
    AgentVersion: open.agentVersion,
    PlatformType: open.platformType,
  });
}

function read(text: string, what: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // No cause: the parser's message quotes the text, and the text holds a token.
    throw new MessageError('ERR_MESSAGE_PAYLOAD', `Expected ${what} to be JSON.`);
  }
  return asObject(value, what);
}

function optional(json: JsonObject, member: string): string | undefined {
  const value = own(json, member);
  return typeof value === 'string' ? value : undefined;
}

function optionalMember<K extends string>(key: K, value: string | undefined): Partial<Record<K, string>> {
  return value === undefined ? {} : ({ [key]: value } as Record<K, string>);
}
