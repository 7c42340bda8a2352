import { DEFAULT_DOCUMENT } from '../../core/documents/aws-documents.ts';
import { parameterValues } from '../../core/documents/parameters.ts';
import { documentTimers, withPreferences } from '../../core/documents/preferences.ts';
import { checkAgentVersion } from '../agent-version.ts';
import { ApiError } from '../api-error.ts';
import { runAsUser } from '../run-as-user.ts';
import { newSessionId } from '../session-id.ts';
import { isOver } from '../session-record.ts';
import { ownerOf } from '../sessions.ts';
import { list, map, string, structure } from '../shape.ts';
import { type OperationParts, operation } from './operation.ts';
import { sessionDocument } from './session-document.ts';
import { newStream } from './stream.ts';

/** CONTROL-PLANE.md section 2.1, in the order of checks given there. */
export function startSession(parts: OperationParts) {
  const { context, authorization, nodes, sessions, documents, settings } = parts;
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

    async handle({ Target, DocumentName, Reason, Parameters = new Map() }, call) {
      const { principal, access } = call;
      const {
        name,
        document: named,
        tags,
      } = await sessionDocument(DocumentName ?? DEFAULT_DOCUMENT, principal, parts);
      const isNamed = DocumentName !== undefined;
      const node = await nodes.getSettled(Target);
      await authorization.startSession(call, {
        target: Target,
        tags: node?.tags ?? {},
        document: name,
        documentTags: tags,
        isNamed,
      });
      if (node?.channel === undefined) {
        throw new ApiError('TargetNotConnected', `${Target} is not connected.`);
      }
      if (Target.startsWith('mi-') && (await settings.activationTier()) === 'standard') {
        throw new ApiError(
          'BadRequest',
          'Enable advanced-instances tier to use Session Manager with your on-premises instances',
        );
      }
      checkAgentVersion(named, node.agentVersion);
      const parameters = parameterValues(named, Parameters);
      const document = withPreferences(named, await documents.preferences());
      const timers = documentTimers(document, parameters);
      await checkCounts(Target, principal.arn);

      const { sessionId } = await sessions.start({
        sessionId: newSessionId(principal, context.random),
        target: Target,
        owner: ownerOf(call),
        ...(access && { accessRequestId: access.accessRequestId }),
        documentName: name,
        documentNamed: isNamed,
        documentContent: document,
        parameters,
        runAsUser: runAsUser(document, parameters, principal),
        ...(Reason !== undefined && { reason: Reason }),
        ...{ idleTimeout: context.timers.idle, ...timers },
      });
      return (await newStream(sessionId, call, parts)) ?? { SessionId: sessionId };
    },
  });

  async function checkCounts(target: string, caller: string): Promise<void> {
    const { sessionsPerTarget, sessionsPerCaller } = context.limits;
    const running = (await sessions.list()).filter((other) => !isOver(other));
    if (running.filter((other) => other.target === target).length >= sessionsPerTarget) {
      throw tooMany(target, sessionsPerTarget);
    }
    if (running.filter(({ owner }) => owner.arn === caller).length >= sessionsPerCaller) {
      throw tooMany(caller, sessionsPerCaller);
    }
  }
}

function tooMany(whose: string, limit: number): ApiError {
  return new ApiError(
    'BadRequest',
    `${whose} has ${limit} sessions, which is the limit. Terminate one and try again.`,
  );
}
