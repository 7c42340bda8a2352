import type { AuthorizationRequest, Authorizer, Principal } from './authorization.ts';
import { evaluate } from './evaluate.ts';
import { type Policies, withGrant } from './policies.ts';

/**
 * Finds the policies for a request: those of the principal, and those of the resource where it has any. Asked at each
 * call, so that a change takes effect with the next one; keep what `parsePolicy` has made.
 */
export type PoliciesFor = (
  principal: Principal,
  request: AuthorizationRequest,
) => Policies | Promise<Policies>;

/** An {@link Authorizer} that decides by policies. What `policiesFor` throws refuses the request. */
export function policyAuthorizer(policiesFor: PoliciesFor): Authorizer {
  return (request) => {
    const policies = policiesFor(request.principal, request);
    return policies instanceof Promise
      ? policies.then((found) => evaluate(withGrant(found, request), request))
      : evaluate(withGrant(policies, request), request);
  };
}
