import type { SessionDocument } from '../core/documents/session-document.ts';
import type { Platform } from '../core/platform.ts';
import type { KeyRecord } from '../crypto/index.ts';
import type { LocalKeyService } from '../kms/index.ts';
import type { Authorizer, Policy, Principal } from '../policy/index.ts';
import type { AccessDecision, AccessRequest } from './access-request-record.ts';
import type { Bus } from './bus.ts';
import type { ServiceEvent } from './event.ts';
import type { ParameterStore } from './parameter-store.ts';
import type { ServiceRates } from './rates.ts';
import type { ActivationTier } from './settings.ts';
import type { Store } from './store.ts';

export interface SessionManagerServiceOptions {
  /** Requests must be signed for it. It stands in every ARN. */
  readonly region: string;
  /** 12 digits. */
  readonly accountId: string;
  /**
   * Who an access key belongs to; `undefined` for an unknown key. Asked at every request, but for the keys that the
   * service itself issues to hybrid nodes.
   */
  readonly credentials: (accessKeyId: string) => CallerRecord | undefined | Promise<CallerRecord | undefined>;
  /**
   * Default: every principal of the account may do everything, others nothing; the roles of managed nodes, which are
   * known by a session name like `mi-0123456789abcdef0`, nothing but `ssm:GetParameters`, and `kms:Decrypt` of the data
   * keys of their own sessions: those with the node as `aws:ssm:TargetId` in their encryption context. What an agent does
   * for its own node is not asked for, but with `channelPolicies`.
   */
  readonly authorize?: Authorizer;
  /**
   * What policies have to say for channels to be opened. `allow`, as at AWS now: they must allow
   * `ssmmessages:OpenDataChannel` on the session for clients; and on `*` for agents, as `OpenControlChannel`,
   * `CreateDataChannel`, `CreateControlChannel` and `ssm:UpdateInstanceInformation`. `deny`: clients are refused what is
   * denied explicitly, and agents are not asked about. Default `deny`: policies from before AWS asked for these do not
   * name them, and the call that gave a client its token has been allowed a moment before.
   */
  readonly channelPolicies?: 'deny' | 'allow';
  /**
   * Whether StartSession without `DocumentName` is checked for the document `SSM-SessionManagerRunShell` like any other,
   * `current`, or only where a policy has the condition `ssm:SessionDocumentAccessCheck`, `legacy`, as AWS did until
   * about 2024 (CONTROL-PLANE.md section 2.1.1). Default `current`.
   */
  readonly defaultDocumentCheck?: 'current' | 'legacy';
  /**
   * Ends sessions whose owner may no longer start them, or whose owner's credentials are unknown or expired by now
   * (`AccessRevoked`); whoever resumed somebody else's, and may not any more, loses the channel. They are looked at every
   * `timers.recheck`, and when `policyChanges` tells of a change. Default false: policies decide at the next call, and
   * running sessions go on.
   */
  readonly endRevokedSessions?: boolean;
  /**
   * Calls the listener when policies or credentials have changed; returns what ends that. An `IamDirectory` has it.
   * Needed with `endRevokedSessions` alone, to act at once.
   */
  readonly policyChanges?: (listener: () => void) => () => void;
  /**
   * Somebody asks for access to nodes for a while (StartAccessRequest, CONTROL-PLANE.md section 2.9). The request stays
   * pending until the promise resolves, for `timers.accessRequest` at most; `Pending` leaves it to `decideAccess`. What
   * this throws is reported, and leaves it so, too. Default: such requests are not taken.
   */
  readonly approveAccess?: (
    request: AccessRequest,
  ) => AccessDecision | 'Pending' | Promise<AccessDecision | 'Pending'>;
  /**
   * Session documents by name, beside AWS's own (CONTROL-PLANE.md section 3.6), which they may replace. Those of
   * `registerDocument` come before them.
   */
  readonly documents?: Readonly<Record<string, SessionDocument>>;
  /**
   * Keys of AWS KMS to host at the same address, for encrypted sessions: GenerateDataKey, Decrypt and DescribeKey, as far
   * as `authorize` and the policy of the key both allow. Of the same region and account. Default: none, and the calls of
   * KMS are unknown here.
   */
  readonly keys?: LocalKeyService;
  /**
   * Parameters that session documents refer to by `{{ssm:name}}`: agents ask for them with GetParameters, and put them in
   * themselves. Default: none, and the call is unknown here.
   */
  readonly parameters?: ParameterStore;
  /**
   * Where clients and agents open their channels, for example `wss://gateway.example.com`. Default: where the
   * request went, `ws:` for `http:` and `wss:` for `https:`. Set it behind a proxy that ends TLS.
   */
  readonly streamUrl?: string;
  /** Default: of this process, gone when it ends. */
  readonly store?: Store;
  /** Default: within this process. */
  readonly bus?: Bus;
  /** Time, chance and SHA-256. Default: the runtime's. */
  readonly platform?: Partial<Pick<Platform, 'clock' | 'random' | 'digest'>>;
  readonly limits?: Partial<ServiceLimits>;
  /**
   * Calls in a second that each caller may make, by the name of the operation; more are a `ThrottlingException`. Default
   * none, for a service of one's own has no neighbours; `AWS_RATES` has what AWS grants.
   */
  readonly rates?: ServiceRates;
  /**
   * The tier of hybrid nodes until UpdateServiceSetting changes it. Default `advanced`: AWS's own default, `standard`,
   * refuses sessions on them until the account pays for more, and here there is nothing to pay.
   */
  readonly activationTier?: ActivationTier;
  readonly timers?: Partial<ServiceTimers>;
  /** Called as things happen; must return at once. What it throws is ignored. */
  readonly onEvent?: (event: ServiceEvent) => void;
}

