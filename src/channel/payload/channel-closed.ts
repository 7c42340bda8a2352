import { own, readJson, readOptionalString, writeJson } from './json.ts';

/**
 * Payload of `channel_closed`: the session is over (PROTOCOL.md section 5, life cycle and Cancel).
 *
 * `exitCode` and `endReason` are hawser's own members, `ExitCode` and `EndReason` on the wire; AWS's programs
 * ignore them and never send them.
 */
export interface ChannelClosed {
  readonly messageId: string;
  /** The managed node. */
  readonly destinationId: string;
  readonly sessionId: string;
  /** ISO 8601. */
  readonly createdDate: string;
  /** For people: what the agent said, or why the service ended the session. Empty for a plain end. */
  readonly output: string;
  readonly exitCode?: number;
  readonly endReason?: string;
}

/** @throws {MessageError} */
export function parseChannelClosed(payload: Uint8Array): ChannelClosed {
  const json = readJson(payload, 'channel_closed');
  const exitCode = own(json, 'ExitCode');
  const endReason = own(json, 'EndReason');
  return {
    messageId: readOptionalString(json, 'MessageId', 'channel_closed'),
    destinationId: readOptionalString(json, 'DestinationId', 'channel_closed'),
    sessionId: readOptionalString(json, 'SessionId', 'channel_closed'),
    createdDate: readOptionalString(json, 'CreatedDate', 'channel_closed'),
    output: readOptionalString(json, 'Output', 'channel_closed'),
    ...(Number.isSafeInteger(exitCode) && { exitCode: exitCode as number }),
    ...(typeof endReason === 'string' && { endReason }),
  };
}

export function formatChannelClosed(closed: ChannelClosed): Uint8Array {
  return writeJson({
    MessageType: 'channel_closed',
    MessageId: closed.messageId,
    DestinationId: closed.destinationId,
    SessionId: closed.sessionId,
    SchemaVersion: 1,
    CreatedDate: closed.createdDate,
    Output: closed.output,
    ExitCode: closed.exitCode,
    EndReason: closed.endReason,
  });
}
