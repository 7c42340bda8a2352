export { SmuxError, type SmuxErrorCode } from './error.ts';
export { type SmuxEvent, type SmuxReset, SmuxSession, type SmuxSessionOptions } from './smux-session.ts';
