import { utf8 } from '../base/encoding.ts';
import type { EncryptionContext } from '../crypto/index.ts';

/** The same bytes for the same names and values, in whatever order they came, and others for all others. */
export function canonicalContext(context: EncryptionContext): Uint8Array {
  const entries = Object.entries(context).sort(([a], [b]) => (a < b ? -1 : 1));
  return utf8(JSON.stringify(entries));
}
