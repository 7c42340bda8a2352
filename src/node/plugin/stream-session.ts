import { Forward } from '../../core/port/forward.ts';
import type { Session } from '../../core/session.ts';
import type { SessionEnd } from '../../core/session-end.ts';
import type { PluginStreams } from './console.ts';

/**
 * One connection to the node's port with the standard streams of this process at its end, as the ProxyCommand of OpenSSH
 * has them. It is over when the node's side is. The end of the input is passed on where the agent can take it; where it
 * cannot, the session is closed when nothing has come for a minute, so that no process is left behind.
 */
export async function streamSession(session: Session, streams: PluginStreams): Promise<SessionEnd> {
  const { stdin, stdout } = streams;
  const { readable, writable } = await new Forward(session).open();
  const silence = new Countdown(SILENCE, () => void session.close());
  void send(stdin, writable).then(() => silence.start());
  let failure: Error | undefined;
  try {
    for await (const bytes of readable) {
      silence.restart();
      if (await failedWrite(stdout, bytes)) break;
    }
  } catch (error) {
    failure = error as Error;
  }
  silence.stop();
  const end = await session.close();
  return failure && !end.error ? { ...end, error: failure } : end;
}

/** Milliseconds without output, after the end of input. */
const SILENCE = 60_000;

/** Resolves at the end of input, or when no more of it is taken. */
async function send(stdin: AsyncIterable<Uint8Array>, writable: WritableStream<Uint8Array>): Promise<void> {
  const writer = writable.getWriter();
  try {
    for await (const bytes of stdin) await writer.write(bytes);
    await writer.close();
  } catch {
    // Either side is gone; the other direction tells.
  }
}

function failedWrite(stdout: PluginStreams['stdout'], bytes: Uint8Array): Promise<unknown> {
  return new Promise((resolve) => stdout.write(bytes, resolve));
}

/** A timer that runs from {@link start} on. */
class Countdown {
  readonly #delay: number;
  readonly #done: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(delay: number, done: () => void) {
    this.#delay = delay;
    this.#done = done;
  }

  start(): void {
    this.#timer = setTimeout(this.#done, this.#delay);
  }

  restart(): void {
    this.#timer?.refresh();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
