/** The seam of authorization: what the service asks, and what may answer. */

export type {
  AuthorizationRequest,
  Authorizer,
  Decision,
  Denial,
  PolicyType,
  Principal,
} from './authorization.ts';
export { allowAll } from './authorization.ts';
export { denialMessage } from './denial-message.ts';
