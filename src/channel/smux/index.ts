export { SmuxError, type SmuxErrorCode } from './error.ts';
export type { SmuxReset } from './reset.ts';
export { type SmuxEvent, SmuxSession, type SmuxSessionOptions } from './smux-session.ts';
