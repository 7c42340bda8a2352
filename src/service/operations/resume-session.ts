import { type OperationParts, operation } from './operation.ts';
import { doesNotExist, SESSION_INPUT } from './session-input.ts';
import { newStream } from './stream.ts';

/** CONTROL-PLANE.md section 2.2. */
export function resumeSession(parts: OperationParts) {
  const { authorization, sessions } = parts;
  return operation({
    name: 'ResumeSession',
    input: SESSION_INPUT,

    async handle({ SessionId }, call) {
      const session = await sessions.get(SessionId);
      await authorization.session(call.principal, 'ssm:ResumeSession', SessionId, session);
      if (!session) throw doesNotExist(SessionId);
      // Without a token the plugin says that the session timed out and exits; an error would make it try again.
      return (await newStream(SessionId, call, parts)) ?? { SessionId };
    },
  });
}
