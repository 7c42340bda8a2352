import { fromUtf8, utf8 } from '../../base/encoding.ts';

/** Why a stream was reset. */
export interface SmuxReset {
  /** For programs, for example `ECONNREFUSED`. At most 64 characters. */
  readonly code: string;
  /** For people. At most 256 characters. */
  readonly message: string;
}

const MAX_CODE = 64;
const MAX_MESSAGE = 256;

/** Bytes: braces and names, and six bytes of JSON for each character at the most. */
export const MAX_RESET_PAYLOAD = 24 + 6 * (MAX_CODE + MAX_MESSAGE);

export function formatReset({ code, message }: SmuxReset): Uint8Array {
  return utf8(JSON.stringify(shortened(code, message)));
}

/** @returns nothing for what is no reason: the stream is over all the same */
export function parseReset(payload: Uint8Array): SmuxReset | undefined {
  try {
    const { code, message } = JSON.parse(fromUtf8(payload)) as Record<string, unknown>;
    return typeof code === 'string' && typeof message === 'string' ? shortened(code, message) : undefined;
  } catch {
    return undefined;
  }
}

function shortened(code: string, message: string): SmuxReset {
  return { code: code.slice(0, MAX_CODE), message: message.slice(0, MAX_MESSAGE) };
}
