import type { SessionEnd, SessionEndReason } from '../../core/session-end.ts';
import type { PluginConsole } from './console.ts';
import { explain } from './error.ts';

/**
 * Says how a session ended, in the words of AWS's plugin where it has some.
 *
 * @param started whether the agent had spoken
 */
export function tellEnd(console: PluginConsole, sessionId: string, end: SessionEnd, started: boolean): void {
  const { reason, message, error } = end;
  if (reason === 'Ended' && error) console.important(`Session: ${sessionId} timed out.\n`);
  else if (error && !started) console.important(`Cannot perform start session: ${explain(error)}\n`);
  else if (error) console.say(`\nThe session ${sessionId} ended: ${explain(error)}`);
  else if (message === '') console.notice(`\n\nExiting session with sessionId: ${sessionId}.\n\n`);
  else if (exitStatus(end, true) === 0) console.notice(textOf(sessionId, message));
  else console.important(textOf(sessionId, message));
}

/**
 * The status to exit with: the command's where it is known; else 0 for an end in good order, and 1 for one that was
 * not. A port has no status, and may as well be closed by TerminateSession as by this end.
 */
export function exitStatus({ reason, exitCode, error }: SessionEnd, isPort: boolean): number {
  if (reason === 'CommandExited' || (reason === 'Ended' && exitCode !== undefined))
    return byteOf(exitCode ?? 0);
  if (GOOD.has(reason) && !error) return 0;
  if (reason === 'UserTerminated' && isPort) return 0;
  return byteOf(exitCode ?? 0) || 1;
}

function textOf(sessionId: string, message: string): string {
  return `\n\nSessionId: ${sessionId} : ${message}\n\n`;
}

/** AWS's service ends a session that ended by itself without a word, `Ended`. */
const GOOD: ReadonlySet<SessionEndReason> = new Set<SessionEndReason>(['ClientEnded', 'Ended']);

/** Statuses of Windows have 32 bits, of which a Unix process can pass on eight: no failure may become 0. */
function byteOf(status: number): number {
  return status & 0xff || (status === 0 ? 0 : 1);
}
