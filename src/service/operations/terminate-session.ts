import { type OperationParts, operation } from './operation.ts';
import { doesNotExist, SESSION_INPUT } from './session-input.ts';

/** CONTROL-PLANE.md section 2.3. A session that is over can be terminated again. */
export function terminateSession({ authorization, sessions }: OperationParts) {
  return operation({
    name: 'TerminateSession',
    input: SESSION_INPUT,

    async handle({ SessionId }, call) {
      const session = await sessions.get(SessionId);
      await authorization.session(call, 'ssm:TerminateSession', SessionId, session);
      if (!session) throw doesNotExist(SessionId);
      await sessions.cancel(SessionId, 'UserTerminated');
      return { SessionId };
    },
  });
}
