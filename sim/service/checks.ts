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

/** @throws when the session did not come out as it must */
export function checkOutcome(played: Played): void {
  if (!played.course.violence) checkWhole(played);
}

function checkWhole({ conversation, record, clientEnd, course }: Played): void {
  if (!conversation || !record) throw new Error(`the client could start no session: ${clientEnd}`);
  const { status, endReason, details } = record;
  if (!conversation.ended) {
    throw new Error(`the session was to end by itself, and was ${status} by ${endReason}: ${details}`);
  }
  if (!conversation.input.whole) throw new Error('input was lost');
  if (!conversation.output.whole) throw new Error(`output was lost of a ${course.agent} agent`);
  if (endReason !== 'CommandExited') throw new Error(`the session counts as ${status} by ${endReason}`);
  if (clientEnd !== 'closed' && clientEnd !== 'timed out') throw new Error(`the client ${clientEnd}`);
}
