import type { Session } from '../core/session.ts';
import type { SessionEnd } from '../core/session-end.ts';
import type { StdioStreams } from './attach-terminal.ts';
import { forwardInput, forwardOutput, unread } from './forward.ts';
import { END_OF_INPUT, quoteInput } from './quoting.ts';

/**
 * Joins a session of a {@link pipeShell} to this process's standard streams, byte for byte: `stdin` reaches
 * the shell whole and ends there, stdout is the shell's stdout alone. Resolves when the session is over and
 * its output written.
 */
export async function attachPipes(session: Session, streams: StdioStreams = {}): Promise<SessionEnd> {
  const { stdin = process.stdin, stdout = process.stdout, stderr = process.stderr } = streams;
  const broken = () => void session.terminate();
  stdout.on('error', broken);
  stderr.on('error', unread);
  const input = forwardInput(stdin, session, {
    map: quoteInput,
    atEnd: () => Uint8Array.of(END_OF_INPUT),
  });
  try {
    await Promise.all([forwardOutput(session.stdout, stdout), forwardOutput(session.stderr, stderr)]);
    return await session.ended;
  } finally {
    input.stop();
    stdout.off('error', broken);
    stderr.off('error', unread);
  }
}
