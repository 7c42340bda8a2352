import { isOver, type SessionRecord } from '../session-record.ts';
import { type Infer, integer, string, structure } from '../shape.ts';
import { type Call, type OperationParts, operation } from './operation.ts';
import { formatPageToken, type Position, parsePageToken } from './page-token.ts';
import { SESSION_FILTERS, sessionFilter } from './session-filter.ts';

const INPUT = structure(
  { State: string<'Active' | 'History'>({ values: ['Active', 'History'] }) },
  {
    MaxResults: integer({ min: 1, max: 200 }),
    NextToken: string({ max: 2000 }),
    Filters: SESSION_FILTERS,
  },
);

/** CONTROL-PLANE.md section 2.4. Newest first. */
export function describeSessions({ context, authorization, sessions }: OperationParts) {
  const { clock, digest } = context;
  return operation({
    name: 'DescribeSessions',
    input: INPUT,

    async handle(input, call) {
      await authorization.describeSessions(call.principal);
      const { State, MaxResults = 50, NextToken, Filters = [] } = input;
      const passes = sessionFilter(Filters);
      const query = queryOf(input, call);
      const after =
        NextToken === undefined ? undefined : parsePageToken(NextToken, query, clock.now(), digest);

      const found = (await sessions.list())
        .filter((session) => isOver(session) === (State === 'History'))
        .filter((session) => passes(session) && (!after || compare(session, after) > 0))
        .sort(compare);
      const page = found.slice(0, MaxResults);
      const last = page.at(-1);
      return {
        Sessions: page.map(describe),
        ...(last &&
          found.length > page.length && { NextToken: formatPageToken(last, query, clock.now(), digest) }),
      };
    },
  });
}

/** `MaxResults` may change from page to page. */
function queryOf({ State, Filters = [] }: Infer<typeof INPUT>, { principal }: Call): string {
  return JSON.stringify([State, Filters.map(({ key, value }) => [key, value]), principal.arn]);
}

/** Newest first; sessions of the same millisecond by id, so that pages neither repeat nor skip any. */
function compare(a: Position, b: Position): number {
  if (a.startDate !== b.startDate) return b.startDate - a.startDate;
  return a.sessionId < b.sessionId ? -1 : a.sessionId > b.sessionId ? 1 : 0;
}

/** The `Session` shape: times in seconds, absent members left out. */
function describe(session: SessionRecord): object {
  const { endDate, reason, maxDuration, details, status } = session;
  return {
    SessionId: session.sessionId,
    Target: session.target,
    Status: status,
    StartDate: session.startDate / 1000,
    Owner: session.owner.arn,
    DocumentName: session.documentName,
    ...(endDate !== undefined && { EndDate: endDate / 1000 }),
    ...(reason !== undefined && { Reason: reason }),
    ...(status === 'Failed' && details !== undefined && { Details: details.slice(0, MAX_DETAILS) }),
    ...(maxDuration !== undefined && { MaxSessionDuration: `${maxDuration / 60_000}` }),
    OutputUrl: {},
    AccessType: 'Standard',
  };
}

/** Length of `Details` in the API model. */
const MAX_DETAILS = 1024;
