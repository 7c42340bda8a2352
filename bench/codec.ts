import * as crypto from 'node:crypto';
import { decodeMessage, encodeMessage, frameLength, MessageType } from 'hawser/channel';
import { defaultPlatform } from '../src/core/runtime.ts';
import { contest, type FigureSource, rate } from './measure.ts';

/** The codec beside the one thing it cannot do without: SHA-256 of each payload, by the fastest call Node.js has. */
export const codecFigures: FigureSource[] = [1_024, 65_536].flatMap((size) => {
  const label = size === 1_024 ? '1KB' : '64KB';
  const { digest } = defaultPlatform();
  const payload = crypto.randomBytes(size);
  const messageId = crypto.randomUUID();
  const createdDate = Date.now();
  const encode = (sequenceNumber: number, target?: Uint8Array) =>
    encodeMessage(
      {
        messageType: MessageType.InputStreamData,
        messageId,
        createdDate,
        sequenceNumber,
        payloadType: 1,
        payload,
      },
      digest,
      target,
    );
  // As the channel does it: frames are written into memory that is there, not allocated one by one.
  const memory = Buffer.alloc(frameLength(size));
  const frame = Buffer.from(encode(0));
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
          ours: () => rate((sequenceNumber) => encode(sequenceNumber, memory)),
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
