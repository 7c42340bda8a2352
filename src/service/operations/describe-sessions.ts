import { partitionOf } from '../../core/endpoints.ts';
import type { ArnScope } from '../arn.ts';
import { isOver, type SessionRecord } from '../session-record.ts';
import { type Infer, integer, string, structure } from '../shape.ts';
import { type Call, type OperationParts, operation } from './operation.ts';
import { pageOf } from './page.ts';
import { accessTypeOf, SESSION_FILTERS, sessionFilter } from './session-filter.ts';

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
  return operation({
    name: 'DescribeSessions',
    input: INPUT,

    async handle(input, call) {
      await authorization.account(call, 'ssm:DescribeSessions');
      const { State, MaxResults = 50, NextToken, Filters = [] } = input;
      const passes = sessionFilter(Filters);
      const found = (await sessions.list())
        .filter((session) => isOver(session) === (State === 'History'))
        .filter(passes);
      const query = queryOf(input, call);
      const { items, next } = pageOf(
        found,
        positionOf,
        { size: MaxResults, token: NextToken, query },
        context,
      );
      return { Sessions: items.map((session) => describe(session, context)), ...next };
    },
  });
}

/** `MaxResults` may change from page to page. */
function queryOf({ State, Filters = [] }: Infer<typeof INPUT>, { principal }: Call): string {
  return JSON.stringify([State, Filters.map(({ key, value }) => [key, value]), principal.arn]);
}

function positionOf({ startDate, sessionId }: SessionRecord) {
  return { date: startDate, id: sessionId };
}

/** The `Session` shape: times in seconds, absent members left out. */
function describe(session: SessionRecord, scope: ArnScope): object {
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
    OutputUrl: outputUrl(session, scope),
    AccessType: accessTypeOf(session),
  };
}

/** Empty while the session goes on, as AWS's. */
function outputUrl({ output }: SessionRecord, { region }: ArnScope): object {
  if (!output) return {};
  const { s3Bucket, s3Key, logGroup, logStream } = output;
  const { dnsSuffix } = partitionOf(region);
  const key = s3Key.split('/').map(encodeURIComponent).join('/');
  return {
    ...(s3Bucket !== '' && { S3OutputUrl: `https://s3.${region}.${dnsSuffix}/${s3Bucket}/${key}` }),
    ...(logGroup !== '' && {
      CloudWatchOutputUrl: `https://${region}.console.aws.amazon.com/cloudwatch/home?region=${region}#logEventViewer:group=${encodeURIComponent(logGroup)};stream=${encodeURIComponent(logStream)}`,
    }),
  };
}

/** Length of `Details` in the API model. */
const MAX_DETAILS = 1024;
