import type { Policy } from './policy.ts';

/** Who calls, as AWS's identity would describe them. Found by the access key that signed the request. */
export interface Principal {
  /**
   * `arn:aws:iam::<account>:user/<name>`, `arn:aws:sts::<account>:assumed-role/<role>/<session name>`,
   * `arn:aws:iam::<account>:root`.
   */
  readonly arn: string;
  /** `aws:userid`: `AIDA…` of a user, `<role id>:<session name>` of a role, the account of the root user. */
  readonly userId: string;
  /** 12 digits. */
  readonly accountId: string;
  /** `aws:username`: IAM users only. The session of a role has none (POLICY.md section 6). */
  readonly userName?: string;
  /** `aws:PrincipalTag/<key>`. */
  readonly tags?: ReadonlyMap<string, string>;
  /** The ARN of the role of a session, needed where the role has a path, which the ARN of the session leaves out. */
  readonly roleArn?: string;
  /** A session of a service-linked role, which service control policies do not reach (POLICY.md section 5). */
  readonly serviceLinked?: boolean;
}

/** One question to the policies: may this principal do this to that? */
export interface AuthorizationRequest {
  readonly principal: Principal;
  /** `ssm:StartSession` */
  readonly action: string;
  /** ARN, or `*` for actions without resources (POLICY.md section 2). */
  readonly resource: string;
  /**
   * Context keys that the service sets for this check, such as `ssm:resourceTag/Env`. Never from the
   * parameters of the caller. What follows from the principal is not repeated here.
   */
  readonly context: ReadonlyMap<string, string | readonly string[]>;
  /**
   * What somebody has allowed the principal for this request, beside its own identity-based policies: as access that was
   * approved for a while. `policyAuthorizer` adds it to those.
   */
  readonly grant?: Policy<'identity'>;
}

/** The answer. Nothing but `Allow` lets a request pass. */
export type Decision = { readonly effect: 'Allow' } | Denial;

export interface Denial {
  /** `ImplicitDeny`: nothing allows it. `ExplicitDeny`: a `Deny` statement matched. */
  readonly effect: 'ImplicitDeny' | 'ExplicitDeny';
  /** The kind of policy that decided. */
  readonly policyType: PolicyType;
}

export type PolicyType =
  | 'identity-based policy'
  | 'resource-based policy'
  | 'permissions boundary'
  | 'session policy'
  | 'service control policy'
  | 'resource control policy'
  | 'VPC endpoint policy';

/**
 * Answers authorization requests. The service asks at each call and keeps no answer, so a change of policy
 * takes effect with the next one. When it throws, the request is refused.
 */
export type Authorizer = (request: AuthorizationRequest) => Decision | Promise<Decision>;

/** Lets every principal whose signature is good do everything. For tests and single-user services. */
export const allowAll: Authorizer = () => ({ effect: 'Allow' });
