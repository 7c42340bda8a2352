/**
 * Whether two byte strings are equal, in a time that depends on their lengths alone: every byte is looked at,
 * wherever the first difference is. For signatures and tokens.
 */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!;
  return difference === 0;
}
