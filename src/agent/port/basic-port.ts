import { PayloadFlag } from '../../channel/constants.ts';
import { chunksOf } from '../../core/chunks.ts';
import type { Connection } from '../../core/port/connection.ts';
import type { AgentSession } from '../session.ts';

/**
 * One connection after another, for clients too old for more: the first at the start of the session, the next with the
 * first input after the client has disconnected. The client cannot be told when the destination ends one; what it
 * sends then is dropped until it disconnects.
 */
export async function basicPort(session: AgentSession, dial: () => Promise<Connection>): Promise<void> {
  let current: BasicLink | undefined = new BasicLink(session, await dial());
  session.onFlag((flag) => {
    if (flag !== PayloadFlag.DisconnectToPort) return;
    current?.close();
    current = undefined;
  });
  for await (const bytes of session.input) {
    current ??= await redial(session, dial);
    await current.write(bytes);
  }
  current?.close();
}

async function redial(session: AgentSession, dial: () => Promise<Connection>): Promise<BasicLink> {
  try {
    return new BasicLink(session, await dial());
  } catch {
    session.sendFlag(PayloadFlag.ConnectToPortError);
    return new BasicLink(session, undefined);
  }
}

/** A connection to the destination, or what is left of one. */
class BasicLink {
  readonly #reader: AsyncGenerator<Uint8Array, void, void> | undefined;
  #writer: WritableStreamDefaultWriter<Uint8Array> | undefined;
  #open = true;

  constructor(session: AgentSession, connection: Connection | undefined) {
    this.#writer = connection?.writable.getWriter();
    this.#writer?.closed.catch(() => {});
    this.#reader = connection && chunksOf(connection.readable);
    this.#read(session).catch(() => {});
  }

  async write(bytes: Uint8Array): Promise<void> {
    try {
      await this.#writer?.write(bytes);
    } catch {
      this.#writer = undefined;
    }
  }

  close(): void {
    this.#open = false;
    this.#writer?.abort().catch(() => {});
    this.#writer = undefined;
  }

  async #read(session: AgentSession): Promise<void> {
    for await (const bytes of this.#reader ?? []) {
      if (!this.#open) return;
      await session.write(bytes);
    }
  }
}
