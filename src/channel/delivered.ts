import { PayloadType } from './constants.ts';
import type { ChannelEvent } from './events.ts';
import { unexpected } from './handshake.ts';
import { parseExitCode, parseFlag, parseSize } from './payload/terminal.ts';

/** What a stream message tells a client, outside the handshake. @throws {MessageError} */
export function deliveredToClient(payloadType: number, payload: Uint8Array): ChannelEvent {
  switch (payloadType) {
    case PayloadType.Output:
    case PayloadType.StdErr:
    case PayloadType.Error:
      return { type: 'data', payloadType, payload };
    case PayloadType.Flag:
      return { type: 'flag', flag: parseFlag(payload) };
    case PayloadType.ExitCode:
      return { type: 'exitCode', exitCode: parseExitCode(payload) };
    default:
      throw unexpected(`payload type ${payloadType}`);
  }
}

/** The same for an agent. @throws {MessageError} */
export function deliveredToAgent(payloadType: number, payload: Uint8Array): ChannelEvent {
  switch (payloadType) {
    case PayloadType.Output:
      return { type: 'data', payloadType, payload };
    case PayloadType.Size:
      return { type: 'size', size: parseSize(payload) };
    case PayloadType.Flag:
      return { type: 'flag', flag: parseFlag(payload) };
    default:
      throw unexpected(`payload type ${payloadType}`);
  }
}
