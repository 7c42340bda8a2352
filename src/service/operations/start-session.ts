import { DEFAULT_DOCUMENT } from '../../core/documents/aws-documents.ts';
import { parameterValues } from '../../core/documents/parameters.ts';
import { documentTimers, withPreferences } from '../../core/documents/preferences.ts';
import { checkAgentVersion } from '../agent-version.ts';
import { ApiError } from '../api-error.ts';
import { newSessionId } from '../session-id.ts';
import { isOver } from '../session-record.ts';
import { list, map, string, structure } from '../shape.ts';
import { type OperationParts, operation } from './operation.ts';
import { sessionDocument } from './session-document.ts';
import { newStream } from './stream.ts';

/** CONTROL-PLANE.md section 2.1, in the order of checks given there. */
export function startSession(parts: OperationParts) {
  const { context, authorization, nodes, sessions, documents } = parts;
  return operation({
    name: 'StartSession',
    input: structure(
      { Target: string({ min: 1, max: 400 }) },
      {
        DocumentName: string({ pattern: /^[a-zA-Z0-9_\-.:/]{3,128}$/ }),
        Reason: string({ min: 1, max: 256, pattern: /^.{1,256}$/ }),
        Parameters: map(string({ min: 1, max: 255 }), list(string({ min: 1, max: 65_535, sensitive: true }))),
      },
    ),

    async handle({ Target, DocumentName = DEFAULT_DOCUMENT, Reason, Parameters = new Map() }, call) {
      const { principal } = call;
      const { name, document: named, tags } = await sessionDocument(DocumentName, principal, parts);
      const node = await nodes.getSettled(Target);
      await authorization.startSession(principal, Target, node?.tags ?? {}, name, tags);
      if (node?.channel === undefined) {
        throw new ApiError('TargetNotConnected', `${Target} is not connected.`);
      }
      checkAgentVersion(named, node.agentVersion);
      const parameters = parameterValues(named, Parameters);
      const document = withPreferences(named, await documents.preferences());
      const timers = documentTimers(document, parameters);
      await checkCount(Target);

      const { sessionId } = await sessions.start({
        sessionId: newSessionId(principal, context.random),
        target: Target,
        owner: { arn: principal.arn, userId: principal.userId },
        documentName: name,
        documentContent: document,
        parameters,
        ...(Reason !== undefined && { reason: Reason }),
        ...{ idleTimeout: context.timers.idle, ...timers },
      });
      return (await newStream(sessionId, call, parts)) ?? { SessionId: sessionId };
    },
  });

  async function checkCount(target: string): Promise<void> {
    const limit = context.limits.sessionsPerTarget;
    const count = (await sessions.list()).filter((other) => other.target === target && !isOver(other)).length;
    if (count < limit) return;
    throw new ApiError(
      'BadRequest',
      `${target} has ${limit} sessions, which is the limit. Terminate one and try again.`,
    );
  }
}
