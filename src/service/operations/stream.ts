import type { Call, OperationParts } from './operation.ts';

/** How to join a session, in the answers of StartSession and ResumeSession. */
export interface StreamMembers {
  readonly SessionId: string;
  readonly TokenValue: string;
  readonly StreamUrl: string;
}

/** `undefined` when the session is over. */
export async function newStream(
  sessionId: string,
  call: Call,
  { sessions, streamUrl }: OperationParts,
): Promise<StreamMembers | undefined> {
  const token = await sessions.mintToken(sessionId, 'client', call);
  if (token === undefined) return undefined;
  const base = (streamUrl ?? call.url.origin).replace(/^http/, 'ws').replace(/\/+$/, '');
  return {
    SessionId: sessionId,
    TokenValue: token,
    StreamUrl: `${base}/v1/data-channel/${encodeURIComponent(sessionId)}?role=publish_subscribe`,
  };
}
