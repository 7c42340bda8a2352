import type { Principal } from '../authorization.ts';
import { principalKind, roleArnOf } from '../principal.ts';

/**
 * How a principal is named by a resource-based policy, the strongest way that it is (POLICY.md section 5): not at all,
 * through its account, which must allow it in turn, with everybody or by its role, or itself, as a user or a session.
 */
export const Named = { not: 0, account: 1, role: 2, user: 3, session: 4 } as const;
export type Named = (typeof Named)[keyof typeof Named];

/** The principals of one `Principal` or `NotPrincipal`. */
export class PrincipalPattern {
  #everybody = false;
  readonly #accounts = new Set<string>();
  /** ARNs, and names of services. */
  readonly #names = new Set<string>();
  /** Roles by {@link roleKey}. */
  readonly #roles = new Map<string, string[]>();

  /** @returns whether it is a principal of that type */
  add(type: PrincipalType, value: string): boolean {
    if (type !== 'AWS') {
      // A wildcard here would be taken for one and is none.
      if (value === '' || /[*?]/.test(value)) return false;
      this.#names.add(value);
      return true;
    }
    if (value === '*') {
      this.#everybody = true;
      return true;
    }
    const account = ACCOUNT.exec(value);
    if (account) {
      this.#accounts.add(account[1] ?? account[2]!);
      return true;
    }
    const role = ROLE.exec(value);
    if (!role && !USER_OR_SESSION.test(value)) return false;
    this.#names.add(value);
    if (role) {
      const key = roleKey(value);
      this.#roles.set(key, [...(this.#roles.get(key) ?? []), value]);
    }
    return true;
  }

  get isEverybody(): boolean {
    return this.#everybody && this.#accounts.size + this.#names.size === 0;
  }

  /** For `Principal`. */
  names(principal: Principal): Named {
    if (this.#names.has(principal.arn)) {
      const kind = principalKind(principal);
      if (kind === 'User') return Named.user;
      return kind === 'AssumedRole' || kind === 'FederatedUser' ? Named.session : Named.role;
    }
    if (this.#everybody || this.#namesRole(principal)) return Named.role;
    return this.#accounts.has(principal.accountId) ? Named.account : Named.not;
  }

  /**
   * For `NotPrincipal`, which spares a caller only when it lists everything that the caller is: a user and its account; a
   * session, its role and its account.
   */
  spares(principal: Principal): boolean {
    if (this.#everybody) return true;
    if (principal.arn.startsWith('arn:') && !this.#accounts.has(principal.accountId)) return false;
    if (principalKind(principal) === 'Account') return true;
    if (!this.#names.has(principal.arn)) return false;
    return roleArnOf(principal) === undefined || this.#namesRole(principal);
  }

  #namesRole(principal: Principal): boolean {
    if (this.#roles.size === 0) return false;
    const role = roleArnOf(principal);
    if (role === undefined) return false;
    if (principal.roleArn !== undefined) return this.#names.has(role);
    // The ARN of a session does not tell the path of its role.
    return this.#roles.has(roleKey(role));
  }
}

export const PRINCIPAL_TYPES = ['AWS', 'Service', 'Federated', 'CanonicalUser'] as const;
export type PrincipalType = (typeof PRINCIPAL_TYPES)[number];

/** Names are unique in an account, whatever their paths. */
function roleKey(roleArn: string): string {
  return roleArn.slice(0, roleArn.indexOf(':role/')) + roleArn.slice(roleArn.lastIndexOf('/'));
}

const ACCOUNT = /^(?:([0-9]{12})|arn:[a-z0-9-]+:iam::([0-9]{12}):root)$/;
const ROLE = /^arn:[a-z0-9-]+:iam::[0-9]{12}:role\/[^*?]*[^*?/]$/;
const USER_OR_SESSION =
  /^arn:[a-z0-9-]+:(?:iam::[0-9]{12}:user\/[^*?]*[^*?/]|sts::[0-9]{12}:(?:assumed-role\/[^/*?]+|federated-user)\/[^/*?]+)$/;
