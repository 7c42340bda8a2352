import { HawserError } from '../base/error.ts';
import type { Policy } from '../policy/index.ts';
import type { AccessDecision, AccessRequest, AccessRequestRecord } from './access-request-record.ts';
import {
  accessGrant,
  accessNarrowing,
  accessRequestIdOf,
  newAccessCredentials,
  newAccessRequestId,
} from './access-token.ts';
import { ApiError } from './api-error.ts';
import type { ApprovedAccess, Caller } from './caller.ts';
import type { ServiceContext } from './context.ts';
import type { SessionManagerServiceOptions } from './options.ts';
import { change } from './store.ts';

/** Credentials of a request for access that has been approved. */
export interface AccessToken {
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  /** Milliseconds since the epoch. */
  readonly issued: number;
  readonly expires: number;
  readonly requesterKeyId: string;
  readonly requesterArn: string;
  readonly access: ApprovedAccess;
  readonly narrow: Policy<'session'>;
}

/** Just-in-time access to nodes (CONTROL-PLANE.md section 2.9): every change of a request for access is made here. */
export class AccessRequests {
  readonly #context: ServiceContext;
  readonly #approve: SessionManagerServiceOptions['approveAccess'];

  constructor(context: ServiceContext, approve: SessionManagerServiceOptions['approveAccess']) {
    this.#context = context;
    this.#approve = approve;
  }

  get areTaken(): boolean {
    return this.#approve !== undefined;
  }

  /** @throws {ApiError} `ServiceQuotaExceededException` */
  async start(
    caller: Caller & { readonly accessKeyId: string },
    asked: Pick<AccessRequest, 'reason' | 'targets' | 'tags'>,
  ): Promise<string> {
    const { store, random, timers } = this.#context;
    await this.#makeRoom();
    const accessRequestId = newAccessRequestId(random);
    const created = this.#now();
    const { principal, accessKeyId, connection } = caller;
    const record: AccessRequestRecord = {
      ...asked,
      accessRequestId,
      requester: { arn: principal.arn, userId: principal.userId, accessKeyId, connection },
      created,
      expires: created + timers.accessRequest,
      status: 'Pending',
    };
    if (!(await store.accessRequests.create(accessRequestId, record)))
      throw new Error(`The id ${accessRequestId} is taken.`);
    this.#emit(record);
    this.#ask(record);
    return accessRequestId;
  }

  /** With the status that it has by now. */
  async get(accessRequestId: string): Promise<AccessRequestRecord | undefined> {
    const record = (await this.#context.store.accessRequests.get(accessRequestId))?.value;
    return record && this.#dated(record);
  }

  /** Credentials of an approved request, the same at each call. */
  async credentials(accessRequestId: string): Promise<AccessRequestRecord['credentials']> {
    const { store, random } = this.#context;
    const made = newAccessCredentials(accessRequestId, this.#now(), random);
    const changed = await change(store.accessRequests, accessRequestId, (record) =>
      record.credentials || this.#dated(record).status !== 'Approved'
        ? undefined
        : { ...record, credentials: made },
    );
    return changed?.after.credentials;
  }

  /**
   * @throws {HawserError} `ERR_UNKNOWN_ACCESS_REQUEST`, `ERR_ACCESS_REQUEST_DECIDED` for one that is not pending, and to
   * revoke, not approved
   */
  async decide(accessRequestId: string, decision: AccessDecision | 'Revoked'): Promise<void> {
    const from = decision === 'Revoked' ? 'Approved' : 'Pending';
    const now = this.#now();
    const changed = await change(this.#context.store.accessRequests, accessRequestId, (record) => {
      if (this.#dated(record).status !== from) return undefined;
      const { credentials: _, ...kept } = record;
      if (decision === 'Revoked') return { ...kept, status: decision };
      const until = decision === 'Approved' ? { accessUntil: now + this.#context.timers.accessToken } : {};
      return { ...record, status: decision, decided: now, ...until };
    });
    if (!changed) {
      throw new HawserError(
        'ERR_UNKNOWN_ACCESS_REQUEST',
        `There is no request for access ${accessRequestId}.`,
      );
    }
    if (changed.after !== changed.before) {
      this.#emit(changed.after);
      return;
    }
    const { status } = this.#dated(changed.after);
    throw new HawserError(
      'ERR_ACCESS_REQUEST_DECIDED',
      `The request for access ${accessRequestId} is ${status}, and was to be ${decision}, which only one that is ${from} can be.`,
    );
  }

  /** @param accessKeyId one of `isAccessTokenKey` */
  async find(accessKeyId: string): Promise<AccessToken | undefined> {
    const record = (await this.#context.store.accessRequests.get(accessRequestIdOf(accessKeyId)))?.value;
    const { credentials, accessUntil, status, requester, accessRequestId } = record ?? {};
    if (!record || !credentials || accessUntil === undefined || status !== 'Approved') return undefined;
    return {
      ...credentials,
      expires: accessUntil,
      requesterKeyId: requester!.accessKeyId,
      requesterArn: requester!.arn,
      access: { accessRequestId: accessRequestId!, grant: accessGrant(record, this.#context) },
      narrow: accessNarrowing(record, this.#context),
    };
  }

  /** Those that are pending: whoever was asked about them, was asked by a process that has ended. */
  async resume(): Promise<void> {
    for (const { value } of await this.#context.store.accessRequests.list()) {
      if (this.#dated(value).status === 'Pending') this.#ask(value);
    }
  }

  #ask(record: AccessRequestRecord): void {
    const { accessRequestId } = record;
    const decided = async () => {
      const decision = (await this.#approve?.(requestOf(record))) ?? 'Pending';
      if (decision === 'Approved' || decision === 'Rejected') await this.decide(accessRequestId, decision);
    };
    decided().catch((error: unknown) => this.#context.report(error));
  }

  /** Time passes without anybody writing it down. */
  #dated(record: AccessRequestRecord): AccessRequestRecord {
    const { status, expires, accessUntil = Number.POSITIVE_INFINITY } = record;
    const now = this.#now();
    const isLate = (status === 'Pending' && expires <= now) || (status === 'Approved' && accessUntil <= now);
    return isLate ? { ...record, status: 'Expired' } : record;
  }

  /** @throws {ApiError} */
  async #makeRoom(): Promise<void> {
    const { store, limits, timers } = this.#context;
    const all = await store.accessRequests.list();
    const ended = all
      .filter(({ value }) => !['Pending', 'Approved'].includes(this.#dated(value).status))
      .sort((a, b) => a.value.created - b.value.created);
    const excess = all.length + 1 - limits.accessRequests;
    if (excess > ended.length) {
      throw new ApiError(
        'ServiceQuotaExceededException',
        `There are ${limits.accessRequests} requests for access, which is the limit.`,
      );
    }
    const oldest = this.#now() - timers.history;
    const superfluous = ended.filter(({ value }, index) => index < excess || value.created <= oldest);
    await Promise.all(superfluous.map((entry) => store.accessRequests.delete(entry)));
  }

  #emit({ accessRequestId, requester, status, targets }: AccessRequestRecord): void {
    this.#context.emit({
      type: 'accessRequest',
      time: this.#now(),
      accessRequestId,
      requester: requester.arn,
      targets,
      status,
    });
  }

  #now(): number {
    return this.#context.wallClock.now();
  }
}

/** For whoever decides: without credentials. */
function requestOf(record: AccessRequestRecord): AccessRequest {
  const { accessRequestId, reason, targets, requester, tags, created, expires } = record;
  return { accessRequestId, reason, targets, requester: requester.arn, tags, created, expires };
}
