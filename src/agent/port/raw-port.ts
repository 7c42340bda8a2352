import { chunksOf } from '../../core/chunks.ts';
import type { Connection } from '../../core/port/connection.ts';
import type { AgentSession } from '../session.ts';

/** One connection for the whole session, as SSH uses it. It ends when the destination ends it. */
export async function rawPort(session: AgentSession, dial: () => Promise<Connection>): Promise<void> {
  const { readable, writable } = await dial();
  const writer = writable.getWriter();
  const there = async () => {
    for await (const bytes of session.input) await writer.write(bytes);
  };
  // The client cannot tell that it has ended; its session ends then.
  there().catch(() => {});
  try {
    for await (const bytes of chunksOf(readable)) await session.write(bytes);
  } finally {
    writer.abort().catch(() => {});
  }
}
