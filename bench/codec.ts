import * as crypto from 'node:crypto';
import { decodeMessage, encodeMessage, frameLength, MessageType } from 'hawser/channel';
import { defaultPlatform } from '../src/core/runtime.ts';
import { contest, type FigureSource, rate } from './measure.ts';

/** The codec beside the one thing it cannot do without: SHA-256 of each payload, by the fastest call Node.js has. */
export const codecFigures: FigureSource[] = [1_024, 65_536].flatMap((size) => {
  const label = size === 1_024 ? '1KB' : '64KB';
  const { digest } = defaultPlatform();
  const payload = crypto.randomBytes(size);
  const fields = {
    messageType: MessageType.InputStreamData,
    messageId: crypto.randomUUID(),
    createdDate: Date.now(),
    payloadType: 1,
    payload,
  };
  // As the channel does it: frames are written into memory that is there, not allocated one by one.
  const memory = Buffer.alloc(frameLength(size));
  const frame = Buffer.from(encodeMessage(fields, digest));
  const hash = () => rate(() => crypto.hash('sha256', payload, 'buffer'));
  const beside = "crypto.hash('sha256', payload, 'buffer') alone";
  return [
    {
      name: `codec-serialise-${label}`,
      measure: () =>
        contest({
          name: `codec-serialise-${label}`,
          unit: 'frames/s',
          beside,
          ours: () => rate((sequenceNumber) => encodeMessage({ ...fields, sequenceNumber }, digest, memory)),
          yardstick: hash,
        }),
    },
    {
      name: `codec-parse-verify-${label}`,
      measure: () =>
        contest({
          name: `codec-parse-verify-${label}`,
          unit: 'frames/s',
          beside,
          ours: () => rate(() => decodeMessage(frame, digest)),
          yardstick: hash,
        }),
    },
  ];
});
