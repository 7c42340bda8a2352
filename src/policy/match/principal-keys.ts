import type { Principal } from '../authorization.ts';
import { isAnonymous, principalKind, roleArnOf } from '../principal.ts';
import { type ContextValue, merged } from './context-value.ts';
import { foldAscii } from './fold.ts';

export type PrincipalKey = (principal: Principal) => ContextValue | undefined;

/** @param folded the name in lower case; @returns undefined for keys that do not follow from the principal */
export function principalKey(folded: string): PrincipalKey | undefined {
  if (!folded.startsWith(TAG_PREFIX)) return KEYS.get(folded)?.value;
  const tag = folded.slice(TAG_PREFIX.length);
  return ({ tags }) => (tags === undefined ? undefined : tagValue(tags, tag));
}

/**
 * The global context keys that follow from a principal (POLICY.md section 6), as the engine sees them: `aws:PrincipalArn`,
 * `aws:PrincipalAccount`, `aws:PrincipalType`, `aws:userid`, `aws:username` and `aws:PrincipalTag/…`. For display and
 * for conditions of one's own; `evaluate` derives them itself.
 */
export function principalContext(principal: Principal): ReadonlyMap<string, string> {
  const context = new Map<string, string>();
  for (const { name, value } of KEYS.values()) {
    const found = value(principal);
    if (found !== undefined) context.set(name, found);
  }
  for (const [tag, value] of principal.tags ?? []) context.set(`aws:PrincipalTag/${tag}`, value);
  return context;
}

const TAG_PREFIX = 'aws:principaltag/';

const KEYS: ReadonlyMap<string, { name: string; value: (principal: Principal) => string | undefined }> =
  new Map(
    (
      [
        // Of the session of a role: the role. Nobody has signed for anonymous callers.
        [
          'aws:PrincipalArn',
          (principal) => (isAnonymous(principal) ? undefined : (roleArnOf(principal) ?? principal.arn)),
        ],
        ['aws:PrincipalAccount', ({ accountId }) => (accountId === '' ? undefined : accountId)],
        ['aws:PrincipalType', principalKind],
        ['aws:userid', ({ userId }) => userId],
        ['aws:username', userName],
      ] satisfies [string, (principal: Principal) => string | undefined][]
    ).map(([name, value]) => [foldAscii(name), { name, value }]),
  );

/** IAM users only: the session of a role has none, whatever the record says (POLICY.md section 6). */
function userName(principal: Principal): string | undefined {
  if (principalKind(principal) !== 'User') return undefined;
  return principal.userName ?? principal.arn.slice(principal.arn.lastIndexOf('/') + 1);
}

function tagValue(tags: ReadonlyMap<string, string>, folded: string): ContextValue | undefined {
  let value: ContextValue | undefined;
  for (const [key, text] of tags) {
    if (key.length === folded.length && foldAscii(key) === folded) value = merged(value, text);
  }
  return value;
}
