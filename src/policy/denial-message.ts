import type { AuthorizationRequest, Denial } from './authorization.ts';

/**
 * The text of an `AccessDeniedException`, in the words of AWS (CONTROL-PLANE.md section 1.4). It names what
 * was asked and the kind of policy that decided, nothing of the policy's content.
 */
export function denialMessage({ principal, action, resource }: AuthorizationRequest, denial: Denial): string {
  const { effect, policyType } = denial;
  const article = /^[aeiou]/.test(policyType) ? 'an' : 'a';
  const reason =
    effect === 'ExplicitDeny'
      ? `with an explicit deny in ${article} ${policyType}`
      : `because no ${policyType} allows the ${action} action`;
  return `User: ${principal.arn} is not authorized to perform: ${action} on resource: ${resource} ${reason}`;
}
