import type { Session } from '../../core/session.ts';
import type { SessionEnd } from '../../core/session-end.ts';
import { attachTerminal } from '../attach-terminal.ts';
import { forwardOutput, unread } from '../forward.ts';
import { forwardSignals } from '../forward-signals.ts';
import type { PluginConsole, PluginStreams } from './console.ts';

/** A shell or an interactive command, in the terminal of this process or with its pipes. */
export function terminalSession(session: Session, streams: PluginStreams): Promise<SessionEnd> {
  // AWS's plugin claims this size where there is no terminal; what is 80 wide breaks the lines that scripts read.
  if (!('columns' in streams.stdout)) session.resize(NO_TERMINAL);
  return attachTerminal(session, { ...streams, signals: true });
}

const NO_TERMINAL = { cols: 300, rows: 100 };

/**
 * A non-interactive command: it has output, and takes signals. The input of this process is left alone, since the
 * command has none.
 */
export async function commandSession(
  session: Session,
  { stdout, stderr }: PluginStreams,
  console: PluginConsole,
): Promise<SessionEnd> {
  let status: number | undefined;
  session.on('exitCode', (exitCode) => {
    status = exitCode;
  });
  const writer = session.stdin.getWriter();
  const stopSignals = forwardSignals(session, (bytes) => void writer.write(bytes).catch(() => {}));
  const broken = () => void session.terminate();
  stdout.on('error', broken);
  stderr.on('error', unread);
  try {
    await Promise.all([forwardOutput(session.stdout, stdout), forwardOutput(session.stderr, stderr)]);
    const end = await session.ended;
    if (status !== undefined) console.notice(`EXIT_CODE: ${status}`);
    return end;
  } finally {
    stopSignals();
    stdout.off('error', broken);
    stderr.off('error', unread);
  }
}
