import { utf8 } from '../../base/encoding.ts';
import { readInteger, readJson, readOptionalString } from './json.ts';

/** Payload of `acknowledge`: one message is acknowledged, not all before it (PROTOCOL.md section 2). */
export interface Acknowledge {
  readonly messageType: string;
  readonly messageId: string;
  /** What both real programs match by. */
  readonly sequenceNumber: number;
}

/** @throws {MessageError} */
export function parseAcknowledge(payload: Uint8Array): Acknowledge {
  const json = readJson(payload, 'acknowledge');
  return {
    messageType: readOptionalString(json, 'AcknowledgedMessageType', 'acknowledge'),
    messageId: readOptionalString(json, 'AcknowledgedMessageId', 'acknowledge'),
    sequenceNumber: readInteger(json, 'AcknowledgedMessageSequenceNumber', 'acknowledge'),
  };
}

/** Written by hand, in the members' order of the real programs: there is one for every message received. */
export function formatAcknowledge({ messageType, messageId, sequenceNumber }: Acknowledge): Uint8Array {
  return utf8(
    `{"AcknowledgedMessageType":"${messageType}","AcknowledgedMessageId":"${messageId}","AcknowledgedMessageSequenceNumber":${sequenceNumber},"IsSequentialMessage":true}`,
  );
}
