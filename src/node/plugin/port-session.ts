import { PortError } from '../../core/port/error.ts';
import { Forward } from '../../core/port/forward.ts';
import type { Session } from '../../core/session.ts';
import type { SessionEnd } from '../../core/session-end.ts';
import { type ListenOptions, listen } from '../listen.ts';
import type { PluginConsole } from './console.ts';

/** `properties` of a Port document as far as the client is concerned (CONTROL-PLANE.md section 3.6). */
export interface LocalPort {
  readonly localPortNumber?: unknown;
  readonly localConnectionType?: unknown;
  readonly localUnixSocket?: unknown;
}

/**
 * Forwards connections to a local port or Unix socket until the session is over. `SSM_PLUGIN_LOCAL_HOST` is the address
 * to listen on, as for AWS's plugin; default loopback.
 *
 * @throws the system's error when it cannot be listened on, for example `EADDRINUSE`
 */
export async function portSession(
  session: Session,
  properties: LocalPort,
  console: PluginConsole,
  environment: NodeJS.ProcessEnv,
): Promise<SessionEnd> {
  const { sessionId } = session;
  const forward = new Forward(session);
  let accepted = false;
  const connections = {
    open() {
      if (!accepted) console.notice(`\nConnection accepted for session [${sessionId}]\n`);
      accepted = true;
      return forward.open();
    },
  };
  const onError = (error: Error) => {
    if (error instanceof PortError && error.code === 'ERR_PORT_REFUSED') {
      console.important('\nConnection to destination port failed, check SSM Agent logs.\n');
    } else console.say(error.message);
  };
  const listener = await listen(connections, { ...whereTo(properties, environment), onError });
  const { path, port } = listener;
  const place = path === undefined ? `Port ${port}` : `Unix socket ${path}`;
  console.important(`${place} opened for sessionId ${sessionId}.\n`);
  console.notice('Waiting for connections...\n');
  const end = await session.ended;
  await listener.close();
  return end;
}

function whereTo(properties: LocalPort, { SSM_PLUGIN_LOCAL_HOST }: NodeJS.ProcessEnv): ListenOptions {
  const { localPortNumber, localConnectionType, localUnixSocket } = properties;
  if (localConnectionType === 'unix') {
    if (typeof localUnixSocket === 'string' && localUnixSocket !== '') return { path: localUnixSocket };
    throw new PortError('ERR_PORT_PROPERTIES', 'The session document names no localUnixSocket to listen on.');
  }
  const port = Number(localPortNumber ?? 0);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new PortError(
      'ERR_PORT_PROPERTIES',
      'The localPortNumber of the session document must be 0 to 65535.',
    );
  }
  return { port, ...(SSM_PLUGIN_LOCAL_HOST && { host: SSM_PLUGIN_LOCAL_HOST }) };
}
