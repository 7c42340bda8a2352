import { isOver, type SessionRecord } from '../session-record.ts';
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
      await authorization.session(call, 'ssm:ResumeSession', SessionId, session);
      if (!session) throw doesNotExist(SessionId);
      // Without a token the plugin says that the session timed out and exits; an error would make it try again.
      return (
        (await newStream(SessionId, call, parts)) ?? {
          SessionId,
          ...howItEnded(await sessions.get(SessionId)),
        }
      );
    },
  });
}

/**
 * Members of hawser's own, under the names of `channel_closed`: a client that was away at the end missed that. AWS's SDKs
 * drop what their models do not have. Nothing that `ssm:ResumeSession` does not stand for: whoever has it could have
 * held the data channel.
 */
function howItEnded(record: SessionRecord | undefined) {
  if (!record) return {};
  // The node has said that it ends the session, and its report of how is still to come.
  if (!isOver(record) && !record.cancelled) return { Status: record.status };
  return { EndReason: record.endReason, ExitCode: record.exitCode, Output: record.details };
}
