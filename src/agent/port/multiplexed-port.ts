import { PayloadFlag } from '../../channel/constants.ts';
import { type Connection, join } from '../../core/port/connection.ts';
import { PortError } from '../../core/port/error.ts';
import type { MuxStream } from '../../core/port/mux-stream.ts';
import { StreamMux } from '../../core/port/stream-mux.ts';
import type { AgentSession } from '../session.ts';

/** Connects every stream that the client opens, until the session is over. */
export async function multiplexedPort(
  session: AgentSession,
  version: 1 | 2,
  dial: () => Promise<Connection>,
): Promise<void> {
  let failure: Error | undefined;
  let fail = () => {};
  const failed = new Promise<void>((resolve) => {
    fail = resolve;
  });
  const mux = new StreamMux({
    role: 'server',
    version,
    write: (bytes) => session.write(bytes),
    accept: (stream) => void connect(stream),
    failed: (error) => {
      failure = error;
      fail();
    },
  });
  const connect = async (stream: MuxStream) => {
    let connection: Connection;
    try {
      connection = await dial();
    } catch (error) {
      // AWS's client knows this flag, and nothing that would say which stream it is about.
      if (version === 1) session.sendFlag(PayloadFlag.ConnectToPortError);
      stream.reset(error);
      return;
    }
    await join(stream, connection);
  };
  const read = async () => {
    for await (const bytes of session.input) await mux.handleBytes(bytes);
  };
  await Promise.race([read(), failed]);
  mux.close(new PortError('ERR_PORT_RESET', 'The session is over.'));
  if (failure) throw failure;
}
