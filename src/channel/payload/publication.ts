import { asObject, own, readJson, writeJson } from './json.ts';

/** What hawser's service adds to `start_publication` (docs/wire.md); AWS's programs do not look into it. */
export interface Publication {
  /** Bytes of payload that the service takes in one message. */
  readonly payloadSize?: number;
}

/** Reads what is there: the content of the message is nothing that a session could depend on. Never throws. */
export function parsePublication(payload: Uint8Array): Publication {
  try {
    const size = own(
      asObject(own(readJson(payload, 'start_publication'), 'Hawser'), 'Hawser'),
      'PayloadSize',
    );
    return typeof size === 'number' && Number.isSafeInteger(size) && size > 0 ? { payloadSize: size } : {};
  } catch {
    return {};
  }
}

export function formatPublication({ payloadSize }: Publication): Uint8Array {
  return writeJson(payloadSize === undefined ? {} : { Hawser: { PayloadSize: payloadSize } });
}
