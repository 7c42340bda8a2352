import { describeSessions } from './describe-sessions.ts';
import { getConnectionStatus } from './get-connection-status.ts';
import type { Operation, OperationParts } from './operation.ts';
import { resumeSession } from './resume-session.ts';
import { startSession } from './start-session.ts';
import { terminateSession } from './terminate-session.ts';

/** Every operation that the service answers. */
export function operations(parts: OperationParts): readonly Operation[] {
  return [
    startSession(parts),
    resumeSession(parts),
    terminateSession(parts),
    describeSessions(parts),
    getConnectionStatus(parts),
  ];
}
