import type { AwsJson, CallOptions, JsonObject } from './aws-json.ts';
import { TransportError } from './errors.ts';
import type { ResumeAnswer } from './resumption.ts';

/** What opens the data channel of a session. */
export interface SessionAccess {
  readonly sessionId: string;
  /** Opened exactly as given. */
  readonly streamUrl: string;
  /** Good for one connection, and for a short time. */
  readonly tokenValue: string;
}

export interface StartSessionInput {
  /** The managed node: `i-…`, `mi-…`, `ecs:…`, or any id the service knows. */
  readonly target: string;
  /** Name or ARN of a session document. Default: the account's preferences, a shell. */
  readonly documentName?: string | undefined;
  /** Of the session document. A string stands for a list of one. */
  readonly parameters?: Readonly<Record<string, string | readonly string[]>> | undefined;
  /** For the audit log: one line, 1 to 256 characters. */
  readonly reason?: string | undefined;
}

export type SessionStatus =
  | 'Connecting'
  | 'Connected'
  | 'Disconnected'
  | 'Terminating'
  | 'Terminated'
  | 'Failed';

/** One session as the service lists it. Members that the service leaves out are left out here. */
export interface SessionDescription {
  readonly sessionId: string;
  readonly target?: string;
  /** Usually one of {@link SessionStatus}. */
  readonly status?: string;
  readonly startDate?: Date;
  readonly endDate?: Date;
  readonly documentName?: string;
  /** ARN of whoever started it. */
  readonly owner?: string;
  readonly reason?: string;
  readonly details?: string;
  readonly accessType?: string;
  /** Minutes. */
  readonly maxSessionDuration?: number;
  readonly outputUrl?: { readonly s3OutputUrl?: string; readonly cloudWatchOutputUrl?: string };
}

/** All that are given must match. */
export interface SessionFilters {
  readonly invokedAfter?: Date;
  readonly invokedBefore?: Date;
  readonly target?: string;
  /** ARN of whoever started it. */
  readonly owner?: string;
  readonly status?: SessionStatus;
  readonly sessionId?: string;
  readonly accessType?: 'Standard' | 'JustInTime';
}

export interface DescribeSessionsInput {
  /** `History`: those that are over, for 30 days. */
  readonly state: 'Active' | 'History';
  readonly filters?: SessionFilters | undefined;
  /** Sessions per page, 1 to 200. Default: the service's. */
  readonly maxResults?: number | undefined;
}

export type ConnectionStatus = 'connected' | 'notconnected';

/** The calls of the `ssm` API that sessions need, in the names of TypeScript (CONTROL-PLANE.md sections 2.1 to 2.5). */
export class SessionApi {
  readonly #api: AwsJson;

  constructor(api: AwsJson) {
    this.#api = api;
  }

  async startSession(input: StartSessionInput, options: CallOptions): Promise<SessionAccess> {
    const { target, documentName, parameters, reason } = input;
    const answer = await this.#api.call(
      'StartSession',
      {
        Target: target,
        DocumentName: documentName,
        Parameters: parameters && lists(parameters),
        Reason: reason,
      },
      // A second session started by mistake would stay on the node, unknown to anybody.
      { ...options, idempotent: false },
    );
    return {
      sessionId: required(answer, 'SessionId', 'StartSession'),
      streamUrl: required(answer, 'StreamUrl', 'StartSession'),
      tokenValue: required(answer, 'TokenValue', 'StartSession'),
    };
  }

  /** Answers without a token for a session that is over. @throws {SessionNotFoundError} */
  async resumeSession(sessionId: string, options: CallOptions): Promise<SessionAccess | ResumeAnswer> {
    const answer = await this.#api.call('ResumeSession', { SessionId: sessionId }, options);
    const tokenValue = text(answer, 'TokenValue');
    if (!tokenValue) return overAnswer(answer);
    return { sessionId, tokenValue, streamUrl: required(answer, 'StreamUrl', 'ResumeSession') };
  }

  async terminateSession(sessionId: string, options: CallOptions): Promise<void> {
    await this.#api.call('TerminateSession', { SessionId: sessionId }, options);
  }

  async *describeSessions(
    { state, filters, maxResults }: DescribeSessionsInput,
    options: CallOptions,
  ): AsyncGenerator<SessionDescription, void, undefined> {
    const input = { State: state, MaxResults: maxResults, Filters: filters && filterList(filters) };
    let nextToken: string | undefined;
    let emptyPages = 0;
    do {
      const page = await this.#api.call('DescribeSessions', { ...input, NextToken: nextToken }, options);
      const sessions = Array.isArray(page.Sessions) ? page.Sessions : [];
      emptyPages = sessions.length === 0 ? emptyPages + 1 : 0;
      if (emptyPages === MAX_EMPTY_PAGES) throw unreadable('DescribeSessions', 'with empty pages only');
      for (const session of sessions) {
        if (isObject(session)) yield describe(session);
      }
      nextToken = text(page, 'NextToken');
    } while (nextToken);
  }

  async getConnectionStatus(target: string, options: CallOptions): Promise<ConnectionStatus> {
    const answer = await this.#api.call('GetConnectionStatus', { Target: target }, options);
    // Older models write `Connected`.
    const status = required(answer, 'Status', 'GetConnectionStatus').toLowerCase();
    return status === 'connected' ? 'connected' : 'notconnected';
  }
}