/** What there is to know of an access key. */
export interface CallerRecord extends KeyRecord {
  readonly principal: Principal;
  /** These are the credentials of this managed node: its agent opens control and data channels with them. */
  readonly targetId?: string;
  /** What temporary credentials are limited to, whatever `authorize` says: one of these must allow. Default: no limit. */
  readonly sessionPolicies?: readonly Policy<'session'>[];
  /** `aws:TokenIssueTime`, of temporary credentials. */
  readonly issued?: Date;
  /** `aws:MultiFactorAuthPresent`. Default: unknown, and the key is absent, as with long-term credentials of AWS. */
  readonly mfaAuthenticated?: boolean;
}

/** What bounds the service's memory. Sizes in bytes. */
export interface ServiceLimits {
  /** Of the body of a request. Default 256 KiB. */
  readonly requestBody: number;
  /** Of a message on a channel. Default 1 MiB. */
  readonly frame: number;
  /** Acknowledges kept for the other end while it is not connected; what is sent before a token is checked. Default 256 KiB. */
  readonly heldFrames: number;
  /** Frames of one end kept until the other has acknowledged them, for its next connection. Default 1 MiB. */
  readonly unacknowledgedFrames: number;
  /** Waiting in a socket at which the other end is read no more. Default 256 KiB. */
  readonly highWater: number;
  /** Waiting in a socket beyond which frames are dropped, to be sent again by their sender. Default 4 MiB. */
  readonly hardBound: number;
  /** Unreadable frames after which a channel is closed. Default 16. */
  readonly malformedFrames: number;
  /** Sockets that have not sent their token yet. Default 1000; of one side of a session and of one node 16 at most. */
  readonly openingChannels: number;
  /** Sessions that are not over, for one target. Default 1000, as many as an agent runs (CONTROL-PLANE.md section 1.5). */
  readonly sessionsPerTarget: number;
  /** Sessions that are not over, of one caller. Default no limit: infinity. */
  readonly sessionsPerCaller: number;
  /** Session documents that were created or registered. Default 500 (CONTROL-PLANE.md section 1.5). */
  readonly documents: number;
  /** Of one session document. Default 1000. */
  readonly documentVersions: number;
  /** That one session document is shared with. Default 1000 (CONTROL-PLANE.md section 1.5). */
  readonly documentAccounts: number;
  /** Sessions that are over and still listed. Default 10,000; the oldest go first. */
  readonly history: number;
  /** Activations, until 30 days after they expired (`timers.history`). Default 1000. */
  readonly activations: number;
  /** Requests for access that are pending, or were not so long ago (`timers.history`). Default 1000; the oldest that are decided go first. */
  readonly accessRequests: number;
  /** Wrong codes for one activation in a minute; then it takes none until the minute is over. Default 20. */
  readonly wrongCodes: number;
}

/** In milliseconds. CONTROL-PLANE.md section 4.3. */
export interface ServiceTimers {
  /** Until a token's first use. Default 60 s. */
  readonly token: number;
  /** From the opening of a socket to the message with its token. Default 15 s. */
  readonly open: number;
  /** In `Connecting`. Default 60 s. */
  readonly connect: number;
  /** Without stream data, where the document does not say. Default 20 minutes. Acts up to one second later. */
  readonly idle: number;
  /** Without the agent's data channel. Default 5 minutes. */
  readonly agentLost: number;
  /** For the agent to report the end of a session. Default 30 s. */
  readonly terminateGrace: number;
  /** For a full socket to take something; then it is closed. Default 20 s. */
  readonly stall: number;
  /** For which a session that is over stays listed. Default 30 days. */
  readonly history: number;
  /** For which the credentials of a hybrid node are good. Agents ask for others at half of it. Default 1 hour. */
  readonly roleToken: number;
  /** For which a request for access waits to be decided. Default 1 day. */
  readonly accessRequest: number;
  /** For which an approved request gives access, from the approval on. Default 1 hour. */
  readonly accessToken: number;
  /** Between two looks at whether sessions are still allowed, with `endRevokedSessions`. Default 60 s. */
  readonly recheck: number;
  /** After which a hybrid node is asked to replace its key. Default never: infinity. */
  readonly nodeKey: number;
}

export const DEFAULT_LIMITS: ServiceLimits = {
  requestBody: 256 * 1024,
  frame: 1024 * 1024,
  heldFrames: 256 * 1024,
  unacknowledgedFrames: 1024 * 1024,
  highWater: 256 * 1024,
  hardBound: 4 * 1024 * 1024,
  malformedFrames: 16,
  openingChannels: 1000,
  sessionsPerTarget: 1000,
  sessionsPerCaller: Number.POSITIVE_INFINITY,
  documents: 500,
  documentVersions: 1000,
  documentAccounts: 1000,
  history: 10_000,
  activations: 1000,
  accessRequests: 1000,
  wrongCodes: 20,
};

export const DEFAULT_TIMERS: ServiceTimers = {
  token: 60_000,
  open: 15_000,
  connect: 60_000,
  idle: 20 * 60_000,
  agentLost: 5 * 60_000,
  terminateGrace: 30_000,
  stall: 20_000,
  history: 30 * 24 * 3_600_000,
  roleToken: 3_600_000,
  accessRequest: 24 * 3_600_000,
  accessToken: 3_600_000,
  recheck: 60_000,
  nodeKey: Number.POSITIVE_INFINITY,
};
