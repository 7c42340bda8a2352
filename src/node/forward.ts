import type { Readable, Writable } from 'node:stream';
import type { Session } from '../core/session.ts';

export interface InputRules {
  /** What to send for a piece of input; undefined for nothing. */
  map(bytes: Uint8Array): Uint8Array | undefined;
  /** What to send at the end of input. */
  atEnd(): Uint8Array;
  /** Milliseconds after which to send that again, and again; default never. */
  readonly repeatEnd?: number;
}

export interface Input {
  /** Sends bytes behind those that have come from `stdin`. */
  send(bytes: Uint8Array): void;
  stop(): void;
}

/** Sends what comes from `stdin` to the session until it ends, which is also when it cannot be read any more. */
export function forwardInput(stdin: Readable, session: Session, rules: InputRules): Input {
  const writer = session.stdin.getWriter();
  let waiting = 0;
  let state: 'flowing' | 'paused' | 'stopped' = 'flowing';
  const taken = (length: number) => {
    waiting -= length;
    if (state !== 'paused' || waiting > READ_AHEAD / 2) return;
    state = 'flowing';
    stdin.resume();
  };
  const send = (bytes: Uint8Array) => {
    waiting += bytes.length;
    if (state === 'flowing' && waiting > READ_AHEAD) {
      state = 'paused';
      stdin.pause();
    }
    const { length } = bytes;
    writer.write(bytes).then(
      () => taken(length),
      () => {}, // the session is over
    );
  };
  const data = (bytes: Uint8Array) => {
    const mapped = rules.map(bytes);
    if (mapped) send(mapped);
  };
  let repeat: NodeJS.Timeout | undefined;
  let ended = false;
  const end = () => {
    if (ended) return;
    ended = true;
    send(rules.atEnd());
    if (rules.repeatEnd !== undefined) repeat = setInterval(() => send(rules.atEnd()), rules.repeatEnd);
  };
  stdin.on('data', data);
  stdin.on('end', end);
  // A terminal that was hung up ends so.
  stdin.on('error', end);
  const stop = () => {
    state = 'stopped';
    ended = true;
    clearInterval(repeat);
    stdin.off('data', data);
    stdin.off('end', end);
    stdin.off('error', end);
    stdin.pause();
    writer.releaseLock();
  };
  return { send, stop };
}

/**
 * Copies a stream of the session to `target`, no faster than that takes it. Resolves when all is written, or
 * `target` takes no more.
 */
export async function forwardOutput(source: ReadableStream<Uint8Array>, target: Writable): Promise<void> {
  const reader = source.getReader();
  // Called back when written, and also when it never will be.
  const write = (bytes: Uint8Array) => new Promise<unknown>((resolve) => target.write(bytes, resolve));
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const failure = await write(value);
    if (failure) return reader.cancel();
  }
}

/** Listens to the errors of an output that may be missed: {@link forwardOutput} stops by itself. */
export function unread(): void {}

/** Bytes. Read ahead of the session, so that a Ctrl-C behind a paste is seen. */
const READ_AHEAD = 1_048_576;