/** The members are hawser's own, as those of `channel_closed`; AWS's service has none of them. */
function overAnswer(answer: JsonObject): ResumeAnswer {
  if (answer.Status === 'Terminating') return { ending: true };
  const endReason = text(answer, 'EndReason');
  if (endReason === undefined) return {};
  const { ExitCode: exitCode } = answer;
  return {
    end: {
      endReason,
      output: text(answer, 'Output') ?? '',
      ...(Number.isSafeInteger(exitCode) && { exitCode: exitCode as number }),
    },
  };
}

/** A filter can leave pages empty; a service that sends nothing else would keep the caller for ever. */
const MAX_EMPTY_PAGES = 100;

function lists(parameters: Readonly<Record<string, string | readonly string[]>>): JsonObject {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => [name, typeof value === 'string' ? [value] : value]),
  );
}

/** Only this list has its keys in lower case (CONTROL-PLANE.md section 1.1). */
function filterList(filters: SessionFilters): readonly JsonObject[] {
  return [
    { key: 'InvokedAfter', value: filters.invokedAfter && iso(filters.invokedAfter) },
    { key: 'InvokedBefore', value: filters.invokedBefore && iso(filters.invokedBefore) },
    { key: 'Target', value: filters.target },
    { key: 'Owner', value: filters.owner },
    { key: 'Status', value: filters.status },
    { key: 'SessionId', value: filters.sessionId },
    { key: 'AccessType', value: filters.accessType },
  ].filter(({ value }) => value !== undefined);
}

/** ISO 8601, whole seconds, as the API's own examples. */
function iso(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, 'Z');
}

function describe(session: JsonObject): SessionDescription {
  const minutes = Number(text(session, 'MaxSessionDuration'));
  return {
    sessionId: required(session, 'SessionId', 'DescribeSessions'),
    ...given('target', text(session, 'Target')),
    ...given('status', text(session, 'Status')),
    ...given('startDate', time(session, 'StartDate')),
    ...given('endDate', time(session, 'EndDate')),
    ...given('documentName', text(session, 'DocumentName')),
    ...given('owner', text(session, 'Owner')),
    ...given('reason', text(session, 'Reason')),
    ...given('details', text(session, 'Details')),
    ...given('accessType', text(session, 'AccessType')),
    ...given('maxSessionDuration', minutes > 0 ? minutes : undefined),
    ...given('outputUrl', isObject(session.OutputUrl) ? outputUrl(session.OutputUrl) : undefined),
  };
}

function outputUrl(json: JsonObject): SessionDescription['outputUrl'] & {} {
  return {
    ...given('s3OutputUrl', text(json, 'S3OutputUrl')),
    ...given('cloudWatchOutputUrl', text(json, 'CloudWatchOutputUrl')),
  };
}

function given<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]?: V });
}

function required(json: JsonObject, member: string, operation: string): string {
  const value = text(json, member);
  if (value) return value;
  throw unreadable(operation, `without ${member}`);
}

function text(json: JsonObject, member: string): string | undefined {
  const value = json[member];
  return typeof value === 'string' ? value : undefined;
}

/** Epoch seconds, with a fraction. */
function time(json: JsonObject, member: string): Date | undefined {
  const seconds = json[member];
  return typeof seconds === 'number' ? new Date(seconds * 1000) : undefined;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unreadable(operation: string, how: string): TransportError {
  return new TransportError('ERR_RESPONSE_UNREADABLE', `The service answered ${operation} ${how}.`);
}
