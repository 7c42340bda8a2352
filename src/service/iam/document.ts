/** A policy: the name of one of {@link IamDocument.policies}, or the policy itself. */
export type PolicySource = string | object;

export type TagDocument = Readonly<Record<string, string>>;

/**
 * Who there is, with which keys, and what they may do: plain JSON, for a file or a database row. It holds secrets. The
 * words are IAM's; names are those of the objects they stand in.
 */
export interface IamDocument {
  /** Managed policies, to be attached by name. */
  readonly policies?: Readonly<Record<string, object>>;
  readonly groups?: Readonly<Record<string, GroupDocument>>;
  readonly users?: Readonly<Record<string, UserDocument>>;
  readonly roles?: Readonly<Record<string, RoleDocument>>;
  readonly federatedUsers?: Readonly<Record<string, FederatedUserDocument>>;
  /** Of the account. Everything is allowed to it but what a service control policy denies. */
  readonly root?: { readonly accessKeys: readonly AccessKeyDocument[] };
  /** By level: organization, units, account. Default: none, and nothing is filtered. */
  readonly serviceControlPolicies?: readonly (readonly PolicySource[])[];
  readonly resourceControlPolicies?: readonly (readonly PolicySource[])[];
}

export interface GroupDocument {
  readonly policies?: readonly PolicySource[];
}

interface Attached {
  /** Begins and ends with `/`. Default `/`. */
  readonly path?: string;
  /** Identity-based. Default none. */
  readonly policies?: readonly PolicySource[];
  /** Permissions boundary. Default none. */
  readonly boundary?: PolicySource;
  /** `aws:PrincipalTag/…`; `SSMSessionRunAs` is the user of the operating system for sessions. */
  readonly tags?: TagDocument;
}

export interface UserDocument extends Attached {
  /** `aws:userid`. Default: one that follows from the ARN, so that it is always the same. */
  readonly userId?: string;
  readonly groups?: readonly string[];
  /** Long-term, or from `GetSessionToken` with a session token and an expiration. */
  readonly accessKeys?: readonly AccessKeyDocument[];
}

export interface RoleDocument extends Attached {
  /** In `aws:userid`, before the name of the session. Default: one that follows from the ARN. */
  readonly roleId?: string;
  /** Service control policies do not reach a service-linked role. Default false. */
  readonly serviceLinked?: boolean;
  readonly sessions?: readonly RoleSessionDocument[];
}

export interface AccessKeyDocument {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of temporary credentials. */
  readonly sessionToken?: string;
  /** ISO 8601. `aws:TokenIssueTime`. */
  readonly issued?: string;
  /** ISO 8601. From then on the key is refused. Default: never. */
  readonly expiration?: string;
  /** `aws:MultiFactorAuthPresent`. Default: unknown. */
  readonly mfaAuthenticated?: boolean;
}

/** What `AssumeRole` gave to somebody: somebody who is nameless but for the name of the session. */
export interface RoleSessionDocument extends AccessKeyDocument {
  readonly name: string;
  /** Session tags; they go before those of the role. */
  readonly tags?: TagDocument;
  /** Session policies: one must allow, whatever the role may. Default: no limit. */
  readonly policies?: readonly PolicySource[];
  /** These are the credentials of this managed node. */
  readonly targetId?: string;
}

/** What `GetFederationToken` gave to somebody. */
export interface FederatedUserDocument {
  /** Name of the user who called it, whose permissions there are at most. */
  readonly by: string;
  /** Session policies: what of those permissions is given on. Default: nothing. */
  readonly policies?: readonly PolicySource[];
  readonly tags?: TagDocument;
  readonly accessKeys?: readonly AccessKeyDocument[];
}
