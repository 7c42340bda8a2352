import type { SessionRecord } from '../../src/service/session-record.ts';
import type { Conversation } from './application.ts';
import type { Course } from './course.ts';
import type { FaultyNetwork } from './network.ts';
import type { ManagedNode } from './nodes.ts';
import type { ClientEnd } from './stock-plugin.ts';

export interface Played {
  readonly course: Course;
  /** Of the session that the client ran, if it came to that. */
  readonly conversation: Conversation | undefined;
  readonly record: SessionRecord | undefined;
  readonly clientEnd: ClientEnd | 'not started';
  readonly node: ManagedNode;
  readonly network: FaultyNetwork;
}

/**
 * @returns whether it stalled, as sessions of the real programs can where nobody can help
 * @throws when the session did not come out as it must
 */
export function checkOutcome(played: Played): boolean {
  checkReports(played);
  checkCalls(played);
  if (!played.course.violence) return checkWhole(played);
  checkClientEnd(played);
  return false;
}

/** Every byte of both directions, and an end of the session that it came to by itself. @returns whether it stalled */
function checkWhole(played: Played): boolean {
  const { conversation, record, clientEnd, course, node, network } = played;
  if (!conversation || !record) throw new Error(`the client could start no session: ${clientEnd}`);
  const { sessionId, input, output, ended, lastWordsAt } = conversation;
  const { status, endReason, details } = record;
  if (!ended && isBeyondHelp(played)) return true;
  if (!ended)
    throw new Error(`the session was to end by itself, and was ${status} by ${endReason}: ${details}`);
  if (!input.whole) throw new Error('input was lost');
  if (output.read < lastWordsAt) throw new Error('output was lost');
  // The stock agent waits two seconds for the acknowledges of its last output, then goes (PROTOCOL.md section 6).
  const hurried =
    course.agent === 'stock' && network.dataLosses.some(({ at }) => at >= conversation.endedAt - LATE);
  if (!output.whole && !hurried) throw new Error('the last words were lost');
  // Of an end that is told three times while the control channel is away the service learns nothing, unless it is that
  // of a shell, which says on the data channel that it terminates (PROTOCOL.md section 5, life cycle), when that arrives.
  const untold =
    (course.kind === 'port' || hurried) &&
    node.unacknowledged.some((report) => report.sessionId === sessionId);
  if (endReason !== 'CommandExited' && !(untold && endReason === 'TargetDisconnected')) {
    throw new Error(`the session counts as ${status} by ${endReason}`);
  }
  if (clientEnd !== 'closed' && clientEnd !== 'timed out') throw new Error(`the client ${clientEnd}`);
  return false;
}

/**
 * The pair of the real programs can still stall where no relay sees why: an acknowledge is lost on its way from the
 * plugin to the relay, which the plugin never gives again, so the agent goes on with that message alone, and a later one
 * is lost on its way from the agent (PROTOCOL.md sections 1.3 and 1.4). The idle timer ends it. The same when both ends
 * have moved to a relay which did not see the acknowledge that another one could not deliver: one in another process, or the
 * next one after a kill -9.
 */
function isBeyondHelp({ conversation, record, course, network }: Played): boolean {
  const stock = course.client === 'plugin' && course.agent === 'stock';
  const { lostAcknowledges, outputArrived } = network;
  const { heldFrames = 0 } = course.limits;
  // A relay that may keep nothing has nothing to send again, either.
  const neverSeen = heldFrames < ALL || !outputArrived.has(conversation?.outputExpected ?? 0);
  const seenElsewhere = course.relays > 1 || course.restarts.length > 0;
  const unknown = seenElsewhere || (lostAcknowledges > 0 && neverSeen);
  return stock && unknown && record?.endReason === 'IdleTimeout';
}

/** However a session is ended from outside, its client is told, or finds out, unless it cannot. */
function checkClientEnd({ course, clientEnd, network }: Played): void {
  const { violence } = course;
  const cutOff = violence?.what === 'client dies' || violence?.what === 'service closes';
  // Six calls within three seconds at the least, and it does nothing any more (PROTOCOL.md section 1.13).
  const hung = clientEnd === 'hangs' && course.interruptions.some(({ duration }) => duration > RETRIES);
  if (['closed', 'timed out'].includes(clientEnd) || cutOff || hung) return;
  if (clientEnd === 'not started' && network.controlLosses.length > 0) return;
  if (clientEnd === 'not started' && violence?.what === 'node dies') return;
  throw new Error(`the client ${clientEnd} after: ${violence?.what}`);
}

/** The service acknowledges an end as soon as it is told of it. */
function checkReports({ node, network, course }: Played): void {
  if (course.violence?.what === 'service closes' || course.violence?.what === 'node dies') return;
  for (const { sessionId, from, to, connected } of node.unacknowledged) {
    const lost = !connected || network.controlLosses.some((at) => at >= from - LATE && at <= to);
    if (!lost) throw new Error(`three reports of the end of ${sessionId} were not acknowledged`);
  }
}

/** No agent asks for data channels in a loop that nothing ends. */
function checkCalls({ network, course }: Played): void {
  const { interruptions, closing, lostControl, slowUpgrade, restarts } = course;
  const rounds = closing ? closing.duration / 10 + 8 : 0;
  // Each loss can cost all the tries, and each try a token that is too old.
  const losses = interruptions.length + lostControl.length + restarts.length;
  const most = 8 * (4 + losses) * (slowUpgrade > 0 ? 2 : 1) + rounds;
  const { dataChannelCalls } = network.counts;
  if (dataChannelCalls > most)
    throw new Error(`${dataChannelCalls} CreateDataChannel calls, ${most} expected at most`);
}

/** Milliseconds: how late a lost connection may be noticed, and how long what was lost in it takes to come again. */
const LATE = 5000;
/** Bytes: more than all the output of a session. */
const ALL = 262_144;
/** What the plugin's tries last at least. */
const RETRIES = 2500;
