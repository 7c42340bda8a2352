import { sha256Digest } from '../../crypto/digest.ts';
import { sha256Text } from '../token.ts';

/** AWS would know the unique id; of a principal that is only a name, one that is always the same does. */
export function uniqueId(prefix: 'AIDA' | 'AROA', arn: string): string {
  return prefix + sha256Text(arn, sha256Digest).slice(0, 17).toUpperCase();
}
